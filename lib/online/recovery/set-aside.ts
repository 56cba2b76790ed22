// Snapshots that cannot be used: kept for people to look at, and taken out of the way once there is a new one.
import fs from 'node:fs/promises';
import path from 'node:path';
import { printable } from '../../core/printable';
import { syncFolder } from '../../files/atomic-write';
import { keepAside } from '../storage/lock';
import type { UnusableSnapshot } from './recover';

/** Keeps unusable snapshots in a folder for people to look at, and says so. They stay where they are until there is a new one. */
export async function setAside(folder: string, unusable: readonly UnusableSnapshot[]): Promise<void> {
  if (unusable.length === 0) return;
  const lost = await keepAside(
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
