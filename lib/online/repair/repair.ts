// What a repair of a learner's folder would lose; and the repair: what is lost is moved, and the rest can be opened.
import fs from 'node:fs/promises';
import path from 'node:path';
import { checkOptions, isBoolean, isNumber, isPath } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { recogniseModel } from '../../models/recognise';
import type { Model } from '../../program/module';
import { programHandle, runOptionChecks } from '../../training/run';
import type { Setting, SettingMaker } from '../context';
import { settingOf } from '../make-context';
import {
  coreFrom,
  findBase,
  recordsAfter,
  replay,
  survey,
  UnappliableRecord,
  type UnusableSnapshot,
} from '../recovery/recover';
import { type VersionSource, versionSource } from '../recovery/reproduce';
import type { Position } from '../storage/journal-format';
import type { Damage } from '../storage/journal-reader';
import type { SavedCore } from '../storage/learner-state';
import { asFileError, FolderLock, isDenied } from '../storage/lock';
import type { LoadedSnapshot } from '../storage/snapshot';
import { VersionFiles } from '../versions/files';
import type { VersionInfo } from '../versions/version';
import { lossOf, sizeOf } from './find-records';
import { moveLost } from './move-lost';
import { quarantineDamage } from './quarantine-damage';
import type { RepairReport } from './report';
import { examineVersions, mendVersions, substituteFor } from './versions';

export interface RepairOptions {
  /** Whether to do it: what is lost is moved into the folder `lost-<time>`, and the learner opens again. Default: false. */
  apply?: boolean;
  /** Number of a record that is to be lost, and all after it with it. Default: only what is damaged is lost. */
  from?: number;
  /** Of a learner of an earlier version, whose snapshots do not record it. Default: recognised, or nothing is replayed. */
  model?: Model;
  /** Operators that the model may use beyond the list, as in training. */
  allowOperators?: readonly string[];
}

/**
 * Says what is damaged in a learner's folder and what a repair would lose; with `apply`, repairs it. Looks at all that open() reads,
 * and replays the journal as it does. ERR_BUSY where the learner is open, ERR_JOURNAL where nothing is left to resume from.
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
  // What cannot be replayed, for want of the model, is read at least.
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
        return { file: path.basename(file), reason, bytes: await sizeOf(file) };
      }),
    ),
    versions: await examineVersions(needed(found), substitute?.version ?? found.core.serving, files, source),
    quarantine: await quarantineDamage(folder),
    replayed: found.replayed,
    movedTo: null,
  };
  const { journal, snapshots, versions, quarantine } = report;
  report.damaged = journal !== null || snapshots.length + versions.length + quarantine.length > 0;
  if (!options.apply || !report.damaged) return report;
  report.movedTo = await moveLost(folder, lock, report, end);
  await mendVersions(base, needed(found), files, serving, versions, substitute);
  return report;
}

interface Found {
  base: LoadedSnapshot;
  unusable: UnusableSnapshot[];
  end: Position;
  damage: Damage | undefined;
  /** At the end. */
  core: SavedCore;
  replayed: boolean;
}

/** Versions that a replay begins with, and those that it ends with. */
function needed({ base, core }: Found): VersionInfo[] {
  const byNumber = new Map([...base.core.versions, ...core.versions].map((info) => [info.version, info]));
  return [...byNumber.values()].sort((a, b) => a.version - b.version);
}

/** Goes through the journal as open() does. */
async function replayed(folder: string, source: Setting['files'], options: RepairOptions): Promise<Found> {
  const { model, from, allowOperators = [] } = options;
  const parts = { gate: undefined, niceness: 0, allowOperators, files: source };
  const settingFor: SettingMaker = (...setting) => settingOf(parts, ...setting);
  const base = await findBase(
    folder,
    (snapshot) => {
      const known = snapshot.model ?? model ?? recogniseModel(snapshot.state);
      // An operator that has to be allowed is no fault of the snapshot.
      programHandle(known.program, allowOperators);
      return async () => {
        checkBefore(snapshot, from);
        const setting = await settingFor(snapshot.settings, known, snapshot.state);
        return coreFrom(snapshot, setting, { measure: false });
      };
    },
    (cause) => !isDenied(cause),
  );
  if (!base) throw noSnapshot(folder);
  const { snapshot, used, unusable } = base;
  snapshot.state.dispose();
  let core: SavedCore = used.toJSON();
  const { end: last, damage } = await survey(folder, base, from).catch((cause) => {
    used.dispose();
    throw cause;
  });
  const found = { base: snapshot, unusable, replayed: true };
  try {
    const records = recordsAfter(folder, snapshot, base.newest, last.sequence);
    const result = await replay(folder, used, records, snapshot, settingFor, async () => {});
    core = result.core.toJSON();
    result.core.dispose();
    return { ...found, end: last, damage, core };
  } catch (cause) {
    if (!(cause instanceof UnappliableRecord)) throw cause;
    const { record } = cause;
    const torn = cause.wasNeverApplied(folder, last, base.newest) && !damage;
    const here = { ...record, record: record.sequence, reason: cause.reason, torn };
    return { ...found, end: cause.before, damage: here, core };
  }
}

/** Reads the journal only. */
async function surveyed(folder: string, { from }: RepairOptions): Promise<Found> {
  const base = await findBase(folder, (snapshot) => async () => checkBefore(snapshot, from));
  if (!base) throw noSnapshot(folder);
  const { snapshot, unusable } = base;
  snapshot.state.dispose();
  const { end, damage } = await survey(folder, base, from);
  return { base: snapshot, unusable, end, damage, core: snapshot.core, replayed: false };
}

/** Nothing, unless the system refused a file: that says nothing of what is in it. */
function unlessDenied(cause: unknown): undefined {
  if (isDenied(cause)) throw cause;
}

/** A snapshot that includes a record is lost with it. */
function checkBefore({ sequence }: LoadedSnapshot, from = Number.POSITIVE_INFINITY): void {
  if (sequence >= from) throw new LearnError('ERR_JOURNAL', `it includes record ${from}, which is to be lost`);
}

function noSnapshot(folder: string): LearnError {
  return new LearnError('ERR_JOURNAL', `${folder} holds a journal but no snapshot, without which that leads nowhere`);
}

async function tornOf({ path: file, offset, reason }: Damage): Promise<RepairReport['torn']> {
  return { file: path.basename(file), offset, reason, bytes: (await sizeOf(file)) - offset };
}
