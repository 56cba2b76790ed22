// A learner goes on with other settings. They are a record of the journal, so that whoever goes through that from an older snapshot
// does not go on with old ones; and they are in a snapshot behind it, from which the learner is opened anew.
import type { Core } from './core';
import { isSame } from './engine';
import { Journal } from './journal';
import { journalFiles, type Position } from './journal-format';
import type { Settings } from './learner-options';
import { encode, type SettingsRecord } from './records';
import { takeSnapshot } from './snapshot';

/** Puts the change on the disk, as the last record of the journal, which ends at `end`. Returns where it ends then. */
export async function announce(folder: string, end: Position, record: SettingsRecord): Promise<Position> {
  const journal = await Journal.open(folder, end, 'always');
  try {
    const { kind, parts } = encode(record);
    await journal.append(kind, parts);
    return journal.position;
  } finally {
    await journal.close();
  }
}

export async function settingsRecord(core: Core, settings: Settings): Promise<SettingsRecord> {
  const { gate, settings: old } = core.setting;
  const measured = gate ? await core.evaluate(core.served.state) : null;
  return { kind: 'settings', settings, best: settings.heldOut === old.heldOut ? core.counts.best : measured };
}

/** Takes the snapshot behind the change, whose record is the one before `at`. */
export async function turn(
  folder: string,
  core: Core,
  { settings, best }: SettingsRecord,
  at: Position,
): Promise<void> {
  const { settings: old } = core.setting;
  const saved = core.toJSON();
  if (!isSame(settings.drift, old.drift)) saved.detector = null;
  saved.best = best;
  saved.untilCandidate = Math.min(saved.untilCandidate, settings.gate.every);
  if (settings.heldOut !== old.heldOut) {
    const serving = saved.versions.find(({ version }) => version === saved.serving);
    Object.assign(serving!, best ?? { accuracy: null, perClass: [] });
  }
  // As behind every snapshot; it is there where the change was made long ago.
  if (journalFiles(folder).at(-1)!.first <= at.sequence) {
    const journal = await Journal.open(folder, at, 'always');
    await journal.rotate();
    await journal.close();
  }
  await takeSnapshot(folder, core, { ...at, settings, core: saved });
}
