// Lists the places where libtorch may be, and checks each of them. Looks at files only and loads nothing, so that doctor and
// scripts/setup.mjs, which runs before the addon exists, can use it too.
import fs from 'node:fs';
import path from 'node:path';
import type { ErrorCode } from '../core/errors';
import { isThere, sizeOf } from '../files/stat';
import { cacheCandidates, findCacheRoot } from './cache';
import { pin, platform, type Variant, variantsOf } from './manifest';

export interface Candidate {
  /** Name of the place: an environment variable, `use` of the command line, 'cache' or an npm package. */
  readonly source: string;
  /** Name of the variant in libtorch.json, for a build in the cache; otherwise null. */
  readonly variant: string | null;
  /** null if the source names no folder. */
  readonly folder: string | null;
  /** Chosen by the user: a problem with it is an error, and no other candidate is tried. */
  readonly explicit: boolean;
  /** Command by which the user undoes the choice; '' if it is not explicit. */
  readonly undo: string;
  readonly version: string | null;
  /** Reason why it cannot be used; null if none was found. */
  readonly problem: Problem | null;
  /** Its libraries have the sizes in libtorch.json, so it is the build that was checked. */
  readonly intact: boolean;
}

/** The npm package with libtorch for this platform. */
export const platformPackageName = `@torch-incremental/libtorch-${platform}-cpu`;

/** The command that records a choice, and removes it with the word `auto`. */
const useCommand = 'torch-incremental libtorch use';

export interface Problem {
  readonly code: Extract<ErrorCode, `ERR_LIBTORCH_${string}`>;
  readonly text: string;
}

/** All candidates, best first. */
export function libtorchCandidates(): Candidate[] {
  const candidates: Candidate[] = [];
  for (const name of ['TORCH_INCREMENTAL_LIBTORCH', 'LIBTORCH']) {
    const value = process.env[name];
    candidates.push(value ? examine(name, path.resolve(value), { undo: `unset ${name}` }) : absent(name, 'not set'));
  }
  if (findCacheRoot() === null)
    candidates.push(absent('cache', 'neither HOME nor XDG_CACHE_HOME names a folder for it'));
  for (const { variant, folder, chosen, broken } of cacheCandidates()) {
    const ours = { variant, libraries: librariesOf(variant) };
    const found = chosen
      ? examine(useCommand, folder, { ...ours, undo: `npx ${useCommand} auto` })
      : examine('cache', folder, ours);
    const problem: Problem | null =
      broken === undefined ? found.problem : { code: 'ERR_LIBTORCH_NOT_FOUND', text: broken };
    candidates.push({ ...found, problem });
  }
  candidates.push(platformPackage());
  return candidates;
}

/** Returns the candidate that would be loaded, judged by files alone: an explicit one, else the first usable one, else null. */
export function preferredOf(candidates: readonly Candidate[]): Candidate | null {
  return candidates.find(({ explicit }) => explicit) ?? candidates.find(({ problem }) => problem === null) ?? null;
}

/** Returns the npm package that holds libtorch for this platform. */
function platformPackage(): Candidate {
  try {
    const folder = unpacked(path.dirname(require.resolve(`${platformPackageName}/package.json`)));
    const libraries = librariesOf('cpu');
    const candidate = examine(platformPackageName, folder, { libraries });
    if (candidate.problem !== null || candidate.intact || libraries === undefined) return candidate;
    // The package holds exactly these libraries, so another size means damage.
    return { ...candidate, problem: damage(folder, libraries) };
  } catch {
    return absent(platformPackageName, 'not installed');
  }
}

/** Returns the unpacked copy of a folder in an Electron archive, from which the system cannot open libraries. */
export function unpacked(folder: string): string {
  return folder.replace(/(?<=[\\/])app\.asar(?=[\\/])/, 'app.asar.unpacked');
}

function absent(source: string, text: string): Candidate {
  const problem: Problem = { code: 'ERR_LIBTORCH_NOT_FOUND', text };
  return { source, variant: null, folder: null, explicit: false, undo: '', version: null, problem, intact: false };
}

function librariesOf(variant: string | null): Variant['libraries'] {
  return variant === null ? undefined : variantsOf()[variant]?.libraries;
}

function examine(
  source: string,
  folder: string,
  {
    variant = null,
    undo = '',
    libraries,
  }: { variant?: string | null; undo?: string; libraries?: Variant['libraries'] } = {},
): Candidate {
  const version = libtorchVersion(folder);
  const problem = problemOf(folder, version);
  const intact = problem === null && libraries !== undefined && damage(folder, libraries) === null;
  return { source, variant, folder, explicit: undo !== '', undo, version, problem, intact };
}

/** Returns the reason why the build in `folder` cannot be used, judged by its file names and version. */
export function problemOf(folder: string, version = libtorchVersion(folder)): Problem | null {
  const missing = ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'].find(
    (name) => !isThere(path.join(folder, 'lib', name)),
  );
  if (missing) {
    const text = isThere(folder) ? `has no lib/${missing}` : 'no such folder';
    return { code: 'ERR_LIBTORCH_NOT_FOUND', text };
  }
  if (skipsVersionCheck() || version?.split('+')[0] === pin.version) return null;
  const found = version === null ? 'does not say which version it is' : `is version ${version}`;
  return { code: 'ERR_LIBTORCH_VERSION', text: `${found}; ${pin.version} is needed` };
}

/** Returns the first library that has another size than in libtorch.json; null if all are intact. */
export function damage(folder: string, libraries: Readonly<Record<string, number>>): Problem | null {
  for (const [name, bytes] of Object.entries(libraries)) {
    const size = sizeOf(path.join(folder, 'lib', name));
    if (size === bytes) continue;
    const found = size === undefined ? 'is missing' : `has ${size} bytes instead of ${bytes}: it was cut or replaced`;
    return { code: 'ERR_LIBTORCH_LOAD', text: `lib/${name} ${found}` };
  }
  return null;
}

/** Whether the user has disabled the version check; other versions are not supported. */
export function skipsVersionCheck(): boolean {
  return process.env.TORCH_INCREMENTAL_BYPASS_VERSION_CHECK === '1';
}

/** Files in which builds record their version: the zip, the wheel, and any build with headers. */
const versionFiles: readonly [file: string, pattern: RegExp][] = [
  ['build-version', /^\s*(\S+)/],
  ['version.py', /__version__ = '([^']+)'/],
  ['include/torch/headeronly/version.h', /VERSION_MAJOR (\d+).*VERSION_MINOR (\d+).*VERSION_PATCH (\d+)/s],
];

export function libtorchVersion(folder: string): string | null {
  for (const [file, pattern] of versionFiles) {
    const match = pattern.exec(readIfThere(path.join(folder, file)));
    if (match) return match.slice(1).join('.');
  }
  return null;
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
