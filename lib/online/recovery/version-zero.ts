// The beginning of a learner: record 1 of the journal follows from version 0 and its settings alone. A young learner whose only
// snapshot is lost resumes from there.
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError } from '../../core/errors';
import type { Model } from '../../program/module';
import type { State } from '../../state/state';
import type { Settings } from '../settings';
import { type JournalFile, type JournalPosition, journalFiles, positionBefore } from '../storage/journal-format';
import type { LearnerState } from '../storage/learner-state';
import { recordedModel } from '../storage/recorded-model';
import { recordedSettings } from '../storage/recorded-settings';
import type { LoadedSnapshot } from '../storage/snapshot';
import { VersionFiles } from '../versions/files';
import type { VersionInfo } from '../versions/version';

/** A learner before its first record. `state`: version 0. */
export function beginning(
  state: State,
  first: VersionInfo,
  settings: Settings,
  { sequence, chain }: JournalPosition,
  model?: Model,
): LoadedSnapshot {
  const core: LearnerState = {
    ...{ updates: 0, learned: 0, rehearsed: 0, quarantined: 0, duplicates: 0, dropped: 0, drifts: 0, refused: 0 },
    ...{ boosted: 0, serving: 0, versions: [first], untilCandidate: settings.gate.every, best: null },
    ...{ prequential: null, detector: null },
  };
  return {
    ...{ path: '', sequence, chain, learner: undefined, model, settings, core, state },
    ids: { previous: new Uint8Array(), current: new Uint8Array() },
    startOf: () => undefined,
    isBeginning: true,
  };
}

/** The beginning of the learner in a folder; undefined if the first record no longer exists. */
export async function versionZero(folder: string): Promise<(() => Promise<LoadedSnapshot>) | undefined> {
  const [oldest] = journalFiles(folder);
  if (oldest?.first !== 1) return undefined;
  return async () => {
    const files = new VersionFiles(path.join(folder, 'versions'));
    const { settings, model, ...first } = await files.manifest(0);
    if (!settings) throw new LearnError('ERR_JOURNAL', 'the settings that the learner began with are no longer known');
    const position = await positionOf(oldest);
    const recorded = model === undefined ? undefined : await recordedModel(folder, model);
    return beginning(await files.load(first), first, recordedSettings(settings), position, recorded);
  };
}

async function positionOf(file: JournalFile): Promise<JournalPosition> {
  const handle = await fs.open(file.path);
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(64) });
    return positionBefore(buffer.subarray(0, bytesRead), file);
  } finally {
    await handle.close();
  }
}
