// What a repair of a learner's folder would lose; and the repair: what is lost is moved, and the rest can be opened.
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError } from '../errors';
import { native } from '../native';
import { checkOptions, isBoolean, isPath } from '../options';
import { asFileError, lockFolder } from './folder';
import { headerBytes, journalFiles } from './journal-format';
import { recognise } from './lost';
import { moveLost } from './move-lost';
import { type QuarantineDamage, quarantineDamage } from './quarantine-damage';
import type { Damage } from './read-journal';
import { findBase, survey } from './recover';

/** Files are named as they are in the folder. */
export interface RepairReport {
  dir: string;
  /** Whether anything is. What a crash leaves is no damage. */
  damaged: boolean;
  /** The newest snapshot that can be read, and the last record that it includes: a learner goes on from there. */
  snapshot: { file: string; record: number };
  /** The last record that a learner gets to from there. */
  lastRecord: number;
  /** A last record that a crash cut short: nobody was told that it was kept, and open() cuts it off. */
  torn: { file: string; offset: number; reason: string; bytes: number } | null;
  /** Where the journal is damaged first, and all that is lost with it. */
  journal: JournalLoss | null;
  /** Newer snapshots that cannot be read. Nothing is lost with them: a longer journal is as good. */
  snapshots: { file: string; reason: string; bytes: number }[];
  quarantine: QuarantineDamage[];
  /** The folder that what is lost was moved to; null: nothing was changed. */
  movedTo: string | null;
}

export interface JournalLoss {
  file: string;
  offset: number;
  reason: string;
  /** Number of the first record that is lost. */
  firstRecord: number;
  /** Number of the last one that can still be recognised; null: none can. */
  lastRecord: number | null;
  /** Whole records from there on, recognised by their checksums. */
  records: number;
  /** New samples that those hold. */
  samples: number;
  /** Files of the journal behind the damaged one. */
  laterFiles: string[];
  /** From the damage to the end, later files included. */
  bytes: number;
}

export interface RepairOptions {
  /** Whether to do it: what is lost is moved into the folder `lost-<time>`, and the learner opens again. Default: false. */
  apply?: boolean;
}

/**
 * Says what is damaged in a learner's folder and what a repair would lose; with `apply`, repairs it. ERR_BUSY where the learner is
 * open, ERR_JOURNAL where nothing is left to go on from.
 */
export async function repairLearner(dir: string, options: RepairOptions = {}): Promise<RepairReport> {
  isPath(dir, 'dir');
  checkOptions('repairLearner', options, { apply: isBoolean });
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
    const lock = lockFolder(folder);
    try {
      return await repairLocked(folder, options.apply ?? false);
    } finally {
      native().unlockFile(lock);
    }
  } catch (cause) {
    throw asFileError(cause);
  }
}

async function repairLocked(folder: string, apply: boolean): Promise<RepairReport> {
  const base = await findBase(folder);
  if (!base) {
    throw new LearnError('ERR_JOURNAL', `${folder} holds a journal but no snapshot, without which that leads nowhere`);
  }
  base.snapshot.state.dispose();
  const { end, damage } = await survey(folder, base);
  const snapshots = await Promise.all(
    base.unreadable.map(async ({ path: file, reason }) => ({ ...nameAndSize(file, await sizeOf(file)), reason })),
  );
  const report: RepairReport = {
    dir: folder,
    damaged: false,
    snapshot: { file: path.basename(base.snapshot.path), record: base.snapshot.sequence },
    lastRecord: end.sequence,
    torn: damage?.torn ? await tornOf(damage) : null,
    journal: damage && !damage.torn ? await lossOf(folder, damage) : null,
    snapshots,
    quarantine: await quarantineDamage(folder),
    movedTo: null,
  };
  report.damaged = report.journal !== null || snapshots.length > 0 || report.quarantine.length > 0;
  if (apply && report.damaged) report.movedTo = await moveLost(folder, report, end);
  return report;
}

async function tornOf({ path: file, offset, reason }: Damage): Promise<RepairReport['torn']> {
  return { file: path.basename(file), offset, reason, bytes: (await sizeOf(file)) - offset };
}

async function lossOf(folder: string, { path: damaged, offset, reason, record }: Damage): Promise<JournalLoss> {
  const file = path.basename(damaged);
  const laterFiles = journalFiles(folder)
    .map((later) => path.basename(later.path))
    .filter((name) => name > file);
  const loss: JournalLoss = {
    file,
    offset,
    reason,
    firstRecord: record,
    lastRecord: null,
    records: 0,
    samples: 0,
    laterFiles,
    bytes: 0,
  };
  for (const name of [file, ...laterFiles]) {
    // A file with a wrong header is lost as a whole.
    const from = name === file && offset >= headerBytes ? offset : 0;
    const size = await sizeOf(path.join(folder, name));
    loss.bytes += Math.max(0, size - from);
    if (size === 0) continue;
    const { records, last, samples } = await recognise(path.join(folder, name), Math.max(from, headerBytes));
    loss.records += records;
    loss.samples += samples;
    if (last !== null) loss.lastRecord = Math.max(last, loss.lastRecord ?? 0);
  }
  return loss;
}

function nameAndSize(file: string, bytes: number) {
  return { file: path.basename(file), bytes };
}

/** 0 of a file that is missing. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await fs.stat(file)).size;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw cause;
  }
}
