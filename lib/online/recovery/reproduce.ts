// Reproduces versions from a snapshot and the journal: to prove where they came from, and to replace files that are damaged.
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
import type { LearnerContext } from '../context';
import { contextMaker } from '../make-context';
import type { StateMachine } from '../state-machine';
import { FolderLock, isShortage } from '../storage/lock';
import { readSnapshot, type SnapshotFile, snapshotFiles } from '../storage/snapshot';
import { VersionFiles } from '../versions/files';
import type { VersionInfo } from '../versions/version';
import { machineFrom, replay } from './replay';
import { recordsAfter } from './survey';

export interface VersionSource extends Pick<VersionFiles, 'load'> {
  save(state: State, info: VersionInfo, facts: Record<string, unknown>): Promise<void>;
  release(): Promise<void>;
}

/** A version that was made again from the journal. */
export interface Reproduction {
  version: VersionInfo;
  /** Number of the last record in the snapshot that the replay started from. */
  from: number;
  /** Records that were replayed. */
  records: number;
}

export interface ReproduceOptions extends Pick<RunOptions, 'model' | 'allowOperators'> {}

/**
 * Replays the journal of the learner in `dir`, from a snapshot at or before the version's parent, and resolves if that leads to
 * exactly the version's bits (`sha256`). Throws ERR_JOURNAL if it does not, or if the records no longer exist. The version itself is
 * not changed. Equal bits need the same number of threads on the same kind of processor. `model`: only for learners of earlier
 * versions, whose snapshots do not record it.
 *
 * @example
 * ```ts
 * const { version, records } = await reproduceVersion('./learner', 12);
 * console.log(version.sha256, records);
 * ```
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
    const info = await files.info(version);
    const source = versionSource(folder, files, model, { allowOperators, keep: false });
    const reproduced = reproduce(folder, info, source, model, allowOperators);
    const { base, machine } = await reproduced.finally(() => source.release());
    machine.dispose();
    return { version: info, from: base.sequence, records: info.records!.to - base.sequence };
  } finally {
    lock.release();
  }
}

/**
 * The versions in a learner's folder. One whose file is missing or damaged is reproduced, if the journal still has the records that
 * led to it. With `keep`, it is written again. Without, versions that a replay saves go to a temporary folder, from which the replay
 * can load them, and which release() removes.
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
      const replayed = await scratch?.files.load(info).catch(() => undefined);
      if (replayed) return replayed;
      try {
        return await files.load(info);
      } catch (cause) {
        if (isShortage(cause)) throw cause;
        return await restore(info, cause);
      }
    },
    async release() {
      if (scratch) await fs.rm(scratch.folder, { recursive: true, force: true });
      scratch = undefined;
    },
  };
  return source;

  async function restore(info: VersionInfo, damage: unknown): Promise<State> {
    const replaying = versionSource(folder, files, model, { allowOperators, keep: false });
    const reproduced = reproduce(folder, info, replaying, model, allowOperators).finally(() => replaying.release());
    const { machine } = await reproduced.catch((cause) => {
      if (isShortage(cause)) throw cause;
      throw new LearnError(
        'ERR_JOURNAL',
        `Version ${info.version} cannot be loaded (${messageOf(damage)}), nor reproduced from the journal (${messageOf(cause)})`,
        { cause: damage },
      );
    });
    try {
      const state = await machine.weights();
      if (!keep) return state;
      await files.save(state, info, { settings: machine.context.settings });
      process.emitWarning(`Version ${info.version} was reproduced from the journal: ${messageOf(damage)}`, {
        type: 'LearnWarning',
        code: 'WARN_VERSION_REMADE',
      });
      return state;
    } finally {
      machine.dispose();
    }
  }
}

function scratchFiles(): { folder: string; files: VersionFiles } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-versions-'));
  return { folder, files: new VersionFiles(folder) };
}

/** A state machine at the record that made the version, with exactly its bits, and the snapshot that the replay started from. */
async function reproduce(
  folder: string,
  version: VersionInfo,
  source: LearnerContext['files'],
  given: Model | undefined,
  allowOperators: readonly string[],
): Promise<{ base: SnapshotFile; machine: StateMachine }> {
  const base = await baseOf(folder, version);
  const { to } = version.records!;
  const snapshot = await readSnapshot(base);
  try {
    const model = snapshot.model ?? given ?? recogniseModel(snapshot.state);
    const contextFor = contextMaker({ gate: undefined, niceness: 0, allowOperators, files: source });
    const start = await machineFrom(snapshot, await contextFor(snapshot.settings, model, snapshot.state));
    const records = recordsAfter(folder, snapshot, snapshot.sequence, to);
    const { machine, end } = await replay(folder, start, records, snapshot, contextFor, async () => {});
    const { serving, versions } = machine.counts;
    const made = versions.find((one) => one.version === serving);
    if (end.sequence === to && serving === version.version && made?.sha256 === version.sha256) return { base, machine };
    machine.dispose();
    throw new LearnError('ERR_JOURNAL', `The journal in ${folder} does not lead to version ${version.version}`);
  } finally {
    snapshot.state.dispose();
  }
}

/** The newest snapshot from before the version's parent, or else from before the version. */
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
