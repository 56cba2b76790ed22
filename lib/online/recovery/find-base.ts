// Finds the snapshot that a learner resumes from: the newest usable one.
import fs from 'node:fs/promises';
import { LearnError, messageOf } from '../../core/errors';
import { headerBytes, journalFiles } from '../storage/journal-format';
import { isShortage } from '../storage/lock';
import { type LoadedSnapshot, NewerFormat, readSnapshot, type SnapshotFile, snapshotFiles } from '../storage/snapshot';
import { versionZero } from './version-zero';

export interface Base<Used> {
  snapshot: LoadedSnapshot;
  /** The result of using it. */
  used: Used;
  /** The last record that any snapshot includes. */
  newest: number;
  /** Newer snapshots that cannot be used: the older one and a longer journal are as good. */
  unusable: UnusableSnapshot[];
}

export interface UnusableSnapshot extends SnapshotFile {
  reason: string;
}

/**
 * The newest snapshot that `use` accepts, or version 0 if the journal begins there; undefined: the folder holds neither snapshot
 * nor records. An error that `use` rejects with is the caller's mistake. If the function that it resolves with rejects, the snapshot is
 * at fault and the one before it is tried, unless `isFault` says otherwise, as of a shortage of memory.
 */
export async function findBase<Used>(
  folder: string,
  use: (snapshot: LoadedSnapshot) => Promise<() => Promise<Used>>,
  isFault: (cause: unknown) => boolean = (cause) => !isShortage(cause),
): Promise<Base<Used> | undefined> {
  const files = await snapshotFiles(folder);
  const newest = files.at(-1)?.sequence ?? 0;
  const unusable: UnusableSnapshot[] = [];
  for (const file of files.reverse()) {
    const found = await orReason(() => usedOf(() => readSnapshot(file)), isFault);
    if (typeof found === 'object') return { ...found.result, newest, unusable };
    unusable.push({ ...file, reason: found });
  }
  if (files.length === 0 && !(await holdsRecords(folder))) return undefined;
  const young = await versionZero(folder);
  const found = young && (await orReason(() => usedOf(young), isFault));
  if (typeof found === 'object') return { ...found.result, newest, unusable };
  const reason = unusable[0]?.reason ?? found ?? 'it does not exist';
  throw new LearnError(
    'ERR_JOURNAL',
    `No snapshot in ${folder} can be used, without which its journal leads nowhere: ${reason}`,
  );

  async function usedOf(read: () => Promise<LoadedSnapshot>): Promise<Pick<Base<Used>, 'snapshot' | 'used'>> {
    const snapshot = await read();
    try {
      return { snapshot, used: await (await markMistakes(() => use(snapshot)))() };
    } catch (cause) {
      snapshot.state.dispose();
      throw cause;
    }
  }
}

async function holdsRecords(folder: string): Promise<boolean> {
  const sizes = await Promise.all(journalFiles(folder).map(async (file) => (await fs.stat(file.path)).size));
  return sizes.some((size) => size > headerBytes);
}

/** Marks an error as the caller's mistake, whatever its code. */
class CallersMistake extends Error {}

async function markMistakes<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw new CallersMistake('', { cause });
  }
}

/** The result, or the reason of a failure that is the snapshot's fault. */
async function orReason<Result>(
  work: () => Promise<Result>,
  isFault: (cause: unknown) => boolean,
): Promise<{ result: Result } | string> {
  try {
    return { result: await work() };
  } catch (cause) {
    if (cause instanceof CallersMistake) throw cause.cause;
    // An older snapshot in its place would lose what a newer version learned.
    if (cause instanceof NewerFormat) throw cause;
    if (!isFault(cause)) throw cause;
    return messageOf(cause);
  }
}
