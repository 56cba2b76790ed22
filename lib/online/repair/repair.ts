// Repairs a learner's folder: reports the damage and what is lost with it, moves that out of the way, and leaves a folder that opens.

import fs from 'node:fs/promises';
import path from 'node:path';
import { checkOptions, isBoolean, isNumber, isPath } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { recogniseModel } from '../../models/recognise';
import { programHandle } from '../../native/programs';
import type { Model } from '../../program/module';
import { runOptionChecks } from '../../training/run';
import type { LearnerContext } from '../context';
import { contextMaker } from '../make-context';
import { findBase, type UnusableSnapshot } from '../recovery/find-base';
import { machineFrom, replay, UnappliableRecord } from '../recovery/replay';
import { type VersionSource, versionSource } from '../recovery/reproduce';
import { recordsAfter, survey } from '../recovery/survey';
import type { JournalPosition } from '../storage/journal-format';
import type { Damage } from '../storage/journal-reader';
import type { LearnerState } from '../storage/learner-state';
import { asFileError, FolderLock, isDenied } from '../storage/lock';
import type { LoadedSnapshot } from '../storage/snapshot';
import { VersionFiles } from '../versions/files';
import type { VersionInfo } from '../versions/version';
import { fileSize, lossOf } from './find-records';
import { moveAside } from './move-aside';
import { quarantineDamage } from './quarantine-damage';
import type { RepairReport } from './report';
import { examineVersions, mendVersions, substituteFor } from './versions';

/** Options of {@link repairLearner}. */
export interface RepairOptions {
  /** Whether to repair: everything that is lost is moved to the folder `lost-<time>`, and the learner opens again. Default: false. */
  apply?: boolean;
  /** Number of a record to give up, with all later ones. Default: only damaged ones are given up. */
  from?: number;
  /** The model of a learner of an earlier version, whose snapshots do not record it. Default: recognised; else nothing is replayed. */
  model?: Model;
  /** Operators that the model may use beyond the list, as in training. */
  allowOperators?: readonly string[];
}

/**
 * Reports the damage to a learner's folder and what a repair would lose; with `apply`, repairs it. Reads everything that open() reads,
 * and replays the journal as open() does. ERR_BUSY if the learner is open, ERR_JOURNAL if nothing is left to resume from.
 *
 * @example
 * ```ts
 * const { damaged } = await repairLearner('./learner'); // reports, and changes nothing
 * if (damaged) await repairLearner('./learner', { apply: true });
 * ```
 */
export async function repairLearner(dir: string, given: RepairOptions = {}): Promise<RepairReport> {
  isPath(dir, 'dir');
  const { model, allowOperators } = runOptionChecks;
  const from = isNumber({ integer: true, min: 1 });
  const options = checkOptions('repairLearner', given, { apply: isBoolean, from, model, allowOperators });
  const folder = path.resolve(dir);
  try {
    // Before the lock, which is a file in it.
    const names = await fs.readdir(folder);
    if (!names.some((name) => /^(journal|snapshot)-\d{15}\./.test(name))) {
      throw new LearnError(
        'ERR_JOURNAL',
        `${folder} holds no learner: there is neither a journal nor a snapshot in it`,
      );
    }
    const lock = new FolderLock(folder);
    try {
      return await repairLocked(folder, lock, options);
    } finally {
      lock.release();
    }
  } catch (cause) {
    throw asFileError(cause);
  }
}

async function repairLocked(folder: string, lock: FolderLock, options: RepairOptions): Promise<RepairReport> {
  const files = new VersionFiles(path.join(folder, 'versions'));
  const { model, allowOperators = [] } = options;
  const source = versionSource(folder, files, model, { allowOperators, keep: false });
  try {
    return await repairWith(source, folder, files, lock, options);
  } finally {
    await source.release();
  }
}

async function repairWith(
  source: VersionSource,
  folder: string,
  files: VersionFiles,
  lock: FolderLock,
  options: RepairOptions,
): Promise<RepairReport> {
  const substitute = await substituteFor(folder, files, source);
  using _held = substitute?.state;
  const serving = substitute ? substitute.source : source;
  // A journal that cannot be replayed, for want of the model, is at least read.
  const found = (await replayed(folder, serving, options).catch(unlessDenied)) ?? (await surveyed(folder, options));
  const { base, end, damage } = found;
  const report: RepairReport = {
    dir: folder,
    damaged: false,
    snapshot: { file: path.basename(base.path), record: base.sequence },
    lastRecord: end.sequence,
    torn: damage?.torn ? await tornOf(damage) : null,
    journal: damage && !damage.torn ? await lossOf(folder, damage) : null,
    snapshots: await Promise.all(
      found.unusable.map(async ({ path: file, reason }) => {
        return { file: path.basename(file), reason, bytes: await fileSize(file) };
      }),
    ),
    versions: await examineVersions(needed(found), substitute?.version ?? found.learner.serving, files, source),
    quarantine: await quarantineDamage(folder),
    replayed: found.replayed,
    movedTo: null,
  };
  const { journal, snapshots, versions, quarantine } = report;
  report.damaged = journal !== null || snapshots.length + versions.length + quarantine.length > 0;
  if (!options.apply || !report.damaged) return report;
  report.movedTo = await moveAside(folder, lock, report, end);
  await mendVersions(base, needed(found), files, serving, versions, substitute);
  return report;
}

interface Found {
  base: LoadedSnapshot;
  unusable: UnusableSnapshot[];
  end: JournalPosition;
  damage: Damage | undefined;
  /** The learner at the end. */
  learner: LearnerState;
  replayed: boolean;
}

/** The versions at the start and at the end of a replay. */
function needed({ base, learner }: Found): VersionInfo[] {
  const byNumber = new Map([...base.core.versions, ...learner.versions].map((info) => [info.version, info]));
  return [...byNumber.values()].sort((a, b) => a.version - b.version);
}

/** Replays the journal as open() does. */
async function replayed(folder: string, source: LearnerContext['files'], options: RepairOptions): Promise<Found> {
  const { model, from, allowOperators = [] } = options;
  const contextFor = contextMaker({ gate: undefined, niceness: 0, allowOperators, files: source });
  const base = await findBase(
    folder,
    async (snapshot) => {
      const known = snapshot.model ?? model ?? recogniseModel(snapshot.state);
      // An operator that is not allowed is no fault of the snapshot.
      await programHandle(known.program, allowOperators);
      return async () => {
        checkBefore(snapshot, from);
        const context = await contextFor(snapshot.settings, known, snapshot.state);
        return machineFrom(snapshot, context, { measure: false });
      };
    },
    (cause) => !isDenied(cause),
  );
  if (!base) throw noSnapshot(folder);
  const { snapshot, used, unusable } = base;
  snapshot.state.dispose();
  let learner = used.toJSON();
  const { end: last, damage } = await survey(folder, base, from).catch((cause) => {
    used.dispose();
    throw cause;
  });
  const found = { base: snapshot, unusable, replayed: true };
  try {
    const records = recordsAfter(folder, snapshot, base.newest, last.sequence);
    const result = await replay(folder, used, records, snapshot, contextFor, async () => {});
    learner = result.machine.toJSON();
    result.machine.dispose();
    return { ...found, end: last, damage, learner };
  } catch (cause) {
    if (!(cause instanceof UnappliableRecord)) throw cause;
    const { record } = cause;
    const torn = cause.wasNeverApplied(folder, last, base.newest) && !damage;
    const here = { ...record, record: record.sequence, reason: cause.reason, torn };
    return { ...found, end: cause.before, damage: here, learner };
  }
}

/** Only reads the journal. */
async function surveyed(folder: string, { from }: RepairOptions): Promise<Found> {
  const base = await findBase(folder, async (snapshot) => async () => checkBefore(snapshot, from));
  if (!base) throw noSnapshot(folder);
  const { snapshot, unusable } = base;
  snapshot.state.dispose();
  const { end, damage } = await survey(folder, base, from);
  return { base: snapshot, unusable, end, damage, learner: snapshot.core, replayed: false };
}

/** Ignores an error, unless the system refused a file: that says nothing about its contents. */
function unlessDenied(cause: unknown): undefined {
  if (isDenied(cause)) throw cause;
}

/** Rejects a snapshot that includes records that are to be given up. */
function checkBefore({ sequence }: LoadedSnapshot, from = Number.POSITIVE_INFINITY): void {
  if (sequence >= from) throw new LearnError('ERR_JOURNAL', `it includes record ${from}, which is to be given up`);
}

function noSnapshot(folder: string): LearnError {
  return new LearnError('ERR_JOURNAL', `${folder} holds a journal but no snapshot, without which that leads nowhere`);
}

async function tornOf({ path: file, offset, reason }: Damage): Promise<RepairReport['torn']> {
  return { file: path.basename(file), offset, reason, bytes: (await fileSize(file)) - offset };
}
