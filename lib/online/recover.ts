// A learner from its folder: the newest snapshot that can be read, then every record behind it.
import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../checkpoint/replace-file';
import { LearnError, messageOf } from '../errors';
import { Core } from './core';
import { syncFile } from './folder';
import type { JournalRecord, Position } from './journal-format';
import type { Settings } from './learner-options';
import { type Damage, readJournal } from './read-journal';
import { type BatchRecord, decode, type SettingsRecord } from './records';
import type { Setting } from './setting';
import { type LoadedSnapshot, readSnapshot, type SnapshotFile, snapshotFiles } from './snapshot';

/** What a learner goes on from. */
export interface Base {
  snapshot: LoadedSnapshot;
  /** The last record of which any snapshot knows. */
  newest: number;
  /** Snapshots that are newer, but cannot be read: the older one and a longer journal are as good. */
  unreadable: (SnapshotFile & { reason: string })[];
}

/** undefined: there is no snapshot. */
export async function findBase(folder: string): Promise<Base | undefined> {
  const files = await snapshotFiles(folder);
  const newest = files.at(-1)?.sequence;
  if (newest === undefined) return undefined;
  const unreadable: Base['unreadable'] = [];
  for (const file of files.reverse()) {
    try {
      return { snapshot: await readSnapshot(file), newest, unreadable };
    } catch (cause) {
      if ((cause as { code?: unknown }).code === 'ERR_OUT_OF_MEMORY') throw cause;
      unreadable.push({ ...file, reason: messageOf(cause) });
    }
  }
  throw new LearnError(
    'ERR_JOURNAL',
    `No snapshot in ${folder} can be read, without which its journal leads nowhere: ${unreadable[0]!.reason}`,
  );
}

export interface Survey {
  /** Where the records end that can be read. */
  end: Position;
  /** What is behind them. */
  damage: Damage | undefined;
  /** Those of the last record that can be read, or of the snapshot. */
  settings: Settings;
}

/** Reads the whole journal behind a snapshot and changes nothing, so that nothing is done with half of it. */
export async function survey(folder: string, { snapshot, newest }: Base): Promise<Survey> {
  let damage: Damage | undefined;
  let end: Position = snapshot;
  let { settings } = snapshot;
  const onDamage = (found: Damage) => {
    damage = found;
  };
  for await (const entry of readJournal(folder, snapshot, newest, onDamage)) {
    try {
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

/**
 * Makes sure that the journal can be gone through, and cuts off what a crash left of a last record. Returns the settings that
 * it ends with.
 */
export async function checkJournal(folder: string, base: Base): Promise<Settings> {
  const { damage, settings } = await survey(folder, base);
  if (damage?.torn) await cutOff(damage);
  if (!damage || damage.torn) return settings;
  const [newer] = base.unreadable;
  throw damageError(folder, damage, newer ? `It is needed because of this: ${newer.reason}. ` : '');
}

function damageError(folder: string, { path: file, offset, reason }: Damage, because = ''): LearnError {
  const advice = `See what a repair would lose with: npx torch-incremental repair ${folder}`;
  return new LearnError('ERR_JOURNAL', `${file} is damaged at byte ${offset}: ${reason}. ${because}${advice}`);
}

async function cutOff({ path: file, offset }: Damage): Promise<void> {
  // Not even a header: the file was being made.
  if (offset === 0) {
    await fs.rm(file);
    await syncFolder(path.dirname(file));
  } else {
    await fs.truncate(file, offset);
    await syncFile(file);
  }
}

/** The records behind `position`, up to number `last`; all of them must be there. `newest` as for readJournal(). */
export async function* recordsBehind(
  folder: string,
  position: Position,
  newest: number,
  last = Number.POSITIVE_INFINITY,
): AsyncGenerator<JournalRecord> {
  const onDamage = (damage: Damage) => {
    throw damageError(folder, damage);
  };
  for await (const record of readJournal(folder, position, newest, onDamage)) {
    yield record;
    if (record.sequence >= last) return;
  }
}

export interface Replayed {
  end: Position;
  /** The last record that was read, with which other settings begin; none: the journal ended. */
  change?: SettingsRecord;
}

/** Runs the records behind `position`, to the end or to where the settings change. */
export async function replay(
  core: Core,
  records: AsyncIterable<JournalRecord>,
  { sequence, chain }: Position,
  onRefused: (record: BatchRecord, sequence: number, reason: string) => Promise<void>,
): Promise<Replayed> {
  let end = { sequence, chain };
  for await (const entry of records) {
    end = { sequence: entry.sequence, chain: entry.chain };
    const record = decode(entry);
    if (record.kind === 'settings') return { end, change: record };
    const outcome = await core.apply(record, entry.sequence);
    if (outcome?.refused && record.kind === 'batch') await onRefused(record, entry.sequence, outcome.refused);
  }
  return { end };
}

/** A core as the snapshot has it. */
export async function coreFrom(snapshot: LoadedSnapshot, setting: Setting): Promise<Core> {
  const { core, ids, state } = snapshot;
  const info = core.versions.find(({ version }) => version === core.serving)!;
  const served = await setting.files.load(info);
  return Core.start(setting, state, snapshot.startOf(setting.model), core, ids, served);
}
