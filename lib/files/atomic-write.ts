// Replaces a file atomically: readers see the old file or the new one, also after a crash or with a full disk.
//
//  1. The new content goes into a temporary file in the same folder: .<name>.torch-incremental-<machine>-<pid>-<random>.tmp
//  2. It is synced, gets the old file's mode, and is renamed. Then the folder is synced.
//  3. A symbolic link is followed, unless `links` is 'replace'.
//  4. Temporary files of processes that have ended, or that are older than an hour, are removed.
import { createHash, randomBytes } from 'node:crypto';
import { constants, readlinkSync, type Stats } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { plain } from '../core/checks';
import { LearnError, messageOf } from '../core/errors';
import { flush } from './flush';

/** Age after which a temporary file counts as left by a killed process, on whichever machine that ran. */
const staleAfterMs = 60 * 60 * 1000;
/** Length of the file's name in a temporary name, which may have 255 bytes. */
const maxPrefixBytes = 180;

export interface ReplaceOptions {
  signal?: AbortSignal | undefined;
  /** Default: 'follow'. 'replace' is for our own folders, in which a link must not redirect a write. */
  links?: 'follow' | 'replace';
}

/**
 * Calls `write` with the path and mode of a file to create and sync, then renames it to `file` with the old file's mode. A
 * symbolic link is kept and its target replaced; with `links: 'replace'` the link itself is replaced. After an error or an
 * abort nothing has changed.
 */
export async function replaceFile(
  file: string,
  write: (temporary: string, mode: number) => Promise<void>,
  options: ReplaceOptions = {},
): Promise<void> {
  const { signal, links = 'follow' } = plain(options);
  signal?.throwIfAborted();
  const { target, old } = await findTarget(file, links);
  await removeStale(target);
  const temporary = temporaryFor(target);
  try {
    // Never wider than the old mode, so that private weights stay private while they are written.
    await write(temporary, old ? old.mode & 0o777 : 0o666);
    signal?.throwIfAborted();
    if (old) await fs.chmod(temporary, old.mode & 0o7777);
    await fs.rename(temporary, target);
  } catch (cause) {
    await fs.rm(temporary, { force: true });
    if (signal?.aborted && cause === signal.reason) throw cause;
    throw cannotWrite(file, `${messageOf(cause)}. The previous content is unchanged`, cause);
  }
  await syncFolder(path.dirname(target));
}

/** Throws unless `file` can be created or replaced. Creates a file next to it, because only the system knows all obstacles. */
export async function checkWritable(file: string): Promise<void> {
  const { target } = await findTarget(file);
  const trial = temporaryFor(target);
  try {
    await (await fs.open(trial, 'wx', 0o600)).close();
  } catch (cause) {
    throw cannotWrite(file, `no file can be created in ${path.dirname(target)} (${messageOf(cause)})`, cause);
  } finally {
    await fs.rm(trial, { force: true });
  }
}

/** Returns the path to write, and the status of the file that is there now. */
async function findTarget(
  file: string,
  links: ReplaceOptions['links'] = 'follow',
): Promise<{ target: string; old: Stats | undefined }> {
  const target = links === 'follow' ? await followLink(file) : path.resolve(file);
  const old = await statOf(target);
  if (old?.isDirectory()) throw cannotWrite(file, 'it is a folder; name a file in it');
  if (old && !old.isFile()) throw cannotWrite(file, 'it is a pipe or a device, not a file');
  const folder = path.dirname(target);
  const parent = await statOf(folder);
  if (!parent) throw cannotWrite(file, `the folder ${folder} does not exist; make it with: mkdir -p ${folder}`);
  if (!parent.isDirectory()) throw cannotWrite(file, `${folder} is not a folder`);
  // A rename would replace even a write-protected file.
  if (old) await checkAccess(file, target);
  return { target, old };
}

async function checkAccess(file: string, target: string): Promise<void> {
  try {
    await fs.access(target, constants.W_OK);
  } catch (cause) {
    throw cannotWrite(file, `it is write-protected (${messageOf(cause)})`, cause);
  }
}

function cannotWrite(file: string, problem: string, cause?: unknown): LearnError {
  const code = cause instanceof LearnError ? cause.code : 'ERR_FILE';
  return new LearnError(code, `Cannot write to ${file}: ${problem}`, { cause });
}

/** Returns the end of a chain of links, whether or not it exists. */
async function followLink(file: string): Promise<string> {
  try {
    return await fs.realpath(file);
  } catch {
    const link = await fs.readlink(file).catch(() => undefined);
    return link === undefined ? path.resolve(file) : path.resolve(path.dirname(file), link);
  }
}

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await fs.stat(file);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw cannotWrite(file, messageOf(cause), cause);
  }
}

/** Returns the prefix of temporary files: hidden, and different from all other files of the folder. */
function prefixOf(target: string): string {
  const name = Buffer.from(path.basename(target))
    .subarray(0, maxPrefixBytes)
    .toString('utf8')
    .replace(/\uFFFD/g, '');
  return `.${name}.torch-incremental-`;
}

/**
 * Identifies the machine and the PID namespace in which a process id is valid: containers may share the name of their host,
 * and files.
 */
const machine = createHash('sha256').update(`${os.hostname()} ${pidNamespace()}`).digest('hex').slice(0, 8);

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux.
    return '';
  }
}

function temporaryFor(target: string): string {
  const unique = `${machine}-${process.pid}-${randomBytes(6).toString('hex')}`;
  return path.join(path.dirname(target), `${prefixOf(target)}${unique}.tmp`);
}

async function removeStale(target: string): Promise<void> {
  const folder = path.dirname(target);
  const prefix = prefixOf(target);
  for (const name of await fs.readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue;
    const file = path.join(folder, name);
    if (isAbandoned(name.slice(prefix.length)) || (await isOld(file))) await fs.rm(file, { force: true });
  }
}

/** Whether the process that made the file has ended. */
function isAbandoned(unique: string): boolean {
  const [where, pid] = unique.split('-');
  if (where !== machine || !/^\d+$/.test(pid ?? '')) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function isOld(file: string): Promise<boolean> {
  const stat = await statOf(file);
  return stat !== undefined && Date.now() - stat.mtimeMs > staleAfterMs;
}

/** Syncs a folder, so that new and removed names are on the disk. Some network file systems cannot, and need not. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await flush(handle);
  } catch (cause) {
    if (!['EINVAL', 'ENOTSUP'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
  } finally {
    await handle.close();
  }
}
