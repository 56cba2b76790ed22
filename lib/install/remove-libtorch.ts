// Removes a build of libtorch from the cache.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { LearnError, messageOf } from '../core/errors';
import { withFileLock } from '../download/file-lock';
import { isThere } from '../files/stat';
import { type CachePlace, cacheRoot, readChoice, variantFolder } from '../libtorch/cache';
import { forgetChoice } from './choice';
import { partsFolder, removeAbandoned } from './install-libtorch';

/**
 * Removes the build, its unfinished downloads, and the choice of it. A process that has loaded it keeps it. Returns false if
 * nothing was installed.
 */
export async function removeVariant(name: string, place: CachePlace = {}, signal?: AbortSignal): Promise<boolean> {
  const target = variantFolder(name, place);
  try {
    // Checked before locking, which would create the folder.
    if (!isThere(place.root ?? cacheRoot())) return false;
    return await withFileLock(`${target}.lock`, signal, async () => {
      const there = isThere(target) || isThere(partsFolder(target));
      // Renamed first, so that no process finds half of it.
      if (isThere(target)) await fs.rename(target, `${target}.old-${randomUUID()}`);
      await fs.rm(partsFolder(target), { recursive: true, force: true });
      const choice = readChoice(place);
      if (choice !== null && 'variant' in choice && choice.variant === name) await forgetChoice(place);
      await removeAbandoned(target);
      return there;
    });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof LearnError) throw cause;
    throw new LearnError('ERR_FILE', `Could not remove ${target}: ${messageOf(cause)}`, { cause });
  }
}
