// Counts of remembered predictions whose files are removed: a small file, replaced before the files are removed.
import fs from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../core/errors';
import { replaceFile } from '../../files/atomic-write';

const name = 'pending.json';
const kinds = ['joined', 'expired', 'lost'] as const;

export interface SavedCounts extends Record<(typeof kinds)[number], number> {
  /** Numbers of files that are counted here, and may still exist. */
  removing: number[];
}

/** Never rejects: counts that cannot be read start again from 0. */
export async function readCounts(folder: string): Promise<{ saved: SavedCounts; problem?: string }> {
  const none = { joined: 0, expired: 0, lost: 0, removing: [] };
  const file = path.join(folder, name);
  try {
    const saved = JSON.parse(await fs.readFile(file, 'utf8')) as SavedCounts;
    if ([...kinds.map((kind) => saved[kind]), ...saved.removing].every(Number.isSafeInteger)) return { saved };
    return { saved: none, problem: `the counts in ${file}: they are invalid` };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { saved: none };
    return { saved: none, problem: `the counts in ${file}: ${messageOf(cause)}` };
  }
}

export function writeCounts(folder: string, saved: SavedCounts): Promise<void> {
  const write = (temporary: string, mode: number) =>
    fs.writeFile(temporary, `${JSON.stringify(saved)}\n`, { mode, flush: true, flag: 'wx' });
  return replaceFile(path.join(folder, name), write, { links: 'replace' });
}
