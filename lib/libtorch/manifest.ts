// libtorch.json, typed: the one version this package works with, the platforms, and what can be fetched for each. The
// numbers stand there and nowhere else. Used by everything that looks for libtorch or fetches it.

/** One file to fetch, and what of it is kept. */
export interface Archive {
  readonly url: string;
  /** null: could not be had when the manifest was written; `note` says so. Whoever fetches it brings the checksum. */
  readonly sha256: string | null;
  readonly note?: string;
  /** null where unknown. */
  readonly bytes: number | null;
  /** Of the members alone; null where unknown. */
  readonly unpackedBytes: number | null;
  /** Taken off the members' names: what remains is the path in the variant's folder. */
  readonly strip: string;
  /** Files and folders to unpack; the rest is Python's. */
  readonly members: readonly string[];
  /** What makes pip fetch exactly this file, whatever Python it runs in; null where it cannot. */
  readonly pip: { readonly requirement: string; readonly arguments: readonly string[] } | null;
}

/** One build of libtorch. */
export interface Variant {
  /** The version of CUDA inside; null for none. */
  readonly cuda: string | null;
  /** The oldest NVIDIA driver (for Linux) that runs it, by NVIDIA's tables of CUDA's minor-version compatibility. */
  readonly minDriver: string | null;
  /** Compute capabilities it holds kernels for; null where unknown. */
  readonly gpuArchitectures: readonly string[] | null;
  /** What is in lib/, in bytes. Left out where unknown. */
  readonly libraries?: Readonly<Record<string, number>>;
  /** All of them make up the build. */
  readonly archives: readonly Archive[];
}

export interface Platform {
  /** false: planned, and said so by name to whoever runs there. */
  readonly built: boolean;
  /** As package.json has them. */
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc?: readonly string[];
  readonly variants?: Readonly<Record<string, Variant>>;
}

export interface Manifest {
  readonly version: string;
  /** By `${process.platform}-${process.arch}`. */
  readonly platforms: Readonly<Record<string, Platform>>;
}

export const pin: Manifest = require('../../libtorch.json');

export const platform = `${process.platform}-${process.arch}`;

/** The builds for a platform, in the manifest's order; none where the platform is not built. */
export function variantsOf(manifest: Manifest = pin, name = platform): Readonly<Record<string, Variant>> {
  const found = manifest.platforms[name];
  return found?.built ? (found.variants ?? {}) : {};
}

export function builtPlatforms(manifest: Manifest = pin): string[] {
  return Object.keys(manifest.platforms).filter((name) => manifest.platforms[name]?.built);
}

/** Why nothing runs on this platform, in a sentence; null where it does. */
export function unsupportedPlatform(manifest: Manifest = pin, name = platform): string | null {
  const found = manifest.platforms[name];
  if (found?.built) return null;
  const built = builtPlatforms(manifest).join(', ');
  return found
    ? `torch-incremental is not built for ${name} yet; it runs on ${built}`
    : `torch-incremental runs on ${built}; this is ${name}`;
}
