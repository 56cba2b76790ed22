// Removes files that a learner no longer needs.
import fs from 'node:fs/promises';
import path from 'node:path';
import { inspectFile } from '../../checkpoint/inspect';
import { messageOf } from '../../core/errors';
import type { VersionFiles } from '../versions/files';
import type { VersionInfo } from '../versions/version';
import { journalFiles } from './journal-format';
import type { LearnerState } from './learner-state';
import { isOfSystem, isShortage } from './lock';
import { type SnapshotFile, snapshotFiles } from './snapshot';

/** The default of `journal.maxBytes`, for snapshots of `snapshotBytes`: large models need more. */
export function usualBytes(snapshotBytes: number): number {
  return Math.max(256 * 2 ** 20, 5 * snapshotBytes);
}

/**
 * Removes older snapshots, and the journal before them, after a new one is written. The previous one always stays: a learner resumes
 * from it if the new one cannot be read. Those from which a version of `kept` can be reproduced stay while all files together take at
 * most `maxBytes`; undefined: its default.
 */
export async function prune(
  folder: string,
  files: VersionFiles,
  kept: readonly VersionInfo[],
  maxBytes: number | undefined,
): Promise<void> {
  const snapshots = await snapshotFiles(folder);
  const journals = journalFiles(folder);
  const sizes = new Map<string, number>();
  for (const file of [...snapshots, ...journals]) sizes.set(file.path, (await fs.stat(file.path)).size);
  /** Snapshot number `base` and all files after it. */
  const from = (base: number) => {
    const { sequence } = snapshots[base]!;
    const later = journals.filter(({ first }) => first > sequence);
    return [...snapshots.slice(base), ...later].map((file) => file.path);
  };
  const bytes = (base: number) => from(base).reduce((sum, file) => sum + sizes.get(file)!, 0);
  const first = Math.min(...kept.flatMap(({ records }) => (records ? [records.from - 1] : [])));
  const needed = snapshots.findLastIndex(({ sequence }) => sequence <= first);
  const before = Math.max(0, snapshots.length - 2);
  let base = Math.max(0, Math.min(needed, before));
  const most = maxBytes ?? usualBytes(sizes.get(snapshots.at(-1)!.path)!);
  while (base < before && bytes(base) > most) base++;
  const staying = new Set(from(base));
  // Snapshots before journals, the oldest first: if a crash interrupts this, each remaining snapshot has its journal.
  for (const file of [...snapshots, ...journals]) if (!staying.has(file.path)) await fs.rm(file.path);
  await removeTemporary(folder);
  // A learner that resumes from an older snapshot needs the versions of that time.
  const versions = new Set(kept.map(({ version }) => version));
  for (const snapshot of snapshots.slice(base, -1)) {
    for (const version of await versionsOf(snapshot)) versions.add(version);
  }
  await files.keep([...versions]);
}

/** Versions that a snapshot refers to. Its tensors are not read, since they may be large. */
async function versionsOf({ path: file }: SnapshotFile): Promise<number[]> {
  try {
    const { metadata } = await inspectFile(file, { key: ['model'] });
    const { core } = JSON.parse(metadata.get('learner') as string) as { core: LearnerState };
    return core.versions.map(({ version }) => version);
  } catch (cause) {
    // A damaged snapshot needs no versions. One that only the system fails to read now may be needed later.
    if (isShortage(cause) || isOfSystem(cause)) throw cause;
    return [];
  }
}

/** Removes temporary files of killed processes: only this learner writes here, and it is not writing now. */
async function removeTemporary(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (/^\.snapshot-.*\.tmp$/.test(name)) await fs.rm(path.join(folder, name));
  }
}

/** A superfluous file does no harm, and the next snapshot tries again. */
export function warnOfFiles(cause: unknown): void {
  process.emitWarning(`Files that a learner no longer needs could not be removed: ${messageOf(cause)}`, {
    type: 'LearnWarning',
    code: 'WARN_NOT_REMOVED',
  });
}
