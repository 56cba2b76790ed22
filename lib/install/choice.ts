// Records and removes the choice of `torch-incremental libtorch use`. cache.ts reads it.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError, messageOf } from '../core/errors';
import { isThere } from '../files/stat';
import { type CachePlace, type Choice, choiceFile } from '../libtorch/cache';

/** Writes the choice atomically: a process that looks for libtorch at the same time sees the old choice or the new one. */
export async function writeChoice(choice: Choice, place: CachePlace = {}): Promise<void> {
  const file = choiceFile(place);
  const beside = `${file}.${randomUUID()}`;
  try {
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(beside, `${JSON.stringify(choice)}\n`, { flush: true });
    await fs.rename(beside, file);
  } catch (cause) {
    await fs.rm(beside, { force: true }).catch(() => {});
    throw new LearnError(
      'ERR_FILE',
      `Cannot record the choice in ${file}: ${messageOf(cause)}. XDG_CACHE_HOME can name another folder`,
      { cause },
    );
  }
}

/** Removes the choice. Returns false if none existed. */
export async function forgetChoice(place: CachePlace = {}): Promise<boolean> {
  const file = choiceFile(place);
  try {
    await fs.rm(file);
    return true;
  } catch (cause) {
    if (!isThere(file)) return false;
    throw new LearnError('ERR_FILE', `Cannot remove the choice in ${file}: ${messageOf(cause)}`, { cause });
  }
}
