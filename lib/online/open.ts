// Opens a learner's folder: one that goes on, or a new one.
import { randomInt } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { chooseDevice } from '../device';
import { LearnError } from '../errors';
import { predict } from '../evaluate';
import { checkState, recogniseModel } from '../match';
import type { Model } from '../module';
import { type LockHandle, native } from '../native';
import { invalid } from '../options';
import { checkSamples, programHandle } from '../run';
import { loadState, State, stateHandle } from '../state';
import type { Transform } from '../transforms';
import { sizeOf, valueArrays } from '../values';
import { Core } from './core';
import { Engine, isSame } from './engine';
import { asFileError, lockFolder } from './folder';
import { Gate } from './gate';
import { Journal } from './journal';
import { headerBytes, journalFiles } from './journal-format';
import { checkLearnerOptions, type LearnerOptions, type Settings, settingsOf } from './learner-options';
import { announce, settingsRecord, turn } from './new-settings';
import { Quarantine, type QuarantinedSample } from './quarantine';
import type { BatchRecord } from './records';
import { type Base, checkJournal, coreFrom, findBase, recordsBehind, replay } from './recover';
import type { SavedCore, Setting } from './setting';
import { takeSnapshot } from './snapshot';
import { digestOf, VersionFiles, type VersionInfo } from './versions';

/** Transforms that draw nothing. */
function scoringOf(transforms: readonly Transform[]): readonly Transform[] {
  return transforms.filter(({ kind }) => !kind.startsWith('random'));
}

export async function openEngine(options: LearnerOptions): Promise<Engine> {
  checkLearnerOptions(options);
  options.signal?.throwIfAborted();
  const folder = path.resolve(options.dir);
  let lock: LockHandle | undefined;
  try {
    await fs.mkdir(folder, { recursive: true });
    lock = lockFolder(folder);
    return await openLocked(folder, lock, options);
  } catch (cause) {
    if (lock) native().unlockFile(lock);
    throw asFileError(cause);
  }
}

async function openLocked(folder: string, lock: LockHandle, options: LearnerOptions): Promise<Engine> {
  const { threads } = await chooseDevice('cpu', options.threads ?? 'leave-one');
  const files = new VersionFiles(path.join(folder, 'versions'));
  const gate = options.gate?.heldOut && (await Gate.open(options.gate.heldOut));
  try {
    // Other settings end a step: behind them is a snapshot, from which the next begins.
    for (;;) {
      const engine = await openFrom(await findBase(folder), { folder, lock, options, gate, files, threads });
      if (engine) return engine;
    }
  } catch (cause) {
    gate?.dispose();
    throw cause;
  }
}

async function openFrom(base: Base | undefined, { threads, ...parts }: Given): Promise<Engine | undefined> {
  try {
    const recorded = base && (await checkJournal(parts.folder, base));
    if (recorded?.heldOut && !parts.options.gate) {
      throw new LearnError(
        'ERR_INVALID_OPTION',
        `Versions of the learner in ${parts.folder} may serve only if they pass held-out samples: give them again as ` +
          'gate: { heldOut }, or gate: {} to go on without',
      );
    }
    const opening = { ...parts, settings: settingsOf(parts.options, parts.gate?.sha256 ?? '', threads, recorded) };
    return await (base ? goOn(opening, base) : begin(opening));
  } finally {
    base?.snapshot.state.dispose();
  }
}

interface Given {
  folder: string;
  lock: LockHandle;
  options: LearnerOptions;
  gate: Gate | undefined;
  files: VersionFiles;
  threads: number;
}

interface Opening extends Omit<Given, 'threads'> {
  settings: Settings;
}

const partsOf = ({ folder, lock, files, options: { journal } }: Opening) => ({
  ...{ folder, lock, files },
  maxBytes: journal?.maxBytes ?? 256 * 2 ** 20,
  sync: journal?.sync ?? { everyMs: 100 },
});

async function begin(opening: Opening): Promise<Engine> {
  const { folder, options, settings } = opening;
  const { checkpoint } = options;
  if (checkpoint === undefined) {
    throw new LearnError('ERR_INVALID_OPTION', `${folder} holds no learner: pass the option "checkpoint" to begin one`);
  }
  if (typeof checkpoint !== 'string' && !(checkpoint instanceof State)) {
    throw invalid('the path of a checkpoint or a State', 'checkpoint', checkpoint);
  }
  await clearBeginning(folder);
  const state = typeof checkpoint === 'string' ? await loadState(checkpoint) : checkpoint;
  try {
    const setting = await settingOf(opening, settings, state);
    const first: VersionInfo = {
      ...{ version: 0, parent: null, updates: 0, records: null, accuracy: null, perClass: [] },
      ...{ sha256: await digestOf(stateHandle(state)), created: Date.now() },
    };
    await setting.files.save(state, first, { settings });
    const saved: SavedCore = {
      ...{
        updates: 0,
        learned: 0,
        rehearsed: 0,
        quarantined: 0,
        duplicates: 0,
        dropped: 0,
        drifts: 0,
        refused: 0,
        boosted: 0,
      },
      ...{ serving: 0, versions: [first], untilCandidate: settings.gate.every, best: null },
      ...{ prequential: null, detector: null },
    };
    const none = { previous: new Uint8Array(), current: new Uint8Array() };
    const core = await Core.start(setting, state, undefined, saved, none, await setting.files.load(first));
    return await orDispose(core, async () => {
      await core.measureServed();
      const { sync, ...parts } = partsOf(opening);
      const quarantine = await Quarantine.open(folder, sync);
      quarantine.forgetBehind(0);
      const journal = await Journal.open(folder, { sequence: 0, chain: randomInt(2 ** 32) }, sync);
      const engine = new Engine({ ...parts, core, journal, quarantine });
      // Before anything is learned: without it, a journal leads nowhere.
      const snapshot = { ...journal.position, settings, core: core.toJSON() };
      return begun(engine, () => takeSnapshot(folder, core, snapshot));
    });
  } finally {
    if (state !== checkpoint) state.dispose();
  }
}

/** Takes away what is left of a learner that never began: its process ended before there was a snapshot. */
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

/** undefined: the settings are other ones now, and there is a new snapshot to go on from. */
async function goOn(opening: Opening, base: Base): Promise<Engine | undefined> {
  const { folder, settings } = opening;
  const { snapshot } = base;
  const { sync, ...parts } = partsOf(opening);
  const core = await coreFrom(snapshot, await settingOf(opening, snapshot.settings, snapshot.state));
  return orDispose(core, async () => {
    const quarantine = await Quarantine.open(folder, sync);
    const refused = (record: BatchRecord, sequence: number, reason: string) =>
      quarantine.add(sequence, reason, samplesOf(record));
    let { end, change } = await replay(core, recordsBehind(folder, snapshot, base.newest), snapshot, refused);
    if (!change && !isSame(settings, snapshot.settings)) {
      change = await settingsRecord(core, settings);
      end = await announce(folder, end, change);
    }
    if (change) {
      await turn(folder, core, change, end);
      core.dispose();
      return undefined;
    }
    quarantine.forgetBehind(end.sequence);
    const journal = await Journal.open(folder, end, sync);
    const engine = new Engine({ ...parts, core, journal, quarantine });
    return begun(engine, () => engine.judgeIfDue());
  });
}

/** The engine, behind its first work. */
async function begun(engine: Engine, work: () => Promise<void>): Promise<Engine> {
  try {
    await work();
    return engine;
  } catch (cause) {
    await engine.release();
    throw cause;
  }
}

/** Frees the core of a learner that does not come to be. */
async function orDispose<Result>(core: Core, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    core.dispose();
    throw cause;
  }
}

function samplesOf({ ids, labels, inputs }: BatchRecord): QuarantinedSample[] {
  const size = inputs.length / labels.length;
  return ids.map((id, i) => ({ id, label: labels[i]!, input: inputs.subarray(i * size, (i + 1) * size) }));
}

export async function settingOf(
  {
    options,
    gate,
    files,
  }: Pick<Opening, 'gate'> & Pick<Setting, 'files'> & { options: Pick<LearnerOptions, 'model' | 'niceness'> },
  settings: Settings,
  state: State,
): Promise<Setting> {
  const model = options.model ?? recogniseModel(state);
  checkState(model, state);
  const shape = shapeOf(model, settings);
  const scoring = scoringOf(settings.transforms);
  checkSamples(model, shape, settings.transforms);
  return {
    ...{ model, settings, scoring, shape, program: programHandle(model.program), niceness: options.niceness ?? 0 },
    classes: await classesOf(model, state, shape, settings, scoring),
    ...{ gate, files },
  };
}

function shapeOf(model: Model, settings: Settings): readonly number[] {
  const shape = settings.shape.length > 0 ? settings.shape : model.input;
  if (shape) return shape;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected the option "shape": ${model.name} does not fix the shape of a sample`,
  );
}

/** As many as the model has outputs. */
async function classesOf(
  model: Model,
  state: State,
  shape: readonly number[],
  { inputs, threads }: Settings,
  transforms: readonly Transform[],
): Promise<number> {
  const zeros = new valueArrays[inputs](sizeOf(shape));
  const { logits } = await predict(state, zeros, { model, shape, transforms, threads, device: 'cpu' });
  return logits.length;
}
