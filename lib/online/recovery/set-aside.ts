// Sets snapshots aside that cannot be used, and removes them once there is a new one.
import fs from 'node:fs/promises';
import path from 'node:path';
import { printable } from '../../core/printable';
import { syncFolder } from '../../files/atomic-write';
import { copyAside } from '../storage/lock';
import type { UnusableSnapshot } from './find-base';

/** Copies unusable snapshots to a folder for people to look at, and warns. The originals stay until there is a new snapshot. */
export async function setAside(folder: string, unusable: readonly UnusableSnapshot[]): Promise<void> {
  if (unusable.length === 0) return;
  const lost = await copyAside(
    folder,
    unusable.map((snapshot) => path.basename(snapshot.path)),
  );
  const what = unusable.map((snapshot) => `${path.basename(snapshot.path)}: ${snapshot.reason}`).join('; ');
  process.emitWarning(
    `The learner in ${folder} was opened from an older snapshot and a longer journal, and nothing is lost; moved to ${lost}, since ` +
      `they cannot be used: ${printable(what)}`,
    { type: 'LearnWarning', code: 'WARN_SNAPSHOT_UNUSABLE' },
  );
}

export async function removeUnusable(folder: string, snapshots: readonly UnusableSnapshot[]): Promise<void> {
  for (const { path: file } of snapshots) await fs.rm(file, { force: true });
  if (snapshots.length > 0) await syncFolder(folder);
}
