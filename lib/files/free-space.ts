// Checks that there is enough space on a disk before anything is written.
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError } from '../core/errors';
import { bytes as sized } from '../core/format';
import { nearestThatExists } from './stat';

/** Returns the free bytes of the file system of `folder`, which need not exist yet. */
export type FreeBytes = (folder: string) => Promise<number>;

export const freeBytes: FreeBytes = async (folder) => {
  const { bavail, bsize } = await fs.statfs(nearestThatExists(path.resolve(folder)));
  return bavail * bsize;
};

/** Reserve for other writes to that disk in the meantime. */
const spare = 20_000_000;

/** Throws unless `needed` bytes and a reserve fit. */
export async function checkSpace(folder: string, needed: number, free: FreeBytes): Promise<void> {
  const there = await free(folder);
  if (needed + spare <= there) return;
  throw new LearnError(
    'ERR_DOWNLOAD',
    `Not enough space: ${sized(needed + spare)} are needed in ${folder}, and ${sized(there)} are free. Free some space, or ` +
      'name a folder on another disk in XDG_CACHE_HOME',
  );
}
