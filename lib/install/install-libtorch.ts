// Installs a build of libtorch in the cache, atomically: fetches its archives, checks them, unpacks them into a temporary
// folder next to the target, and renames it. Used by `torch-incremental libtorch install` and by the setup of a checkout.
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

/** `check`: reading files of the user. */
export type InstallStep = 'fetch' | 'check' | 'unpack';

export interface InstallOptions extends Omit<FetchOptions, 'onProgress'> {
  name: string;
  variant: Variant;
  sources: readonly Source[];
  place?: CachePlace | undefined;
  /** Receives the current step and its progress over all archives. */
  onProgress?: ((step: InstallStep, progress: DownloadProgress) => void) | undefined;
  /** Receives lines for the user. */
  onNote?: ((text: string) => void) | undefined;
  /** Default: asks the system. */
  free?: FreeBytes | undefined;
}

export interface Installed {
  /** The folder that contains lib/. */
  folder: string;
  /** It was installed before, and nothing was done. */
  already: boolean;
}

/** A failure or an abort leaves only the parts of archives, from which the next call resumes. */
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
      `Could not install libtorch in ${root}: ${messageOf(cause)}. XDG_CACHE_HOME can name another folder`,
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

/** Whether an installed build works. If the sizes of its libraries are not known, it is loaded in a child process. */
export async function isUsable(
  folder: string,
  { libraries }: Variant,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (problemOf(folder) !== null) return false;
  if (libraries !== undefined && damage(folder, libraries) === null) return true;
  return (await verify(folder, { fresh: true, signal })) === null;
}

/** Returns the folder for the partial archives of a variant. */
export function partsFolder(target: string): string {
  return `${target}.parts`;
}

/** Adds each file to `files` as soon as it is open: the caller closes them, also after an error. */
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
    // A file that was already complete has reported no progress.
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
  return new LearnError('ERR_FILE', `${file} is not a zip archive that can be unpacked: ${messageOf(cause)}`, {
    cause,
  });
}

/** Layouts of the two archives that PyTorch publishes: the zip of libtorch, and the wheel. */
const layouts = ['libtorch/', 'torch/'].map((strip) => ({
  strip,
  members: ['lib', 'include', 'share', 'build-version', 'build-hash', 'version.py'].map((name) => strip + name),
}));

function chooserOf({ layout }: Source, zip: Zip, file: string): Choose {
  if (layout !== null) return chooser(layout);
  const names = new Set(zip.names);
  const found = layouts.find(({ strip }) => names.has(`${strip}lib/libtorch.so`));
  if (!found) {
    const text = `${file} is not libtorch: it holds neither libtorch/lib/libtorch.so nor torch/lib/libtorch.so. Nothing was changed`;
    throw new LearnError('ERR_LIBTORCH_NOT_FOUND', text);
  }
  if (found.strip === 'torch/' && names.has('torch/lib/libtorch_cuda.so')) {
    const text =
      `${file} is a wheel with CUDA, whose NVIDIA libraries are in other files. Use a zip of libtorch, or the torch of a ` +
      'Python installation: --from python. Nothing was changed';
    throw new LearnError('ERR_LIBTORCH_NOT_FOUND', text);
  }
  return chooser(found);
}

function chooser({ strip, members }: Pick<Archive, 'strip' | 'members'>): Choose {
  return (name) =>
    members.some((member) => name === member || name.startsWith(`${member}/`)) ? name.slice(strip.length) : null;
}

/** Renames `folder` to `target`, after moving a broken build out of the way. */
async function replace(folder: string, target: string): Promise<void> {
  const aside = `${target}.old-${randomUUID()}`;
  await fs.rename(target, aside).catch((cause) => {
    if (cause.code !== 'ENOENT') throw cause;
  });
  await fs.rename(folder, target);
  await fs.rm(aside, { recursive: true, force: true });
}

/** Removes temporary folders that a killed process left. Only the holder of the lock makes such folders. */
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
