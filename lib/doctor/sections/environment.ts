// Reports the environment variables that affect this package, libtorch, the dynamic linker, CUDA or downloads.
import { maskedVariable } from '../redact';
import { row, section } from '../section';

export interface Facts {
  /** Credentials are masked. */
  readonly variables: Readonly<Record<string, string>>;
}

const ours = /^(TORCH_INCREMENTAL_\w+|LIBTORCH|XDG_CACHE_HOME|NODE_OPTIONS|NODE_EXTRA_CA_CERTS)$/;
const others = /^(LD|OMP|GOMP|KMP|MKL|ATEN|DNNL|ONEDNN|PYTORCH|TORCH|CUDA|CUBLAS|CUDNN|NVIDIA)_\w+$/;
const proxies = /^(HTTPS?|ALL|NO)_PROXY$/i;

/** Characters of a value that are printed; NVIDIA's images set one of 2,000. The JSON has the whole value. */
const longest = 160;

function abbreviated(value: string): string {
  if (value === '') return "''";
  return value.length > longest ? `${value.slice(0, longest)} …` : value;
}

export const environment = section<Facts>({
  title: 'Environment',
  look: ({ machine }) => ({
    variables: Object.fromEntries(
      Object.entries(machine.env)
        .filter(([name]) => ours.test(name) || others.test(name) || proxies.test(name))
        .map(([name, value]) => [name, maskedVariable(name, value ?? '')] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  }),
  judge: () => [],
  rows: ({ variables }) => {
    const rows = Object.entries(variables).map(([name, value]) => row(name, abbreviated(value)));
    return rows.length > 0 ? rows : [row('', 'no relevant variable is set')];
  },
});
