// Lists the builds of libtorch for this machine: installed, available for download, in use. For the commands. A build that is
// not known to be intact is tried in a child process, as it is when it is loaded.

import { folderBytes } from '../files/stat';
import { type Choice, cacheRoot, libtorchIn, readChoice, variantFolder } from '../libtorch/cache';
import { type Candidate, libtorchCandidates, preferredOf } from '../libtorch/candidates';
import { compareVersions, type Driver, runs } from '../libtorch/driver';
import { pin, type Variant, variantsOf } from '../libtorch/manifest';
import { verify } from '../libtorch/verify';
import { partsFolder } from './install-libtorch';

export interface VariantStatus {
  readonly variant: string;
  readonly cuda: string | null;
  /** The oldest NVIDIA driver that runs it. */
  readonly minDriver: string | null;
  readonly gpuArchitectures: readonly string[] | null;
  /** Whether this machine's driver is new enough; true if none is needed. */
  readonly runs: boolean;
  readonly folder: string;
  readonly installed: boolean;
  /** Reason why the installed build cannot be used; null if it can, or if none is installed. */
  readonly problem: string | null;
  readonly bytesOnDisk: number;
  /** Size of an unfinished download. */
  readonly bytesFetched: number;
  /** null if unknown. */
  readonly bytesToFetch: number | null;
  /** Its checksum is not known: it can be installed only with a checksum from the user. */
  readonly needsChecksum: boolean;
}

export interface Overview {
  readonly version: string;
  readonly cache: string;
  readonly driver: Driver | null;
  readonly variants: readonly VariantStatus[];
  readonly choice: Choice | null;
  /** The build that a new process would load; null if none can be used. */
  readonly inUse: Pick<Candidate, 'source' | 'variant' | 'folder' | 'version' | 'problem'> | null;
}

export async function overview(driver: Driver | null, signal?: AbortSignal): Promise<Overview> {
  const candidates = await Promise.all(libtorchCandidates().map((candidate) => tried(candidate, signal)));
  const variants = Object.entries(variantsOf()).map(([name, variant]) => {
    const problem = candidates.find((candidate) => candidate.variant === name)?.problem;
    return statusOf(name, variant, driver, problem?.text ?? null);
  });
  const taken = preferredOf(candidates);
  const { source, variant, folder, version, problem } = taken ?? {};
  return {
    version: pin.version,
    cache: cacheRoot(),
    driver,
    variants,
    choice: readChoice(),
    inUse: taken ? ({ source, variant, folder, version, problem } as Overview['inUse']) : null,
  };
}

async function tried(candidate: Candidate, signal: AbortSignal | undefined): Promise<Candidate> {
  if (candidate.problem !== null || candidate.intact) return candidate;
  return { ...candidate, problem: await verify(candidate.folder as string, { signal }) };
}

function statusOf(name: string, variant: Variant, driver: Driver | null, found: string | null): VariantStatus {
  const { cuda, minDriver, gpuArchitectures } = variant;
  const place = variantFolder(name);
  const bytesOnDisk = folderBytes(place);
  const problem = bytesOnDisk === 0 ? null : found;
  return {
    variant: name,
    cuda,
    minDriver,
    gpuArchitectures,
    runs: runs(minDriver, driver),
    folder: libtorchIn(place),
    installed: bytesOnDisk > 0 && problem === null,
    problem,
    bytesOnDisk,
    bytesFetched: folderBytes(partsFolder(place)),
    bytesToFetch: bytesToFetch(variant),
    needsChecksum: needsChecksum(variant),
  };
}

/** Returns the newest CUDA build that the driver runs and whose checksum is known, otherwise the CPU build. */
export function defaultVariant(variants: Readonly<Record<string, Variant>>, driver: Driver | null): string {
  const names = Object.keys(variants);
  const [newest] = names
    .filter((name) => variants[name]!.cuda !== null && !needsChecksum(variants[name]!))
    .filter((name) => runs(variants[name]!.minDriver, driver))
    .sort((a, b) => compareVersions(variants[b]!.cuda!, variants[a]!.cuda!));
  return newest ?? names.find((name) => variants[name]!.cuda === null)!;
}

export function needsChecksum({ archives }: Variant): boolean {
  return archives.some(({ sha256 }) => sha256 === null);
}

export function bytesToFetch({ archives }: Variant): number | null {
  return archives.reduce<number | null>((sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes), 0);
}
