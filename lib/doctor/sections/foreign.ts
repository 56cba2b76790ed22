// Reports what others bring into the process: preloaded libraries, folders that are searched before ours, a second libtorch or
// a second OpenMP.
import path from 'node:path';
import { type Finding, note, row, section, warning } from '../section';

export interface Facts {
  /** LD_PRELOAD, LD_LIBRARY_PATH, and other variables of the dynamic linker that are set. */
  readonly variables: Readonly<Record<string, string>>;
  /** Files mapped into a process that has libtorch loaded. */
  readonly libtorch: readonly string[];
  readonly openmp: readonly string[];
  /** Libraries of libtorch that are not in the folder of the libtorch that is used. */
  readonly otherLibtorch: readonly string[];
}

const linkerVariables = ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'LD_BIND_NOW'];
const libtorchName = /^lib(torch|torch_cpu|torch_cuda|c10|c10_cuda)\.so/;
const openmpName = /^lib(gomp|iomp5|omp)[.-]/;

export const foreign = section<Facts>({
  title: 'In the process',
  look({ machine, probe, chosen }) {
    const named = (pattern: RegExp) => probe.mapped.filter((file) => pattern.test(path.basename(file)));
    const libtorch = named(libtorchName);
    const own = chosen?.folder ? machine.realPath(path.join(chosen.folder, 'lib')) : null;
    return {
      variables: Object.fromEntries(
        linkerVariables.flatMap((name) => (machine.env[name] ? [[name, machine.env[name]]] : [])),
      ),
      libtorch,
      openmp: named(openmpName),
      otherLibtorch: own === null ? [] : libtorch.filter((file) => path.dirname(machine.realPath(file)) !== own),
    };
  },
  judge({ variables, openmp, otherLibtorch }) {
    const findings: Finding[] = [];
    if (otherLibtorch.length > 0)
      findings.push(
        warning(
          'libtorch-twice',
          `Another libtorch is in the process: ${otherLibtorch.join(', ')}. Two of them cannot work together.`,
          'Find out what loads it: LD_PRELOAD, LD_LIBRARY_PATH, or another package of the same process.',
        ),
      );
    if (openmp.length > 1)
      findings.push(
        warning(
          'openmp-twice',
          `There is more than one OpenMP in the process: ${openmp.join(', ')}. Each has its own threads, which slow each other down.`,
          'Find out what loads the second one: LD_PRELOAD, LD_LIBRARY_PATH, or another package of the same process.',
        ),
      );
    for (const [name, value] of Object.entries(variables))
      if (name === 'LD_PRELOAD' || name === 'LD_LIBRARY_PATH')
        findings.push(
          note(
            name === 'LD_PRELOAD' ? 'ld-preload' : 'ld-library-path',
            `${name} is set (${value}): libraries that libtorch needs may come from there.`,
            `If something does not load or crashes, try without: env -u ${name} npx torch-incremental doctor`,
          ),
        );
    return findings;
  },
  rows: ({ variables, libtorch, openmp, otherLibtorch }) => [
    ...Object.entries(variables).map(([name, value]) => row(name, value, 'doubtful')),
    row(
      'libtorch',
      libtorch.length === 0 ? 'not loaded' : folders(libtorch),
      otherLibtorch.length > 0 ? 'doubtful' : null,
    ),
    row('OpenMP', openmp.length === 0 ? 'not loaded' : openmp.join(', '), openmp.length > 1 ? 'doubtful' : null),
  ],
});

function folders(files: readonly string[]): string {
  return [...new Set(files.map((file) => path.dirname(file)))].join(', ');
}
