// The cache of libtorch builds: the folder of each variant, the user's choice, and the order in which builds are tried. Looks
// at files only. `torch-incremental libtorch` fills the cache; candidates.ts reads it.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, messageOf } from '../core/errors';
import { homeFolder } from '../files/home-folder';
import { isThere } from '../files/stat';
import { compareVersions, type Driver, findDriver, runs } from './driver';
import { type Manifest, pin, platform, variantsOf } from './manifest';

export interface CacheCandidate {
  /** null for a folder outside the cache. */
  readonly variant: string | null;
  /** The folder that contains lib/. */
  readonly folder: string;
  /** Chosen by `torch-incremental libtorch use`. */
  readonly chosen: boolean;
  /** Reason why the choice cannot be read; `folder` is then the file that should hold it. */
  readonly broken?: string;
}

/** The choice recorded by `torch-incremental libtorch use`. */
export type Choice = { readonly variant: string } | { readonly folder: string };

export interface CachePlace {
  readonly manifest?: Manifest;
  /** Default: $XDG_CACHE_HOME/torch-incremental/libtorch, or ~/.cache instead of $XDG_CACHE_HOME. */
  readonly root?: string;
  readonly platform?: string;
}

/** Returns the folder for this user's builds; null if neither HOME nor XDG_CACHE_HOME is set. */
export function findCacheRoot(): string | null {
  const named = process.env.XDG_CACHE_HOME;
  if (named && path.isAbsolute(named)) return path.join(named, 'torch-incremental', 'libtorch');
  const home = homeFolder();
  return home === null ? null : path.join(home, '.cache', 'torch-incremental', 'libtorch');
}

/** As findCacheRoot(), but throws if there is no folder. */
export function cacheRoot(): string {
  const root = findCacheRoot();
  if (root !== null) return root;
  throw new LearnError(
    'ERR_FILE',
    'Neither HOME nor XDG_CACHE_HOME names a folder for builds of libtorch. Set one of them to an absolute path',
  );
}

/** Returns the folder of a variant, whether or not it exists. */
export function variantFolder(variant: string, { manifest = pin, root = cacheRoot() }: CachePlace = {}): string {
  return path.join(root, `${manifest.version}+${variant}`);
}

/** Returns the folder that contains lib/: builds with separate NVIDIA libraries are laid out as in Python's site-packages. */
export function libtorchIn(folder: string): string {
  const inside = path.join(folder, 'torch');
  return isThere(path.join(inside, 'lib')) ? inside : folder;
}

/** Returns the file of the choice. There is one for each version, because versions of this package share the folder. */
export function choiceFile({ manifest = pin, root = cacheRoot() }: CachePlace = {}): string {
  return path.join(root, `${manifest.version}.use.json`);
}

/** Returns null if nothing was chosen, or if the file cannot be read. */
export function readChoice(place: CachePlace = {}): Choice | null {
  const choice = lookAtChoice(place);
  return choice === null || 'broken' in choice ? null : choice;
}

function lookAtChoice(place: CachePlace): Choice | { readonly broken: string } | null {
  const file = choiceFile(place);
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code !== 'ENOENT' && isThere(file);
    return exists ? { broken: `cannot be read: ${messageOf(cause)}` } : null;
  }
  try {
    const { variant, folder } = JSON.parse(text);
    if (typeof variant === 'string' && /^\w+$/.test(variant)) return { variant };
    if (typeof folder === 'string' && path.isAbsolute(folder)) return { folder };
  } catch {}
  return { broken: 'should hold the choice, and is damaged' };
}

/** Returns the builds, best first: the user's choice, CUDA builds that the driver runs, the CPU build, the others. */
export function cacheCandidates(given: CachePlace = {}, driver: Driver | null = findDriver()): CacheCandidate[] {
  const { root = findCacheRoot() } = given;
  if (root === null) return [];
  const place = { ...given, root };
  const variants = variantsOf(place.manifest, place.platform ?? platform);
  const installed = (variant: string) => isThere(variantFolder(variant, place));
  const names = Object.keys(variants);
  const withCuda = names
    .filter((name) => variants[name]!.cuda !== null && installed(name))
    .sort((a, b) => compareVersions(variants[b]!.cuda!, variants[a]!.cuda!));
  const usable = withCuda.filter((name) => driver !== null && runs(variants[name]!.minDriver, driver));
  // The CPU build is listed even if it is missing, so that a message can name its folder. The others work too, on the CPU.
  const order = [...usable, ...names.filter((name) => variants[name]!.cuda === null), ...withCuda];
  const choice = lookAtChoice(place);
  const chosen = choice === null ? [] : [choiceCandidate(choice, place)];
  const others = [...new Set(order)].filter((name) => name !== chosen[0]?.variant);
  return [
    ...chosen,
    ...others.map((variant) => ({
      variant,
      folder: libtorchIn(variantFolder(variant, place)),
      chosen: false,
    })),
  ];
}

function choiceCandidate(choice: Choice | { readonly broken: string }, place: CachePlace): CacheCandidate {
  if ('broken' in choice) return { variant: null, folder: choiceFile(place), chosen: true, ...choice };
  if ('folder' in choice) return { variant: null, folder: choice.folder, chosen: true };
  const { variant } = choice;
  return { variant, folder: libtorchIn(variantFolder(variant, place)), chosen: true };
}
