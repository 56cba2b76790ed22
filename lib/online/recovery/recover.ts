// A learner from its folder: the newest snapshot that can be used, then every record after it.
import fs from 'node:fs/promises';
import { LearnError, messageOf } from '../../core/errors';
import type { Setting, SettingMaker } from '../context';
import type { Settings } from '../options';
import { Core } from '../state-machine';
import { headerBytes, type JournalRecord, journalFiles, type Position } from '../storage/journal-format';
import { type Damage, readJournal } from '../storage/journal-reader';
import { isShortage } from '../storage/lock';
import { type QuarantinedSample, quarantinedIn } from '../storage/quarantine';
import { decode, isUntried } from '../storage/records';
import { type LoadedSnapshot, readSnapshot, type SnapshotFile, snapshotFiles } from '../storage/snapshot';
import { withSettings } from './change-settings';
import { versionZero } from './version-zero';

/** The place that a learner resumes from. */
export interface Base<Used> {
  snapshot: LoadedSnapshot;
  /** What was made of it. */
  used: Used;
  /** The last record of which any snapshot knows. */
  newest: number;
  /** Newer snapshots that cannot be used: the older one and a longer journal are as good. */
  unusable: UnusableSnapshot[];
}

export interface UnusableSnapshot extends SnapshotFile {
  reason: string;
}

/**
 * The newest snapshot that `use` makes something of, or in a young folder version 0; undefined: there is no snapshot. What `use`
 * throws at once is the caller's mistake; if what it returned rejects, the snapshot is at fault, and the one before it is tried.
 * Where that is no fault of the snapshot (`isFault`), such as a shortage of memory, it rejects.
 */
export async function findBase<Used>(
  folder: string,
  use: (snapshot: LoadedSnapshot) => () => Promise<Used>,
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
  const reason = unusable[0]?.reason ?? found ?? 'there is none';
  throw new LearnError(
    'ERR_JOURNAL',
    `No snapshot in ${folder} can be used, without which its journal leads nowhere: ${reason}`,
  );

  async function usedOf(read: () => Promise<LoadedSnapshot>): Promise<Pick<Base<Used>, 'snapshot' | 'used'>> {
    const snapshot = await read();
    try {
      return { snapshot, used: await callersMistakesApart(() => use(snapshot))() };
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

/** Tells an error that says nothing of the snapshot, whatever its code. */
class CallersMistake extends Error {}

function callersMistakesApart<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new CallersMistake('', { cause });
  }
}

/** The result, or why there is none. */
async function orReason<Result>(
  work: () => Promise<Result>,
  isFault: (cause: unknown) => boolean,
): Promise<{ result: Result } | string> {
  try {
    return { result: await work() };
  } catch (cause) {
    if (cause instanceof CallersMistake) throw cause.cause;
    if (!isFault(cause)) throw cause;
    return messageOf(cause);
  }
}

export interface Survey {
  /** Where the records end that can be read. */
  end: Position;
  /** What follows them. */
  damage: Damage | undefined;
  /** Those of the last record that can be read, or of the snapshot. */
  settings: Settings;
}

/**
 * Reads the whole journal after a snapshot and changes nothing, so that nothing is done with half of it. From record number `from` on
 * all counts as damaged.
 */
export async function survey(
  folder: string,
  { snapshot, newest }: Pick<Base<unknown>, 'snapshot' | 'newest'>,
  from = Number.POSITIVE_INFINITY,
): Promise<Survey> {
  let damage: Damage | undefined;
  let end: Position = snapshot;
  let { settings } = snapshot;
  const onDamage = (found: Damage) => {
    damage = found;
  };
  for await (const entry of readJournal(folder, snapshot, newest, onDamage)) {
    try {
      if (entry.sequence >= from) throw new LearnError('ERR_JOURNAL', 'from here on it is to be lost');
      const record = decode(entry);
      if (record.kind === 'settings') settings = record.settings;
    } catch (cause) {
      damage = { ...entry, record: entry.sequence, reason: messageOf(cause), torn: false };
      break;
    }
    end = entry;
  }
  return { end: { sequence: end.sequence, chain: end.chain }, damage, settings };
}

/** The same; throws ERR_JOURNAL where the journal is damaged. */
export async function soundSurvey(folder: string, base: Base<unknown>): Promise<Survey> {
  const found = await survey(folder, base);
  const { damage } = found;
  if (!damage || damage.torn) return found;
  const [newer] = base.unusable;
  throw damageError(folder, damage, newer ? `It is needed because of this: ${newer.reason}. ` : '');
}

const advice = (folder: string) => `See what a repair would lose with: npx torch-incremental repair ${folder}`;

function damageError(folder: string, { path: file, offset, reason }: Damage, because = ''): LearnError {
  return new LearnError('ERR_JOURNAL', `${file} is damaged at byte ${offset}: ${reason}. ${because}${advice(folder)}`);
}

/** The records after `position`, up to number `last`; all of them must be there. `newest` as for readJournal(). */
export async function* recordsAfter(
  folder: string,
  position: Position,
  newest: number,
  last = Number.POSITIVE_INFINITY,
): AsyncGenerator<JournalRecord> {
  const onDamage = (damage: Damage) => {
    if (!damage.torn) throw damageError(folder, damage);
  };
  for await (const record of readJournal(folder, position, newest, onDamage)) {
    yield record;
    if (record.sequence >= last) return;
  }
}

/** A record of the journal that cannot be applied. */
export class UnappliableRecord extends LearnError {
  readonly record: JournalRecord;
  /** The place before it. */
  readonly before: Position;
  readonly reason: string;

  constructor(folder: string, record: JournalRecord, before: Position, cause: unknown) {
    const { sequence, path: file, offset } = record;
    const what = `Record ${sequence} of the journal, at byte ${offset} of ${file}, cannot be applied: ${messageOf(cause)}`;
    const shortage = isShortage(cause);
    const code = shortage && cause instanceof LearnError ? cause.code : 'ERR_JOURNAL';
    super(
      code,
      `${what}. ${shortage ? 'Nothing was changed. If that lasts: ' : ''}${advice(folder)} --from ${sequence}`,
      { cause },
    );
    this.record = record;
    this.before = before;
    this.reason = `record ${sequence} cannot be applied: ${messageOf(cause)}`;
  }

  /**
   * Whether it cannot have been applied before, and so nobody can have been told of it: nothing but the record and the state
   * before it is at fault, and it is the last. A snapshot or a file of the journal after it proves the contrary, but for settings
   * that an earlier version recorded before it tried them.
   */
  wasNeverApplied(folder: string, last: Position, newest: number): boolean {
    const { cause, record } = this;
    const followsFromState = cause instanceof LearnError && stateCodes.has(cause.code) && !isShortage(cause);
    if (!followsFromState || record.sequence !== last.sequence) return false;
    const isFollowed = record.sequence <= newest || journalFiles(folder).some(({ first }) => first > record.sequence);
    return !isFollowed || isUntried(record);
  }
}

/**
 * Codes of errors that equal records meet on equal states, wherever they are applied. Not ERR_TORCH: libraries below it report a
 * shortage in words of their own.
 */
const stateCodes: ReadonlySet<string> = new Set([
  'ERR_INVALID_OPTION',
  'ERR_SHAPE',
  'ERR_STATE_FORMAT',
  'ERR_STATE_MISMATCH',
]);

export interface Replayed {
  /** Another one where the settings changed. */
  core: Core;
  end: Position;
}

/** Applies records to `core`, which this takes over. Throws UnappliableRecord. */
export async function replay(
  folder: string,
  core: Core,
  records: AsyncIterable<JournalRecord>,
  { sequence, chain }: Position,
  settingFor: SettingMaker,
  onQuarantined: (sequence: number, samples: readonly QuarantinedSample[]) => Promise<void>,
): Promise<Replayed> {
  let current = core;
  let end = { sequence, chain };
  const apply = async (entry: JournalRecord) => {
    const record = decode(entry);
    if (record.kind === 'settings') {
      const next = await withSettings(current, record, settingFor);
      current.dispose();
      current = next;
      return;
    }
    const outcome = await current.apply(record, entry.sequence);
    if (record.kind === 'batch' && record.fresh) {
      await onQuarantined(entry.sequence, quarantinedIn(record, outcome!.refused));
    }
  };
  try {
    for await (const entry of records) {
      await apply(entry).catch((cause) => {
        throw new UnappliableRecord(folder, entry, end, cause);
      });
      end = { sequence: entry.sequence, chain: entry.chain };
    }
    return { core: current, end };
  } catch (cause) {
    current.dispose();
    throw cause;
  }
}

/** A core as the snapshot has it. `measure`: at the beginning, by the held-out samples. */
export async function coreFrom(
  snapshot: LoadedSnapshot,
  setting: Setting,
  { measure }: { measure: boolean } = { measure: true },
): Promise<Core> {
  const { core: saved, ids, state, isBeginning } = snapshot;
  const info = saved.versions.find(({ version }) => version === saved.serving)!;
  const served = await setting.files.load(info);
  const start = snapshot.startOf(setting.model);
  const core = await Core.start(setting, state, start, structuredClone(saved), ids, served);
  if (!isBeginning || !measure) return core;
  try {
    const { heldOut } = setting.settings;
    if (heldOut !== (setting.gate?.sha256 ?? ''))
      throw new LearnError('ERR_JOURNAL', 'It began with other held-out samples');
    await core.measureServed();
    return core;
  } catch (cause) {
    core.dispose();
    throw cause;
  }
}
