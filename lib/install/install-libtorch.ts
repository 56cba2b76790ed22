// Puts a build of libtorch into the cache, whole or not at all: fetches its archives, checks them, unpacks them beside
// the place and renames. Used by `torch-incremental libtorch install` and by a checkout's set-up.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError, messageOf } from '../core/errors';
import type { DownloadProgress, FetchOptions } from '../download/fetch-file';
import { withFileLock } from '../download/file-lock';
import { type Choose, Zip } from '../download/unzip';
import { checkSpace, type FreeBytes, freeBytes } from '../files/free-space';
import { type CachePlace, cacheRoot, libtorchIn, variantFolder } from '../libtorch/cache';
import { damage, problemOf } from '../libtorch/candidates';
import type { Archive, Variant } from '../libtorch/manifest';
import { verify } from '../libtorch/verify';
import { checkVariant } from './check-build';
import { type CheckedFile, fetchSource } from './fetch-source';
import type { Source } from './sources';

/** `check`: of files that the user has. */
export type InstallStep = 'fetch' | 'check' | 'unpack';

export interface InstallOptions extends Omit<FetchOptions, 'onProgress'> {
  name: string;
  variant: Variant;
  sources: readonly Source[];
  place?: CachePlace | undefined;
  /** What is done now, and how far it is, over all archives. */
  onProgress?: ((step: InstallStep, progress: DownloadProgress) => void) | undefined;
  /** A line for people. */
  onNote?: ((text: string) => void) | undefined;
  /** Default: what the system says. */
  free?: FreeBytes | undefined;
}

export interface Installed {
  /** Holds lib/. */
  folder: string;
  /** It was there before; nothing was done. */
  already: boolean;
}

/** After a failure or an abort nothing has changed but for the parts of archives that the next call goes on from. */
export async function install(options: InstallOptions): Promise<Installed> {
  const { name, place = {}, signal, onNote = () => {} } = options;
  const { root = cacheRoot() } = place;
  const target = variantFolder(name, place);
  try {
    await fs.mkdir(root, { recursive: true });
    const waiting = () => onNote('Another process is installing it; waiting for that one …');
    const work = (held: AbortSignal) => installAlone({ ...options, signal: held }, target);
    return await withFileLock(`${target}.lock`, signal, work, waiting);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof LearnError) throw cause;
    throw new LearnError(
      'ERR_FILE',
      `Could not install libtorch in ${root}: ${messageOf(cause)}. Another folder can be named in XDG_CACHE_HOME`,
      { cause },
    );
  }
}

async function installAlone(options: InstallOptions, target: string): Promise<Installed> {
  const { name, variant, sources, signal, free = freeBytes } = options;
  await removeAbandoned(target);
  const there = libtorchIn(target);
  if (await isUsable(there, variant, signal)) return { folder: there, already: true };

  const parts = partsFolder(target);
  const sizes = await Promise.all(sources.map((source) => missingBytes(source, parts)));
  await checkSpace(target, sum(sizes) + sum(sources.map(({ unpackedBytes }) => unpackedBytes ?? 0)), free);
  const files: CheckedFile[] = [];
  const beside = `${target}.new-${randomUUID()}`;
  try {
    await fetchAll(options, parts, files);
    const zips: Zip[] = [];
    for (const file of files) zips.push(await openZip(file));
    const choices = sources.map((source, i) => chooserOf(source, zips[i]!, files[i]!.path));
    const total = sum(choices.map((choose, i) => zips[i]!.bytes(choose)));
    await checkSpace(target, total, free);
    let received = 0;
    const onBytes = (count: number) => {
      received += count;
      options.onProgress?.('unpack', { received, total });
    };
    for (const [i, zip] of zips.entries()) {
      await zip.extract(choices[i]!, beside, { signal, onBytes }).catch((cause) => {
        signal?.throwIfAborted();
        throw cause.syscall === undefined ? brokenZip(files[i]!.path, cause) : cause;
      });
    }
    checkVariant(libtorchIn(beside), sources.map((source) => source.name).join(', '), name, variant.cuda !== null);
    await replace(beside, target);
  } finally {
    for (const { handle } of files) await handle.close();
    await fs.rm(beside, { recursive: true, force: true });
  }
  await fs.rm(parts, { recursive: true, force: true });
  return { folder: libtorchIn(target), already: false };
}

/** A damaged one is installed again. Where sizes do not vouch for it, it is loaded, in a child process. */
export async function isUsable(
  folder: string,
  { libraries }: Variant,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (problemOf(folder) !== null) return false;
  if (libraries !== undefined && damage(folder, libraries) === null) return true;
  return (await verify(folder, { anew: true, signal })) === null;
}

/** Holds what has come of a variant's archives. */
export function partsFolder(target: string): string {
  return `${target}.parts`;
}

/** Adds each to `files` at once: the caller closes them, whatever happens. */
async function fetchAll(options: InstallOptions, parts: string, files: CheckedFile[]): Promise<void> {
  const { sources, onProgress, onNote = () => {} } = options;
  const total = sources.every(({ bytes }) => bytes !== null) ? sum(sources.map(({ bytes }) => bytes!)) : undefined;
  let before = 0;
  for (const source of sources) {
    if ('url' in source.place) await fs.mkdir(parts, { recursive: true });
    const report = (progress: DownloadProgress) => {
      onProgress?.('url' in source.place ? 'fetch' : 'check', {
        received: before + progress.received,
        total: total ?? progress.total,
      });
    };
    const part = path.join(parts, source.name);
    files.push(await fetchSource(source, part, { ...options, onProgress: report }, onNote, options.name));
    before += source.bytes ?? 0;
    // What was there already brought no progress of its own.
    if (source.bytes !== null) report({ received: 0, total: undefined });
  }
}

async function missingBytes({ place, bytes, name }: Source, parts: string): Promise<number> {
  if ('file' in place || bytes === null) return 0;
  const there = await fs.stat(path.join(parts, name)).then(
    ({ size }) => size,
    () => 0,
  );
  return Math.max(0, bytes - there);
}

async function openZip({ path: file, handle }: CheckedFile): Promise<Zip> {
  return Zip.open(handle).catch((cause) => {
    throw brokenZip(file, cause);
  });
}

function brokenZip(file: string, cause: unknown): LearnError {
  return new LearnError('ERR_FILE', `${file} is no zip archive that can be unpacked: ${messageOf(cause)}`, { cause });
}

/** Both forms that PyTorch publishes: the zip of libtorch, and the wheel. */
const layouts = ['libtorch/', 'torch/'].map((strip) => ({
  strip,
  members: ['lib', 'include', 'share', 'build-version', 'build-hash', 'version.py'].map((name) => strip + name),
}));

function chooserOf({ layout }: Source, zip: Zip, file: string): Choose {
  if (layout !== null) return chooser(layout);
  const names = new Set(zip.names);
  const found = layouts.find(({ strip }) => names.has(`${strip}lib/libtorch.so`));
  if (!found) {
    const text = `${file} is no libtorch: it holds neither libtorch/lib/libtorch.so nor torch/lib/libtorch.so. Nothing was changed`;
    throw new LearnError('ERR_LIBTORCH_NOT_FOUND', text);
  }
  if (found.strip === 'torch/' && names.has('torch/lib/libtorch_cuda.so')) {
    const text =
      `${file} is a wheel with CUDA, whose libraries of NVIDIA are in other files. Take a zip of libtorch, or the ` +
      'torch of a Python that has it: --from python. Nothing was changed';
    throw new LearnError('ERR_LIBTORCH_NOT_FOUND', text);
  }
  return chooser(found);
}

function chooser({ strip, members }: Pick<Archive, 'strip' | 'members'>): Choose {
  return (name) =>
    members.some((member) => name === member || name.startsWith(`${member}/`)) ? name.slice(strip.length) : null;
}

/** Renames; what is there is broken, and moved out of the way. */
async function replace(folder: string, target: string): Promise<void> {
  const aside = `${target}.old-${randomUUID()}`;
  await fs.rename(target, aside).catch((cause) => {
    if (cause.code !== 'ENOENT') throw cause;
  });
  await fs.rename(folder, target);
  await fs.rm(aside, { recursive: true, force: true });
}

/** What a process that was killed left behind. Only the holder of the lock makes such folders. */
export async function removeAbandoned(target: string): Promise<void> {
  const folder = path.dirname(target);
  const prefixes = ['new', 'old'].map((word) => `${path.basename(target)}.${word}-`);
  for (const name of await fs.readdir(folder)) {
    if (prefixes.some((prefix) => name.startsWith(prefix)))
      await fs.rm(path.join(folder, name), { recursive: true, force: true });
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
