// Lets one process at a time do something, by a file that only one can create. For everything that downloads.
import fs from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 100;
const heartbeatMs = 2_000;
/** A holder that shows no sign of life for so long is gone. */
const staleMs = 30_000;

/** Waits until `lock` is free, holds it while `work` runs, and removes it. `onWait` is called if it has to wait. */
export async function withFileLock<T>(
  lock: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
  onWait?: () => void,
): Promise<T> {
  for (let told = false; !(await tryCreate(lock)); ) {
    if ((await isAbandoned(lock)) && (await removeAbandoned(lock))) continue;
    if (!told) onWait?.();
    told = true;
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
  const heartbeat = setInterval(() => void fs.utimes(lock, new Date(), new Date()).catch(() => {}), heartbeatMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await fs.rm(lock, { force: true });
  }
}

/**
 * Only one process at a time, which looks again: who found the same dead holder a moment ago would else remove the lock of
 * whoever was faster. False where another is at it.
 */
async function removeAbandoned(lock: string): Promise<boolean> {
  const guard = `${lock}.takeover`;
  if (!(await tryCreate(guard))) {
    if (await isOld(guard).catch(() => false)) await fs.rm(guard, { force: true });
    return false;
  }
  try {
    // Earlier versions of the set-up made a folder of it.
    if (await isAbandoned(lock)) await fs.rm(lock, { recursive: true, force: true });
    return true;
  } finally {
    await fs.rm(guard, { force: true });
  }
}

async function tryCreate(lock: string): Promise<boolean> {
  try {
    await fs.writeFile(lock, JSON.stringify({ host: os.hostname(), pid: process.pid }), { flag: 'wx' });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

async function isOld(file: string): Promise<boolean> {
  return Date.now() - (await fs.stat(file)).mtimeMs > staleMs;
}

async function isAbandoned(lock: string): Promise<boolean> {
  try {
    if (await isOld(lock)) return true;
    const { host, pid } = JSON.parse(await fs.readFile(lock, 'utf8'));
    return host === os.hostname() && !isAlive(pid);
  } catch {
    return false; // gone, or not yet written: try again
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}
