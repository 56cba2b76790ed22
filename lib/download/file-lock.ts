// A lock file that lets one process at a time do something. For downloads and installations.
//
//  1. The lock is the file itself: only one process can create it. It names the host, PID namespace, process and a token.
//  2. The holder touches the file every `heartbeatMs`. A file that is older than `staleMs` is abandoned, and so is one whose
//     process has ended, if it is of the same host and PID namespace.
//  3. An abandoned lock is removed under a second lock, `.takeover`, after another check. Without it, two processes that saw
//     the same dead holder could each remove the lock of the other.
//  4. A holder that finds another token in the file has lost the lock: it aborts with ERR_BUSY and leaves the file.
import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LearnError } from '../core/errors';

export interface LockTimes {
  pollMs: number;
  heartbeatMs: number;
  /** Age of the last heartbeat after which the lock is abandoned. */
  staleMs: number;
}

const usualTimes: LockTimes = { pollMs: 100, heartbeatMs: 2_000, staleMs: 30_000 };

/**
 * Waits until `lock` is free, holds it while `work` runs, and removes it. Calls `onWait` if it has to wait. A process that was
 * suspended for long (Ctrl-Z, a sleeping machine) may have lost the lock to another one. The signal passed to `work`, which
 * also follows the caller's, then aborts with ERR_BUSY, and the other process's lock stays.
 */
export async function withFileLock<T>(
  lock: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  onWait?: () => void,
  { pollMs, heartbeatMs, staleMs }: LockTimes = usualTimes,
): Promise<T> {
  const own = JSON.stringify({ ...thisProcess(), token: randomUUID() });
  for (let reported = false; !(await tryCreate(lock, own)); ) {
    if ((await isAbandoned(lock, staleMs)) && (await removeAbandoned(lock, own, staleMs))) continue;
    if (!reported) onWait?.();
    reported = true;
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
  const lost = new AbortController();
  const beat = async () => {
    if (await holds(lock, own)) await fs.utimes(lock, new Date(), new Date());
    else lost.abort(takenOver(lock));
  };
  // A failure of the disk is not yet a lost lock: the next heartbeat checks again.
  const heartbeat = setInterval(() => void beat().catch(() => {}), heartbeatMs);
  heartbeat.unref();
  try {
    return await work(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal);
  } catch (cause) {
    signal?.throwIfAborted();
    // The new holder removes leftovers, so the work may fail before a heartbeat notices the loss.
    throw (await holds(lock, own)) ? cause : takenOver(lock, cause);
  } finally {
    clearInterval(heartbeat);
    if (await holds(lock, own)) await fs.rm(lock, { force: true });
  }
}

function takenOver(lock: string, cause?: unknown): LearnError {
  return new LearnError(
    'ERR_BUSY',
    `This process was suspended for so long that another one took over its work, or ${lock} was removed. Run it again: it ` +
      'waits for the other process and keeps its result',
    { cause },
  );
}

/**
 * Removes an abandoned lock by rule 3. Returns false if another process is removing it.
 */
async function removeAbandoned(lock: string, own: string, staleMs: number): Promise<boolean> {
  const guard = `${lock}.takeover`;
  if (!(await tryCreate(guard, own))) {
    if (await isOld(guard, staleMs).catch(() => false)) await fs.rm(guard, { force: true });
    return false;
  }
  try {
    // In earlier versions the setup's lock was a folder.
    if (await isAbandoned(lock, staleMs)) await fs.rm(lock, { recursive: true, force: true });
    return true;
  } finally {
    await fs.rm(guard, { force: true });
  }
}

async function tryCreate(lock: string, contents: string): Promise<boolean> {
  try {
    await fs.writeFile(lock, contents, { flag: 'wx' });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

async function holds(lock: string, own: string): Promise<boolean> {
  try {
    return (await fs.readFile(lock, 'utf8')) === own;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw cause;
  }
}

async function isOld(file: string, staleMs: number): Promise<boolean> {
  return Date.now() - (await fs.stat(file)).mtimeMs > staleMs;
}

async function isAbandoned(lock: string, staleMs: number): Promise<boolean> {
  try {
    if (await isOld(lock, staleMs)) return true;
    const { host, pidNamespace, pid } = JSON.parse(await fs.readFile(lock, 'utf8'));
    const here = thisProcess();
    // Containers may share a host name and a disk but not process ids: there only the age counts.
    return host === here.host && pidNamespace !== null && pidNamespace === here.pidNamespace && !isAlive(pid);
  } catch {
    return false; // gone, or not yet written: try again
  }
}

interface Holder {
  host: string;
  /** null if the system does not report it. */
  pidNamespace: string | null;
  pid: number;
}

function thisProcess(): Holder {
  let pidNamespace: string | null = null;
  try {
    pidNamespace = readlinkSync('/proc/self/ns/pid');
  } catch {}
  return { host: os.hostname(), pidNamespace, pid: process.pid };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}
