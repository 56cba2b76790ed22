// Lock of a learner's folder, operations on its files, and the meaning of the system's errors.
import { type BigIntStats, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fromNativeSync, LearnError, messageOf } from '../../core/errors';
import { syncFolder } from '../../files/atomic-write';
import { flush } from '../../files/flush';
import type { LockHandle } from '../../native/handles';
import { native } from '../../native/native';

const betweenTriesMs = 50;

/** A folder that one process owns at a time. */
export class FolderLock {
  readonly #folder: string;
  readonly #handle: LockHandle;
  readonly #identity: string;

  /** Tries for `waitMs` milliseconds. Rejects with ERR_BUSY, naming the owner, if the folder still has another; `signal` ends it. */
  static async take(folder: string, waitMs: number, signal: AbortSignal | undefined): Promise<FolderLock> {
    const end = performance.now() + waitMs;
    for (;;) {
      try {
        return new FolderLock(folder);
      } catch (cause) {
        const left = end - performance.now();
        if (!(cause instanceof LearnError && cause.code === 'ERR_BUSY' && left > 0)) throw cause;
        await setTimeout(Math.min(left, betweenTriesMs), undefined, { signal }).catch(() => signal?.throwIfAborted());
      }
    }
  }

  /** Throws ERR_BUSY, naming the owner, if the folder has another. */
  constructor(folder: string) {
    const owner = `process ${process.pid} on ${os.hostname()}, since ${new Date().toISOString()}`;
    this.#folder = folder;
    this.#handle = fromNativeSync(() => native().lockFile(path.join(folder, 'lock'), owner));
    this.#identity = identityOf(statSync(folder, { bigint: true }));
  }

  /**
   * Rejects unless the folder's path still leads to the locked folder. Its inode is not reused, since the lock keeps it open.
   * Otherwise a moved or deleted learner would write to another folder at its old path.
   */
  async check(): Promise<void> {
    const now = await fs.stat(this.#folder, { bigint: true }).then(identityOf, messageOf);
    if (now === this.#identity) return;
    throw new LearnError(
      'ERR_JOURNAL',
      `${this.#folder} is no longer the folder of this learner: it was moved or deleted while the learner was open`,
    );
  }

  release(): void {
    native().unlockFile(this.#handle);
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev} ${ino}`;
}

const ownNames =
  /^(lock|versions|pending\.json|quarantine\.ndjson(\.1)?|(journal|snapshot|pending|joined|version)-\d+\.\w+|constant-[\da-f]+\.bin)$/;

/** Throws ERR_FILE if a file of a learner's folder is a link, by which others could choose the file that is written. */
export async function refuseLinks(folder: string): Promise<void> {
  for (const [at, listing] of [folder, path.join(folder, 'versions')].entries()) {
    const entries = await fs.readdir(listing, { withFileTypes: true }).catch((cause) => {
      if (at > 0 && cause.code === 'ENOENT') return [];
      throw cause;
    });
    const link = entries.find((entry) => entry.isSymbolicLink() && ownNames.test(entry.name));
    if (!link) continue;
    throw new LearnError(
      'ERR_FILE',
      `${path.join(listing, link.name)} is a symbolic link, which a learner neither reads nor writes. Put the file itself there, or ` +
        'remove the link',
    );
  }
}

/** Copies files to a new folder in a learner's own, and returns its name. Missing files are ignored. */
export async function copyAside(folder: string, names: readonly string[]): Promise<string> {
  const name = `lost-${new Date().toISOString()}`;
  const lost = path.join(folder, name);
  await fs.mkdir(lost);
  for (const file of names) {
    const [from, to] = [path.join(folder, file), path.join(lost, file)];
    // Some file systems have no links.
    await fs
      .link(from, to)
      .catch(() => fs.copyFile(from, to))
      .catch(ignoreMissing);
  }
  await syncFolder(lost);
  await syncFolder(folder);
  return name;
}

function ignoreMissing(cause: NodeJS.ErrnoException): void {
  if (cause.code !== 'ENOENT') throw cause;
}

/** Moves files of a folder into another one in it. Missing files are ignored. */
export async function moveInto(lost: string, folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await fs.rename(path.join(folder, name), path.join(lost, path.basename(name))).catch(ignoreMissing);
  }
  await syncFolder(lost);
  await syncFolder(folder);
}

/** Syncs a file's bytes and length. */
export async function syncFile(file: string): Promise<void> {
  const handle = await fs.open(file, 'r+');
  try {
    await flush(handle);
  } finally {
    await handle.close();
  }
}

/** Converts an error of the system to ERR_FILE; other errors stay as they are. */
export function asFileError(cause: unknown): unknown {
  return cause instanceof Error && 'errno' in cause ? new LearnError('ERR_FILE', messageOf(cause), { cause }) : cause;
}

/** Whether the system failed to read or write a file. */
export function isOfSystem(cause: unknown): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) if ('errno' in error) return true;
  return false;
}

/** Errors of the system that say nothing about a file's contents, and may be temporary. */
const shortages: ReadonlySet<unknown> = new Set([
  ...['ENOMEM', 'EMFILE', 'ENFILE', 'EAGAIN', 'ENOSPC', 'EDQUOT'],
  ...['EACCES', 'EPERM', 'EROFS'],
]);

/** Whether a failure is a shortage of memory, threads, descriptors, disk space or permissions. */
export function isShortage(cause: unknown): boolean {
  return isDenied(cause) || hasCode(cause, (code) => code === 'ERR_OUT_OF_MEMORY');
}

/** Whether the system refused access to a file. */
export function isDenied(cause: unknown): boolean {
  return hasCode(cause, (code) => shortages.has(code));
}

function hasCode(cause: unknown, isWanted: (code: unknown) => boolean): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (isWanted((error as { code?: unknown }).code)) return true;
  }
  return false;
}
