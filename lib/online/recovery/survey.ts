// Surveys the journal after a snapshot before anything is done with it, and reads it again to replay it.
import { LearnError, messageOf } from '../../core/errors';
import type { Settings } from '../settings';
import type { JournalPosition, JournalRecord } from '../storage/journal-format';
import { type Damage, readJournal } from '../storage/journal-reader';
import { decode } from '../storage/records';
import type { Base } from './find-base';

export interface Survey {
  /** The end of the readable records. */
  end: JournalPosition;
  /** The damage after them, if there is any. */
  damage: Damage | undefined;
  /** The settings at that end. */
  settings: Settings;
}

/** Reads the whole journal after a snapshot and changes nothing. Record `from` and all later ones count as damaged. */
export async function survey(
  folder: string,
  { snapshot, newest }: Pick<Base<unknown>, 'snapshot' | 'newest'>,
  from = Number.POSITIVE_INFINITY,
): Promise<Survey> {
  let damage: Damage | undefined;
  let end: JournalPosition = snapshot;
  let { settings } = snapshot;
  const onDamage = (found: Damage) => {
    damage = found;
  };
  for await (const entry of readJournal(folder, snapshot, newest, onDamage)) {
    try {
      if (entry.sequence >= from) throw new LearnError('ERR_JOURNAL', 'it is to be given up, with all later records');
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

/** The same, but throws ERR_JOURNAL if the journal is damaged. A torn end is no damage. */
export async function soundSurvey(folder: string, base: Base<unknown>): Promise<Survey> {
  const found = await survey(folder, base);
  const { damage } = found;
  if (!damage || damage.torn) return found;
  const [newer] = base.unusable;
  throw damageError(folder, damage, newer ? `It is needed because of this: ${newer.reason}. ` : '');
}

export const repairAdvice = (folder: string) =>
  `See what a repair would lose with: npx torch-incremental repair ${folder}`;

function damageError(folder: string, { path: file, offset, reason }: Damage, because = ''): LearnError {
  return new LearnError(
    'ERR_JOURNAL',
    `${file} is damaged at byte ${offset}: ${reason}. ${because}${repairAdvice(folder)}`,
  );
}

/** The records after `position`, up to number `last`; all of them must exist. `newest` as for readJournal(). */
export async function* recordsAfter(
  folder: string,
  position: JournalPosition,
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
