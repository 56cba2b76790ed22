// Where libtorch may be, and whether what is there can be used. Looks at files only and loads nothing, so that doctor
// and scripts/setup.mjs (which runs before there is an addon) can ask too.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ErrorCode } from '../errors';

/** One build of libtorch that can be fetched. */
export interface Artefact {
  readonly variant: string;
  /** As pip names it. */
  readonly requirement: string;
  readonly url: string;
  readonly sha256: string;
  readonly bytes: number;
  /** What makes pip fetch exactly this file, whatever Python it runs in. */
  readonly pip: readonly string[];
  /** What is taken out of the archive; the rest is Python's. */
  readonly members: readonly string[];
}

/** The one libtorch this version works with, by platform. The numbers stand in libtorch.json and nowhere else. */
export const pin: { readonly version: string; readonly artefacts: Readonly<Record<string, Artefact>> } =
  require('../../libtorch.json');

export const platform = `${process.platform}-${process.arch}`;

export interface Candidate {
  /** What names the folder: an environment variable, 'cache' or an npm package. */
  readonly source: string;
  /** null where the source names no folder. */
  readonly folder: string | null;
  /** Named by the user: then a problem with it is an error, never a reason to take another. */
  readonly explicit: boolean;
  readonly version: string | null;
  /** Why it cannot be used; null when nothing speaks against it. */
  readonly problem: Problem | null;
}

export interface Problem {
  readonly code: Extract<ErrorCode, `ERR_LIBTORCH_${string}`>;
  readonly text: string;
}

/** Our own folder for libtorch; the set-up fills it. */
export function cacheFolder(): string {
  const named = process.env.XDG_CACHE_HOME;
  const base = named && path.isAbsolute(named) ? named : path.join(os.homedir(), '.cache');
  const variant = pin.artefacts[platform]?.variant ?? 'cpu';
  return path.join(base, 'torch-incremental', 'libtorch', `${pin.version}+${variant}`);
}

/** All candidates, best first. */
export function libtorchCandidates(): Candidate[] {
  const candidates: Candidate[] = [];
  for (const name of ['TORCH_INCREMENTAL_LIBTORCH', 'LIBTORCH']) {
    const value = process.env[name];
    candidates.push(value ? examine(name, path.resolve(value), true) : absent(name, 'not set'));
  }
  candidates.push(examine('cache', cacheFolder(), false));
  candidates.push(platformPackage());
  return candidates;
}

/** An npm package that holds nothing but libtorch for this platform. */
function platformPackage(): Candidate {
  const name = `@torch-incremental/libtorch-${platform}-${pin.artefacts[platform]?.variant ?? 'cpu'}`;
  try {
    return examine(name, path.dirname(require.resolve(`${name}/package.json`)), false);
  } catch {
    return absent(name, 'not installed');
  }
}

function absent(source: string, text: string): Candidate {
  const problem: Problem = { code: 'ERR_LIBTORCH_NOT_FOUND', text };
  return { source, folder: null, explicit: false, version: null, problem };
}

function examine(source: string, folder: string, explicit: boolean): Candidate {
  const version = libtorchVersion(folder);
  return { source, folder, explicit, version, problem: problemOf(folder, version) };
}

function problemOf(folder: string, version: string | null): Problem | null {
  const missing = ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'].find(
    (name) => !fs.existsSync(path.join(folder, 'lib', name)),
  );
  if (missing) {
    const text = fs.existsSync(folder) ? `has no lib/${missing}` : 'no such folder';
    return { code: 'ERR_LIBTORCH_NOT_FOUND', text };
  }
  if (skipsVersionCheck() || version?.split('+')[0] === pin.version) return null;
  const found = version === null ? 'does not say which version it is' : `is version ${version}`;
  return { code: 'ERR_LIBTORCH_VERSION', text: `${found}; ${pin.version} is needed` };
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

function libtorchVersion(folder: string): string | null {
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
