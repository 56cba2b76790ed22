// Replaces a file all at once: whoever looks sees the old one or the new one, also after a crash or with a full disk.
import { createHash, randomBytes } from 'node:crypto';
import { constants, readlinkSync, type Stats } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { plain } from '../core/checks';
import { LearnError, messageOf } from '../core/errors';
import { flush } from './flush';

/** A temporary file that nobody has written to for so long was left by a process that was killed, on whatever machine. */
const staleAfterMs = 60 * 60 * 1000;
/** Room in a file name (255 bytes) for the letters that temporary names add. */
const maxPrefixBytes = 180;

export interface ReplaceOptions {
  signal?: AbortSignal | undefined;
  /** Default: 'follow'. In a folder of our own nobody else chooses what is written to. */
  links?: 'follow' | 'replace';
}

/**
 * Calls `write` with the name and mode of a file to be made and written to the disk, then gives it the name `file` and
 * the old file's mode. A symbolic link stays one: what it points to is replaced; with `links: 'replace'` the
 * link itself is. With an error, or an abort, nothing is changed.
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
    // Never wider than the old mode, so that private weights are private also while they are written.
    await write(temporary, old ? old.mode & 0o777 : 0o666);
    signal?.throwIfAborted();
    if (old) await fs.chmod(temporary, old.mode & 0o7777);
    await fs.rename(temporary, target);
  } catch (cause) {
    await fs.rm(temporary, { force: true });
    if (signal?.aborted && cause === signal.reason) throw cause;
    throw cannotWrite(file, `${messageOf(cause)}. What was there before is unchanged`, cause);
  }
  await syncFolder(path.dirname(target));
}

/** Throws unless `file` can be made or replaced, by making a file beside it: only the system knows all that forbids it. */
export async function checkWritable(file: string): Promise<void> {
  const { target } = await findTarget(file);
  const trial = temporaryFor(target);
  try {
    await (await fs.open(trial, 'wx', 0o600)).close();
  } catch (cause) {
    throw cannotWrite(file, `no file can be made in ${path.dirname(target)} (${messageOf(cause)})`, cause);
  } finally {
    await fs.rm(trial, { force: true });
  }
}

/** What is to be written, and what is there now. */
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
  // A rename would replace a file that its owner has protected.
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

/** Where a chain of links ends, whether or not something is there. */
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

/** Hidden, and to be told from all other files of the folder. */
function prefixOf(target: string): string {
  const name = Buffer.from(path.basename(target))
    .subarray(0, maxPrefixBytes)
    .toString('utf8')
    .replace(/\uFFFD/g, '');
  return `.${name}.torch-incremental-`;
}

/**
 * Process numbers mean something on one machine only, and there in one namespace of numbers: containers may share the name of their
 * host, and each other's files.
 */
const machine = createHash('sha256').update(`${os.hostname()} ${pidNamespace()}`).digest('hex').slice(0, 8);

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Another system than Linux.
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

/** Its process is gone. */
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

/** Puts new names themselves on the disk, and takes removed ones off it. Some network file systems cannot, and need not. */
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
