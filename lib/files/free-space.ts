// Whether there is room for what is to be written, told before it is.
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError } from '../core/errors';
import { bytes as sized } from '../core/format';
import { nearestThatExists } from './stat';

/** In bytes, of the file system that `folder` is or will be on. */
export type FreeBytes = (folder: string) => Promise<number>;

export const freeBytes: FreeBytes = async (folder) => {
  const { bavail, bsize } = await fs.statfs(nearestThatExists(path.resolve(folder)));
  return bavail * bsize;
};

/** For what else happens on that disk meanwhile. */
const spare = 20_000_000;

/** Throws unless `needed` bytes and a little more fit. */
export async function checkSpace(folder: string, needed: number, free: FreeBytes): Promise<void> {
  const there = await free(folder);
  if (needed + spare <= there) return;
  throw new LearnError(
    'ERR_DOWNLOAD',
    `There is no room for it: ${sized(needed + spare)} are needed in ${folder}, and ${sized(there)} are free. Make room, or ` +
      'name a folder on another disk in XDG_CACHE_HOME',
  );
}
