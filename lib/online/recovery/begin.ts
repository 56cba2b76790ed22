// Begins a learner in an empty folder.
import { randomInt, randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { invalid } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { recogniseModel } from '../../models/recognise';
import type { Model } from '../../program/module';
import { loadState } from '../../state/load';
import { State, stateHandle } from '../../state/state';
import type { ContextMaker } from '../context';
import { Engine } from '../engine';
import type { Settings } from '../settings';
import { headerBytes, journalFiles } from '../storage/journal-format';
import { Journal } from '../storage/journal-writer';
import { Quarantine } from '../storage/quarantine';
import { recordModel } from '../storage/recorded-model';
import { digestOf } from '../versions/files';
import type { VersionInfo } from '../versions/version';
import type { LearnerFolder } from '../wiring';
import { machineFrom } from './replay';
import { orDispose, started } from './start';
import { beginning } from './version-zero';

interface BeginOptions {
  checkpoint: string | State | undefined;
  /** undefined: recognised. */
  model: Model | undefined;
  settingsAfter(): Settings;
  contextFor: ContextMaker;
}

export async function begin(folder: LearnerFolder, options: BeginOptions): Promise<Engine> {
  const { checkpoint, contextFor } = options;
  const { path: dir, lock, files, sync } = folder;
  if (checkpoint === undefined) {
    throw new LearnError('ERR_INVALID_OPTION', `${dir} holds no learner: pass the option "checkpoint" to begin one`);
  }
  if (typeof checkpoint !== 'string' && !(checkpoint instanceof State)) {
    throw invalid('the path of a checkpoint or a State', 'checkpoint', checkpoint);
  }
  await clearBeginning(dir);
  const settings = options.settingsAfter();
  const state = typeof checkpoint === 'string' ? await loadState(checkpoint) : checkpoint;
  try {
    const model = options.model ?? recogniseModel(state);
    const context = await contextFor(settings, model, state);
    const first: VersionInfo = {
      ...{ version: 0, parent: null, updates: 0, records: null, accuracy: null, perClass: [] },
      ...{ sha256: await digestOf(stateHandle(state)), created: Date.now() },
    };
    const { text } = await recordModel(dir, model);
    await files.save(state, first, { settings, model: text });
    const position = { sequence: 0, chain: randomInt(2 ** 32) };
    const machine = await machineFrom(beginning(state, first, settings, position), context);
    return await orDispose(machine, async () => {
      const quarantine = await Quarantine.open(dir, sync);
      quarantine.forgetAfter(0);
      const journal = await Journal.open(dir, position, sync, lock);
      const engine = new Engine(machine, folder, { journal, quarantine, learner: randomUUID(), snapshotBytes: 0 });
      // Before anything is learned: a journal leads nowhere without a snapshot.
      return started(engine, () => engine.writeSnapshot());
    });
  } finally {
    if (state !== checkpoint) state.dispose();
  }
}

/** Removes the journal of a learner that never began: its process ended before there was a snapshot. */
async function clearBeginning(folder: string): Promise<void> {
  for (const file of journalFiles(folder)) {
    if ((await fs.stat(file.path)).size > headerBytes) {
      throw new LearnError(
        'ERR_JOURNAL',
        `${folder} holds a journal but no snapshot, without which that leads nowhere. Restore the snapshot, or begin in another folder`,
      );
    }
    await fs.rm(file.path);
  }
}
