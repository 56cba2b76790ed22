// Takes away what a learner's folder no longer needs.
import fs from 'node:fs/promises';
import path from 'node:path';
import { inspectFile } from '../../checkpoint/inspect';
import type { VersionFiles } from '../versions/files';
import type { VersionInfo } from '../versions/version';
import { journalFiles } from './journal-format';
import type { SavedCore } from './learner-state';
import { isOfSystem, isShortage } from './lock';
import { type SnapshotFile, snapshotFiles } from './snapshot';

/**
 * After a new snapshot, removes older ones and the journal before them. Always kept: the one before the new one, from which a
 * learner resumes if the new one cannot be read. Kept while all together take no more than `maxBytes`: those from which a version
 * of `kept` can be made again.
 */
export async function prune(
  folder: string,
  files: VersionFiles,
  kept: readonly VersionInfo[],
  maxBytes: number,
): Promise<void> {
  const snapshots = await snapshotFiles(folder);
  const journals = journalFiles(folder);
  const sizes = new Map<string, number>();
  for (const file of [...snapshots, ...journals]) sizes.set(file.path, (await fs.stat(file.path)).size);
  /** Snapshot number `base` and all that came behind it. */
  const from = (base: number) => {
    const { sequence } = snapshots[base]!;
    const behind = journals.filter(({ first }) => first > sequence);
    return [...snapshots.slice(base), ...behind].map((file) => file.path);
  };
  const bytes = (base: number) => from(base).reduce((sum, file) => sum + sizes.get(file)!, 0);
  const first = Math.min(...kept.flatMap(({ records }) => (records ? [records.from - 1] : [])));
  const needed = snapshots.findLastIndex(({ sequence }) => sequence <= first);
  const before = Math.max(0, snapshots.length - 2);
  let base = Math.max(0, Math.min(needed, before));
  while (base < before && bytes(base) > maxBytes) base++;
  const staying = new Set(from(base));
  // Snapshots before journals, the oldest first: whatever is left by a crash in between, each snapshot has its journal.
  for (const file of [...snapshots, ...journals]) if (!staying.has(file.path)) await fs.rm(file.path);
  await removeTemporary(folder);
  // Who goes on from an older snapshot needs the versions of then.
  const versions = new Set(kept.map(({ version }) => version));
  for (const snapshot of snapshots.slice(base, -1)) {
    for (const version of await versionsOf(snapshot)) versions.add(version);
  }
  await files.keep([...versions]);
}

/** Its tensors are not read: there may be many. */
async function versionsOf({ path: file }: SnapshotFile): Promise<number[]> {
  try {
    const { metadata } = await inspectFile(file, { key: ['model'] });
    const { core } = JSON.parse(metadata.get('learner') as string) as { core: SavedCore };
    return core.versions.map(({ version }) => version);
  } catch (cause) {
    // A snapshot that is damaged needs no versions. One that cannot be read now may be read again, and needs its own then.
    if (isShortage(cause) || isOfSystem(cause)) throw cause;
    return [];
  }
}

/** What is left of snapshots whose process was killed: only this learner writes here, and it writes none now. */
async function removeTemporary(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (/^\.snapshot-.*\.tmp$/.test(name)) await fs.rm(path.join(folder, name));
  }
}
