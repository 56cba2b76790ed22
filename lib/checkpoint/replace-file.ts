// Files that appear whole or not at all: written in a temporary folder beside the target, synced, and renamed over it.
import type { Stats } from 'node:fs';
import { access, chmod, constants, mkdtemp, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { LearnError, messageOf } from '../errors';

/** Throws ERR_FILE unless `file` could be written now: its folder is there and writable, and it is no folder itself. */
export async function checkWritable(file: string): Promise<void> {
  const { target } = await resolveTarget(file);
  // Only trying tells: to root, and on file systems with rules of their own, permissions say little.
  try {
    await rm(await makeTemporary(target), { recursive: true });
  } catch (cause) {
    throw fileError(`Cannot write to ${file}`, cause);
  }
}

/**
 * Calls `write` with the path of a file that does not exist, and puts what it wrote in the place of `file`. On any failure,
 * and when `signal` aborts before the end, what was there stays.
 */
export async function replaceFile(
  file: string,
  write: (temporary: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const { target, existing } = await resolveTarget(file);
  const folder = path.dirname(target);
  await removeLeftovers(target);
  let temporary: string | undefined;
  try {
    temporary = await makeTemporary(target);
    const written = path.join(temporary, path.basename(target));
    await write(written);
    if (existing) await chmod(written, existing.mode & 0o7777);
    await sync(written);
    signal?.throwIfAborted();
    await rename(written, target);
    await sync(folder);
  } catch (cause) {
    if (cause instanceof LearnError || signal?.aborted) throw cause;
    throw fileError(`Cannot save ${file}`, cause);
  } finally {
    if (temporary) await rm(temporary, { recursive: true, force: true });
  }
}

async function resolveTarget(file: string): Promise<{ target: string; existing: Stats | undefined }> {
  try {
    const existing = await stat(file).catch(ignoreMissing);
    if (existing && !existing.isFile())
      throw new Error(existing.isDirectory() ? 'it is a folder' : 'it is no regular file');
    // The file that a symbolic link points to is the one to replace.
    const target = existing ? await realpath(file) : path.join(await realpath(path.dirname(file)), path.basename(file));
    await access(path.dirname(target), constants.W_OK | constants.X_OK);
    return { target, existing };
  } catch (cause) {
    throw fileError(`Cannot write to ${file}`, cause);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** A folder, so that the file in it can have its final name, which torch.save writes into the file. */
function makeTemporary(target: string): Promise<string> {
  return mkdtemp(path.join(path.dirname(target), `${prefix(target)}${process.pid}-`));
}

function prefix(target: string): string {
  return `.${path.basename(target)}.saving-`;
}

/** What processes that were killed while saving this file left behind. */
async function removeLeftovers(target: string): Promise<void> {
  const folder = path.dirname(target);
  const start = prefix(target);
  for (const name of await readdir(folder)) {
    const owner = name.startsWith(start) ? Number.parseInt(name.slice(start.length), 10) : Number.NaN;
    if (owner > 0 && !isRunning(owner)) await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function fileError(what: string, cause: unknown): LearnError {
  return new LearnError('ERR_FILE', `${what}: ${messageOf(cause)}`, { cause });
}
