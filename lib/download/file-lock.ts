// Lets one process at a time do something, by a file that only one can create. For everything that downloads.
import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LearnError } from '../core/errors';

export interface LockTimes {
  pollMs: number;
  heartbeatMs: number;
  /** A holder that shows no sign of life for so long is gone. */
  staleMs: number;
}

const usualTimes: LockTimes = { pollMs: 100, heartbeatMs: 2_000, staleMs: 30_000 };

/**
 * Waits until `lock` is free, holds it while `work` runs, and removes it. `onWait` is called if it has to wait. A process that
 * stood still for long (Ctrl-Z, a suspended machine) may find that another has taken the lock: the signal that `work` is given,
 * which is that of the caller too, then aborts with ERR_BUSY, and the other's lock stays.
 */
export async function withFileLock<T>(
  lock: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  onWait?: () => void,
  { pollMs, heartbeatMs, staleMs }: LockTimes = usualTimes,
): Promise<T> {
  const own = JSON.stringify({ ...thisProcess(), token: randomUUID() });
  for (let told = false; !(await tryCreate(lock, own)); ) {
    if ((await isAbandoned(lock, staleMs)) && (await removeAbandoned(lock, own, staleMs))) continue;
    if (!told) onWait?.();
    told = true;
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
  const lost = new AbortController();
  const beat = async () => {
    if (await holds(lock, own)) await fs.utimes(lock, new Date(), new Date());
    else lost.abort(takenOver(lock));
  };
  // A disk that fails for a moment is no loss: the next beat looks again.
  const heartbeat = setInterval(() => void beat().catch(() => {}), heartbeatMs);
  heartbeat.unref();
  try {
    return await work(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal);
  } catch (cause) {
    signal?.throwIfAborted();
    // The new holder removes what it finds, so the work may have failed before a beat told.
    throw (await holds(lock, own)) ? cause : takenOver(lock, cause);
  } finally {
    clearInterval(heartbeat);
    if (await holds(lock, own)) await fs.rm(lock, { force: true });
  }
}

function takenOver(lock: string, cause?: unknown): LearnError {
  return new LearnError(
    'ERR_BUSY',
    `This process stood still for so long that another one went on with its work, or ${lock} was removed. Run it again: it ` +
      'waits for the other one and keeps what that one did',
    { cause },
  );
}

/**
 * Only one process at a time, which looks again: who found the same dead holder a moment ago would else remove the lock of
 * whoever was faster. False where another is at it.
 */
async function removeAbandoned(lock: string, own: string, staleMs: number): Promise<boolean> {
  const guard = `${lock}.takeover`;
  if (!(await tryCreate(guard, own))) {
    if (await isOld(guard, staleMs).catch(() => false)) await fs.rm(guard, { force: true });
    return false;
  }
  try {
    // Earlier versions of the set-up made a folder of it.
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
    // Containers may share a host's name and a disk, but not process ids: there only time tells.
    return host === here.host && pidNamespace !== null && pidNamespace === here.pidNamespace && !isAlive(pid);
  } catch {
    return false; // gone, or not yet written: try again
  }
}

interface Holder {
  host: string;
  /** null where the system does not say. */
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
