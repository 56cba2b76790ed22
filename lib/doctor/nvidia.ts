// Collects facts about NVIDIA on this machine: the driver, its library, device files, the list of nvidia-smi.
import { type Driver, runs } from '../libtorch/driver';
import { type Manifest, type Variant, variantsOf } from '../libtorch/manifest';
import type { Machine } from './machine';
import type { Context } from './section';

export interface Gpu {
  readonly index: number;
  readonly name: string;
  /** Such as '9.0'; null if nvidia-smi is too old to report it. */
  readonly computeCapability: string | null;
}

export interface CudaVariant {
  readonly variant: string;
  readonly cuda: string;
  readonly minDriver: string | null;
  readonly gpuArchitectures: readonly string[] | null;
  /** Whether the driver here is new enough and there are kernels for a GPU here; unknown counts as yes. */
  readonly fits: boolean;
  /** Whether it is in the cache. */
  readonly installed: boolean;
  /** Whether every checksum is known, so that it can be installed without --sha256. */
  readonly checked: boolean;
}

export interface Nvidia {
  readonly driver: Driver | null;
  /** Whether libcuda.so.1 opens: true, the message of the dynamic linker, or null if that could not be tried. */
  readonly library: true | string | null;
  /** Device files of GPUs: /dev/nvidia0 …, or /dev/dxg in the Windows Subsystem for Linux. */
  readonly devices: readonly string[];
  /** null if nvidia-smi does not exist or fails. */
  readonly gpus: readonly Gpu[] | null;
  readonly visibleDevices: string | null;
  /** Newest CUDA first. */
  readonly variants: readonly CudaVariant[];
}

export async function lookAtNvidia(context: Context): Promise<Nvidia> {
  const { machine, manifest, platform, candidates, probe } = context;
  const listed = await askSmi(machine);
  const driver = listed?.driver ? { version: listed.driver } : context.driver;
  return {
    driver,
    library: probe.libcuda === undefined ? null : (probe.libcuda ?? true),
    devices: machine
      .list('/dev')
      .filter((name) => /^(nvidia\d+|dxg)$/.test(name))
      .map((name) => `/dev/${name}`),
    gpus: listed?.gpus ?? null,
    visibleDevices: machine.env.CUDA_VISIBLE_DEVICES ?? null,
    variants: cudaVariants(manifest, platform, driver, listed?.gpus ?? [], (variant) =>
      candidates.some((candidate) => candidate.variant === variant && candidate.problem === null),
    ),
  };
}

/** Whether kernels for `architectures` run on such a GPU: those of the same major version and no newer minor version. */
export function covers(architectures: readonly string[] | null, capability: string | null): boolean {
  if (architectures === null || capability === null) return true;
  const [major, minor] = capability.split('.').map(Number);
  return architectures.map((one) => one.split('.').map(Number)).some(([a, b]) => a === major && b! <= minor!);
}

function cudaVariants(
  manifest: Manifest,
  platform: string,
  driver: Driver | null,
  gpus: readonly Gpu[],
  installed: (variant: string) => boolean,
): CudaVariant[] {
  const withCuda = Object.entries(variantsOf(manifest, platform)).filter(([, { cuda }]) => cuda !== null);
  return withCuda
    .map(([variant, { cuda, minDriver, gpuArchitectures, archives }]: [string, Variant]) => ({
      variant,
      cuda: cuda!,
      minDriver,
      gpuArchitectures,
      fits:
        runs(minDriver, driver) &&
        (gpus.length === 0 || gpus.some(({ computeCapability }) => covers(gpuArchitectures, computeCapability))),
      installed: installed(variant),
      checked: archives.every(({ sha256 }) => sha256 !== null),
    }))
    .sort((a, b) => Number.parseFloat(b.cuda) - Number.parseFloat(a.cuda));
}

/** Returns the driver's version and the GPUs; null if nvidia-smi does not exist or fails. */
async function askSmi(machine: Machine): Promise<{ driver: string | null; gpus: Gpu[] } | null> {
  // Older versions do not know the last field.
  for (const fields of ['index,driver_version,name,compute_cap', 'index,driver_version,name']) {
    const output = await machine.output('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv,noheader']);
    if (output === null) continue;
    const rows = output
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/,\s*/));
    const gpus = rows
      .filter(([index]) => /^\d+$/.test(index!))
      .map(([index, , name, capability]) => ({
        index: Number(index),
        name: name ?? 'unknown',
        computeCapability: /^\d+\.\d+$/.test(capability ?? '') ? capability! : null,
      }));
    return { driver: /^\d+(\.\d+)+$/.exec(rows[0]?.[1] ?? '')?.[0] ?? null, gpus };
  }
  return null;
}
