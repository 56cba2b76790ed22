// Takes away what a learner's folder no longer needs.
import fs from 'node:fs/promises';
import path from 'node:path';
import { inspectFile } from '../checkpoint/inspect';
import { journalFiles } from './journal-format';
import type { SavedCore } from './setting';
import { type SnapshotFile, snapshotFiles } from './snapshot';
import type { VersionFiles, VersionInfo } from './versions';

/**
 * Behind a new snapshot: older ones go, and the journal before them, but for the one before it, from which a learner goes on if
 * the new one cannot be read, and for those from which a version of `kept` can be made again; and these too, oldest first, where
 * all together take more than `maxBytes`.
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
  let base = Math.max(0, Math.min(needed, snapshots.length - 2));
  while (base < snapshots.length - 1 && bytes(base) > maxBytes) base++;
  const staying = new Set(from(base));
  for (const file of [...journals, ...snapshots]) if (!staying.has(file.path)) await fs.rm(file.path);
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
  } catch {
    // It is damaged, and nobody can go on from it.
    return [];
  }
}

/** What is left of snapshots whose process was killed: only this learner writes here, and it writes none now. */
async function removeTemporary(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (/^\.snapshot-.*\.tmp$/.test(name)) await fs.rm(path.join(folder, name));
  }
}
