// Where libtorch may be, and whether what is there can be used. Looks at files only and loads nothing, so that doctor
// and scripts/setup.mjs (which runs before there is an addon) can ask too.
import fs from 'node:fs';
import path from 'node:path';
import type { ErrorCode } from '../core/errors';
import { isThere, sizeOf } from '../files/stat';
import { cacheCandidates, findCacheRoot } from './cache';
import { pin, platform, type Variant, variantsOf } from './manifest';

export interface Candidate {
  /** What names the folder: an environment variable, `use` of the command line, 'cache' or an npm package. */
  readonly source: string;
  /** Of those in the cache, which of libtorch.json's; else null. */
  readonly variant: string | null;
  /** null where the source names no folder. */
  readonly folder: string | null;
  /** Named by the user: then a problem with it is an error, never a reason to take another. */
  readonly explicit: boolean;
  /** How the user takes that back; '' where nobody named it. */
  readonly undo: string;
  readonly version: string | null;
  /** Why it cannot be used; null when nothing speaks against it. */
  readonly problem: Problem | null;
  /** It came from us, checked, and its libraries have the sizes that they had then. */
  readonly intact: boolean;
}

/** The npm package with libtorch for this platform. */
export const platformPackageName = `@torch-incremental/libtorch-${platform}-cpu`;

/** What recorded a choice, and with the word `auto` forgets it. */
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

/** The one that is taken, as far as files tell: one that was named, usable or not, else the first that is usable. null: none. */
export function preferredOf(candidates: readonly Candidate[]): Candidate | null {
  return candidates.find(({ explicit }) => explicit) ?? candidates.find(({ problem }) => problem === null) ?? null;
}

/** An npm package that holds nothing but libtorch for this platform. */
function platformPackage(): Candidate {
  try {
    const folder = unpacked(path.dirname(require.resolve(`${platformPackageName}/package.json`)));
    const libraries = librariesOf('cpu');
    const candidate = examine(platformPackageName, folder, { libraries });
    if (candidate.problem !== null || candidate.intact || libraries === undefined) return candidate;
    // It holds these very files; another build can only lie in the cache.
    return { ...candidate, problem: damage(folder, libraries) };
  } catch {
    return absent(platformPackageName, 'not installed');
  }
}

/** The system opens no library inside of an archive of Electron's; what is unpacked lies beside it. */
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

/** Why the build in `folder` cannot be used, as far as the names of its files and its version tell. */
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

/** Which of the libraries has another size than it had when it was made; null where all are whole. */
export function damage(folder: string, libraries: Readonly<Record<string, number>>): Problem | null {
  for (const [name, bytes] of Object.entries(libraries)) {
    const size = sizeOf(path.join(folder, 'lib', name));
    if (size === bytes) continue;
    const found = size === undefined ? 'is missing' : `has ${size} bytes instead of ${bytes}: it was cut or replaced`;
    return { code: 'ERR_LIBTORCH_LOAD', text: `lib/${name} ${found}` };
  }
  return null;
}

/** For those who know that another version works for them; nothing is promised then. */
export function skipsVersionCheck(): boolean {
  return process.env.TORCH_INCREMENTAL_BYPASS_VERSION_CHECK === '1';
}

/** Every place where a build of libtorch writes its version: the zip, the wheel, and any that has headers. */
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
