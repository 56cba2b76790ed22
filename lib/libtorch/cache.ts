// Our own folder for builds of libtorch: where each variant lies, which the user chose, and in which order they are
// tried. Looks at files only. `torch-incremental libtorch` fills it; candidates.ts asks it.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, messageOf } from '../core/errors';
import { homeFolder } from '../files/home-folder';
import { isThere } from '../files/stat';
import { compareVersions, type Driver, findDriver, runs } from './driver';
import { type Manifest, pin, platform, variantsOf } from './manifest';

export interface CacheCandidate {
  /** null for a folder that is not ours. */
  readonly variant: string | null;
  /** Holds lib/. */
  readonly folder: string;
  /** By `torch-incremental libtorch use`. */
  readonly chosen: boolean;
  /** Why the choice cannot be told; `folder` is then the file that should say it. */
  readonly broken?: string;
}

/** What `torch-incremental libtorch use` wrote down. */
export type Choice = { readonly variant: string } | { readonly folder: string };

export interface CachePlace {
  readonly manifest?: Manifest;
  /** Default: $XDG_CACHE_HOME/torch-incremental/libtorch, or ~/.cache instead of $XDG_CACHE_HOME. */
  readonly root?: string;
  readonly platform?: string;
}

/** Where this user's builds go, and are looked for; null where nothing tells. */
export function findCacheRoot(): string | null {
  const named = process.env.XDG_CACHE_HOME;
  if (named && path.isAbsolute(named)) return path.join(named, 'torch-incremental', 'libtorch');
  const home = homeFolder();
  return home === null ? null : path.join(home, '.cache', 'torch-incremental', 'libtorch');
}

/** For those who cannot do without. */
export function cacheRoot(): string {
  const root = findCacheRoot();
  if (root !== null) return root;
  throw new LearnError(
    'ERR_FILE',
    'Neither HOME nor XDG_CACHE_HOME names a folder for builds of libtorch. Set one of them to an absolute path',
  );
}

/** The folder that belongs to a variant, whether it is there or not. */
export function variantFolder(variant: string, { manifest = pin, root = cacheRoot() }: CachePlace = {}): string {
  return path.join(root, `${manifest.version}+${variant}`);
}

/** Where in there lib/ is: builds that need NVIDIA's libraries beside them lie as in Python's site-packages. */
export function libtorchIn(folder: string): string {
  const inside = path.join(folder, 'torch');
  return isThere(path.join(inside, 'lib')) ? inside : folder;
}

/** One for each version, because several versions of this package share the folder. */
export function choiceFile({ manifest = pin, root = cacheRoot() }: CachePlace = {}): string {
  return path.join(root, `${manifest.version}.use.json`);
}

/** null where nothing was chosen, or where the file says nothing that can be understood. */
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
    const isSeen = (cause as NodeJS.ErrnoException).code !== 'ENOENT' && isThere(file);
    return isSeen ? { broken: `cannot be read: ${messageOf(cause)}` } : null;
  }
  try {
    const { variant, folder } = JSON.parse(text);
    if (typeof variant === 'string' && /^\w+$/.test(variant)) return { variant };
    if (typeof folder === 'string' && path.isAbsolute(folder)) return { folder };
  } catch {}
  return { broken: 'should say what was chosen, and cannot be understood' };
}

/** Where libtorch may be, best first: what was chosen, CUDA builds where a driver runs them, the CPU build, the rest. */
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
  // Listed even if it is not there, so that a message can name the place. The rest works too, on the CPU.
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
