// Makes a version again from a snapshot and the journal, to show that it came from there.
import { mkdtempSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { checkOptions, isNumber, isPath } from '../../core/checks';
import { LearnError, messageOf } from '../../core/errors';
import { recogniseModel } from '../../models/recognise';
import type { Model } from '../../program/module';
import type { State } from '../../state/state';
import { type RunOptions, runOptionChecks } from '../../training/run';
import type { Setting, SettingMaker } from '../context';
import { settingOf } from '../make-context';
import type { Core } from '../state-machine';
import { FolderLock, isShortage } from '../storage/lock';
import { readSnapshot, type SnapshotFile, snapshotFiles } from '../storage/snapshot';
import { VersionFiles } from '../versions/files';
import type { VersionInfo } from '../versions/version';
import { coreFrom, recordsAfter, replay } from './recover';

export interface VersionSource extends Pick<VersionFiles, 'load'> {
  save(state: State, info: VersionInfo, facts: Record<string, unknown>): Promise<void>;
  release(): Promise<void>;
}

export interface Reproduction {
  version: VersionInfo;
  /** Number of the last record in the snapshot that it was made from. */
  from: number;
  /** Records that were gone through. */
  records: number;
}

export interface ReproduceOptions extends Pick<RunOptions, 'model' | 'allowOperators'> {}

/**
 * Replays the journal of the learner in `dir`, from a snapshot at or before the version's parent, and resolves if that leads to
 * the version's very bits (`sha256`). Throws ERR_JOURNAL if it does not, or if the records are no longer there. The version itself is
 * not changed. Equal bits need the same number of threads on the same kind of processor. `model`: only for learners of earlier
 * versions, whose snapshots do not record it.
 */
export async function reproduceVersion(
  dir: string,
  version: number,
  options: ReproduceOptions = {},
): Promise<Reproduction> {
  isPath(dir, 'dir');
  isNumber({ integer: true, min: 1 })(version, 'version');
  const checks = { model: runOptionChecks.model, allowOperators: runOptionChecks.allowOperators };
  const { model, allowOperators = [] } = checkOptions('reproduceVersion', options, checks);
  const folder = path.resolve(dir);
  const lock = new FolderLock(folder);
  try {
    const files = new VersionFiles(path.join(folder, 'versions'));
    const info = await files.describe(version);
    const source = versionSource(folder, files, model, { allowOperators, keep: false });
    const again = madeAgain(folder, info, source, model, allowOperators);
    const { base, core } = await again.finally(() => source.release());
    core.dispose();
    return { version: info, from: base.sequence, records: info.records!.to - base.sequence };
  } finally {
    lock.release();
  }
}

/**
 * The versions in a learner's folder. One whose file is missing or damaged is made again from the journal, where that still has
 * the records that led to it; `keep`: and written. Otherwise what a replay saves goes to a folder of its own, from which the
 * replay can load it, and which release() removes.
 */
export function versionSource(
  folder: string,
  files: VersionFiles,
  model: Model | undefined,
  { keep, allowOperators }: { keep: boolean; allowOperators: readonly string[] },
): VersionSource {
  let scratch: { folder: string; files: VersionFiles } | undefined;
  const source: VersionSource = {
    async save(state, info, facts) {
      if (keep) return files.save(state, info, facts);
      scratch ??= scratchFiles();
      return scratch.files.save(state, info, facts);
    },
    async load(info) {
      const made = await scratch?.files.load(info).catch(() => undefined);
      if (made) return made;
      try {
        return await files.load(info);
      } catch (cause) {
        if (isShortage(cause)) throw cause;
        return await makeAgain(info, cause);
      }
    },
    async release() {
      if (scratch) await fs.rm(scratch.folder, { recursive: true, force: true });
      scratch = undefined;
    },
  };
  return source;

  async function makeAgain(info: VersionInfo, damage: unknown): Promise<State> {
    const replaying = versionSource(folder, files, model, { allowOperators, keep: false });
    const again = madeAgain(folder, info, replaying, model, allowOperators).finally(() => replaying.release());
    const { core } = await again.catch((cause) => {
      if (isShortage(cause)) throw cause;
      throw new LearnError(
        'ERR_JOURNAL',
        `Version ${info.version} cannot be loaded (${messageOf(damage)}), nor made again from the journal (${messageOf(cause)})`,
        { cause: damage },
      );
    });
    try {
      const state = await core.weights();
      if (!keep) return state;
      await files.save(state, info, { settings: core.setting.settings });
      process.emitWarning(`Version ${info.version} was made again from the journal: ${messageOf(damage)}`, {
        type: 'LearnWarning',
        code: 'WARN_VERSION_REMADE',
      });
      return state;
    } finally {
      core.dispose();
    }
  }
}

function scratchFiles(): { folder: string; files: VersionFiles } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-versions-'));
  return { folder, files: new VersionFiles(folder) };
}

/** A core at the record that made the version, with its very bits, and the snapshot that it was made from. */
async function madeAgain(
  folder: string,
  version: VersionInfo,
  source: Setting['files'],
  given: Model | undefined,
  allowOperators: readonly string[],
): Promise<{ base: SnapshotFile; core: Core }> {
  const base = await baseOf(folder, version);
  const { to } = version.records!;
  const snapshot = await readSnapshot(base);
  try {
    const model = snapshot.model ?? given ?? recogniseModel(snapshot.state);
    const parts = { gate: undefined, niceness: 0, allowOperators, files: source };
    const start = await coreFrom(snapshot, await settingOf(parts, snapshot.settings, model, snapshot.state));
    const records = recordsAfter(folder, snapshot, snapshot.sequence, to);
    const settingFor: SettingMaker = (...setting) => settingOf(parts, ...setting);
    const { core, end } = await replay(folder, start, records, snapshot, settingFor, async () => {});
    const { served, counts } = core;
    const made = counts.versions.find((one) => one.version === served.version);
    if (end.sequence === to && served.version === version.version && made?.sha256 === version.sha256)
      return { base, core };
    core.dispose();
    throw new LearnError('ERR_JOURNAL', `The journal in ${folder} does not lead to version ${version.version}`);
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
