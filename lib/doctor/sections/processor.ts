// Reports on the processor: the instruction sets it has for which libtorch has kernels, and whether it has the required ones.
import { processorFloor } from '../../libtorch/requirements';
import { note, problem, row, section, warning } from '../section';

export interface Facts {
  readonly model: string;
  readonly threads: number;
  /** Instruction sets of the table below that it has; null if that is unknown. */
  readonly instructions: readonly string[] | null;
  /** Required instructions that it does not have, as named in /proc/cpuinfo. */
  readonly missing: readonly string[];
}

/** Common names by the names in /proc/cpuinfo. */
const interesting: Readonly<Record<string, string>> = {
  sse4_2: 'SSE4.2',
  avx: 'AVX',
  avx2: 'AVX2',
  fma: 'FMA',
  avx512f: 'AVX512F',
  avx512bw: 'AVX512BW',
  avx512dq: 'AVX512DQ',
  avx512vl: 'AVX512VL',
  avx512_vnni: 'AVX512_VNNI',
  avx512_bf16: 'AVX512_BF16',
  avx512_fp16: 'AVX512_FP16',
  amx_tile: 'AMX_TILE',
  amx_int8: 'AMX_INT8',
  amx_bf16: 'AMX_BF16',
};

export const processor = section<Facts>({
  title: 'Processor',
  look({ machine }) {
    const flags = /^flags\s*:(.*)$/m
      .exec(machine.text('/proc/cpuinfo') ?? '')?.[1]
      ?.trim()
      .split(/\s+/);
    return {
      model: machine.cpuModel,
      threads: machine.threads,
      instructions: flags
        ? Object.keys(interesting)
            .filter((flag) => flags.includes(flag))
            .map((flag) => interesting[flag]!)
        : null,
      missing: flags && machine.arch === 'x64' ? processorFloor.filter((flag) => !flags.includes(flag)) : [],
    };
  },
  judge({ missing, instructions }, { probe }) {
    if (missing.length > 0) {
      const what = `This processor does not have instructions that libtorch uses: ${missing.join(', ')}`;
      const remedy =
        'Use another machine. In a virtual machine, expose the whole processor: -cpu host (QEMU), x86-64-v3 (Proxmox).';
      return [
        probe.failure === null
          ? warning('processor-too-old', `${what}. The trial worked nevertheless.`, remedy)
          : problem('processor-too-old', `${what}.`, remedy),
      ];
    }
    if (instructions !== null && !instructions.includes('AVX2'))
      return [
        note(
          'no-avx2',
          "This processor has no AVX2, or the virtual machine hides it: libtorch's fast kernels are not used.",
          'In a virtual machine, expose the whole processor: -cpu host (QEMU), x86-64-v3 (Proxmox).',
        ),
      ];
    return [];
  },
  rows: ({ model, threads, instructions, missing }) => [
    row('model', `${model}, ${threads} thread${threads === 1 ? '' : 's'}`),
    row('instructions', instructions === null ? 'unknown' : instructions.join(' ') || 'none beyond SSE4.1'),
    ...(missing.length > 0 ? [row('missing', missing.join(' '), 'bad')] : []),
  ],
});
