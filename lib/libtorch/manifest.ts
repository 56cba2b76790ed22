// Types of libtorch.json: the one version this package works with, the platforms, and the archives for each. These facts are
// recorded only there. Used by everything that looks for libtorch or fetches it.

/** One file to fetch, and the members of it to unpack. */
export interface Archive {
  readonly url: string;
  /** null if it was not available when the manifest was written, as `note` says: the user must then give the checksum. */
  readonly sha256: string | null;
  readonly note?: string;
  /** null if unknown. */
  readonly bytes: number | null;
  /** Unpacked size of the members; null if unknown. */
  readonly unpackedBytes: number | null;
  /** Prefix removed from the members' names to get the path in the variant's folder. */
  readonly strip: string;
  /** Files and folders to unpack; the others are for Python. */
  readonly members: readonly string[];
  /** Arguments with which pip fetches exactly this file under any Python; null if it cannot. */
  readonly pip: { readonly requirement: string; readonly arguments: readonly string[] } | null;
}

/** One build of libtorch. */
export interface Variant {
  /** Version of CUDA; null for a CPU build. */
  readonly cuda: string | null;
  /** The oldest NVIDIA driver (for Linux) that runs it, by NVIDIA's tables of CUDA's minor-version compatibility. */
  readonly minDriver: string | null;
  /** Compute capabilities for which it holds kernels; null if unknown. */
  readonly gpuArchitectures: readonly string[] | null;
  /** Sizes in bytes of the files in lib/. Missing if unknown. */
  readonly libraries?: Readonly<Record<string, number>>;
  /** The build consists of all of them. */
  readonly archives: readonly Archive[];
}

export interface Platform {
  /** false for a planned platform, which the error message names. */
  readonly built: boolean;
  /** As in package.json. */
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc?: readonly string[];
  readonly variants?: Readonly<Record<string, Variant>>;
}

export interface Manifest {
  readonly version: string;
  /** Keys are `${process.platform}-${process.arch}`. */
  readonly platforms: Readonly<Record<string, Platform>>;
}

export const pin: Manifest = require('../../libtorch.json');

export const platform = `${process.platform}-${process.arch}`;

/** Returns the builds for a platform, in the manifest's order; none for a platform that is not built. */
export function variantsOf(manifest: Manifest = pin, name = platform): Readonly<Record<string, Variant>> {
  const found = manifest.platforms[name];
  return found?.built ? (found.variants ?? {}) : {};
}

export function builtPlatforms(manifest: Manifest = pin): string[] {
  return Object.keys(manifest.platforms).filter((name) => manifest.platforms[name]?.built);
}

/** Returns a sentence that says that this platform is not supported; null if it is. */
export function unsupportedPlatform(manifest: Manifest = pin, name = platform): string | null {
  const found = manifest.platforms[name];
  if (found?.built) return null;
  const built = builtPlatforms(manifest).join(', ');
  return found
    ? `torch-incremental is not built for ${name} yet; it runs on ${built}`
    : `torch-incremental runs on ${built}; this is ${name}`;
}
