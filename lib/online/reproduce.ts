// Makes a version again from a snapshot and the journal, to show that it came from there.
import path from 'node:path';
import { LearnError } from '../errors';
import type { Model } from '../module';
import { native } from '../native';
import { checkOptions, isNumber, isPath } from '../options';
import { runOptionChecks } from '../run';
import { lockFolder } from './folder';
import { settingOf } from './open';
import { coreFrom, recordsBehind, replay } from './recover';
import { readSnapshot, type SnapshotFile, snapshotFiles } from './snapshot';
import { VersionFiles, type VersionInfo } from './versions';

export interface Reproduction {
  version: VersionInfo;
  /** The snapshot that it was made from stands behind this record. */
  from: number;
  /** Records that were gone through. */
  records: number;
}

/**
 * Goes through the journal of the learner in `dir`, from a snapshot at or before the version's parent, and resolves if that leads
 * to the version's very bits (`sha256`). Throws ERR_JOURNAL if it does not, or if the records are no longer there. Nothing is
 * changed. On the same number of threads of the same kind of processor, as for all equal bits.
 */
export async function reproduceVersion(
  dir: string,
  version: number,
  options: { model?: Model } = {},
): Promise<Reproduction> {
  isPath(dir, 'dir');
  isNumber({ integer: true, min: 1 })(version, 'version');
  checkOptions('reproduceVersion', options, { model: runOptionChecks.model });
  const folder = path.resolve(dir);
  const lock = lockFolder(folder);
  try {
    const files = new VersionFiles(path.join(folder, 'versions'));
    const info = await files.describe(version);
    return await reproduce(folder, files, info, options);
  } finally {
    native().unlockFile(lock);
  }
}

async function reproduce(
  folder: string,
  files: VersionFiles,
  version: VersionInfo,
  options: { model?: Model },
): Promise<Reproduction> {
  const { to } = version.records ?? { to: 0 };
  // Other settings begin with a snapshot of their own.
  for (let base = await baseOf(folder, version); ; ) {
    const { end, sha256 } = await goThrough(folder, base, to, files, version.version, options);
    if (sha256 === version.sha256) return { version, from: base.sequence, records: to - base.sequence };
    const next = (await snapshotFiles(folder)).find(({ sequence }) => sequence === end && end < to);
    if (!next)
      throw new LearnError('ERR_JOURNAL', `The journal in ${folder} does not lead to version ${version.version}`);
    base = next;
  }
}

/** Where going through the records from a snapshot up to number `to` ends, and what that makes of a version. */
async function goThrough(
  folder: string,
  base: SnapshotFile,
  to: number,
  files: VersionFiles,
  version: number,
  options: { model?: Model },
): Promise<{ end: number; sha256: string | undefined }> {
  const snapshot = await readSnapshot(base);
  try {
    const opening = { options, gate: undefined, files: { load: files.load.bind(files), save: async () => {} } };
    const core = await coreFrom(snapshot, await settingOf(opening, snapshot.settings, snapshot.state));
    try {
      const records = recordsBehind(folder, snapshot, snapshot.sequence, to);
      const { end } = await replay(core, records, snapshot, async () => {});
      const made = core.counts.versions.find((one) => one.version === version);
      return { end: end.sequence, sha256: end.sequence === to ? made?.sha256 : undefined };
    } finally {
      core.dispose();
    }
  } finally {
    snapshot.state.dispose();
  }
}

/** The newest snapshot from before the version, from its parent's time if there is one. */
async function baseOf(folder: string, { version, records }: VersionInfo): Promise<SnapshotFile> {
  const snapshots = records ? await snapshotFiles(folder) : [];
  const before = (sequence: number) => snapshots.findLast((snapshot) => snapshot.sequence <= sequence);
  const base = records && (before(records.from - 1) ?? before(records.to - 1));
  if (base) return base;
  throw new LearnError(
    'ERR_JOURNAL',
    `The records that led to version ${version} are no longer in ${folder}; journal.maxBytes decides how long they stay`,
  );
}
