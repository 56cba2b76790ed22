// A learner's folder: locked by one owner at a time; and what the system says of its files.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fromNativeSync, LearnError, messageOf } from '../errors';
import { flush } from '../flush';
import { type LockHandle, native } from '../native';

/** Throws ERR_BUSY, with whom, where another has the folder. */
export function lockFolder(folder: string): LockHandle {
  const owner = `process ${process.pid} on ${os.hostname()}, since ${new Date().toISOString()}`;
  return fromNativeSync(() => native().lockFile(path.join(folder, 'lock'), owner));
}

/** Puts a file's bytes, or its new length, on the disk. */
export async function syncFile(file: string): Promise<void> {
  const handle = await fs.open(file, 'r+');
  try {
    await flush(handle);
  } finally {
    await handle.close();
  }
}

/** What the system said of a file, as this library's error; any other error as it is. */
export function asFileError(cause: unknown): unknown {
  const isOfSystem = cause instanceof Error && 'syscall' in cause && 'errno' in cause;
  return isOfSystem ? new LearnError('ERR_FILE', messageOf(cause), { cause }) : cause;
}
