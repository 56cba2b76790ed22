// Opens a learner's folder: resumes the learner in it, or begins one.
import { randomInt, randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { invalid, plain } from '../../core/checks';
import { LearnError, messageOf } from '../../core/errors';
import { recogniseModel } from '../../models/recognise';
import { chooseDevice } from '../../native/device';
import { loadState, State, sharedState, stateHandle } from '../../state/state';
import { programHandle } from '../../training/run';
import type { SettingMaker, SettingParts } from '../context';
import { Engine } from '../engine';
import { settingOf } from '../make-context';
import { changedOptions, type LearnerOptions, settingsOf } from '../options';
import type { Core } from '../state-machine';
import { cutRecord, cutTorn } from '../storage/cut';
import { headerBytes, journalFiles } from '../storage/journal-format';
import { announce, Journal } from '../storage/journal-writer';
import { asFileError, FolderLock, refuseLinks } from '../storage/lock';
import { modelText } from '../storage/model-text';
import { Quarantine } from '../storage/quarantine';
import type { SettingsRecord } from '../storage/records';
import { digestOf, VersionFiles } from '../versions/files';
import { Gate } from '../versions/gate';
import type { VersionInfo } from '../versions/version';
import { settingsRecord, withSettings } from './change-settings';
import { type Base, coreFrom, findBase, recordsAfter, replay, soundSurvey, UnappliableRecord } from './recover';
import { versionSource } from './reproduce';
import { removeUnusable, setAside } from './set-aside';
import { beginning } from './version-zero';

/** `options`: as checkLearnerOptions() returns them. */
export async function openEngine(options: LearnerOptions): Promise<Engine> {
  if (!(options.checkpoint instanceof State)) return openFolder(options);
  // The caller may dispose it meanwhile.
  const checkpoint = sharedState(options.checkpoint);
  try {
    return await openFolder(plain({ ...options, checkpoint }));
  } finally {
    checkpoint.dispose();
  }
}

async function openFolder(options: LearnerOptions): Promise<Engine> {
  options.signal?.throwIfAborted();
  const folder = path.resolve(options.dir);
  let lock: FolderLock | undefined;
  try {
    await fs.mkdir(folder, { recursive: true });
    lock = new FolderLock(folder);
    await refuseLinks(folder);
    return await openLocked(folder, lock, options);
  } catch (cause) {
    lock?.release();
    throw asFileError(cause);
  }
}

/** All that an opening has to do with. */
interface Opening {
  folder: string;
  lock: FolderLock;
  options: LearnerOptions;
  files: VersionFiles;
  threads: number;
  /** What settings are made of beside model and state. */
  parts: SettingParts;
  settingFor: SettingMaker;
}

async function openLocked(folder: string, lock: FolderLock, options: LearnerOptions): Promise<Engine> {
  const { threads } = await chooseDevice('cpu', options.threads ?? 'leave-one');
  const files = new VersionFiles(path.join(folder, 'versions'));
  const gate = options.gate?.heldOut && (await Gate.open(options.gate.heldOut));
  const { model, niceness = 0, allowOperators = [] } = options;
  const source = versionSource(folder, files, model, { allowOperators, keep: true });
  const save: typeof source.save = async (...version) => {
    await lock.check();
    return source.save(...version);
  };
  const parts = { gate, files: { ...source, save }, niceness, allowOperators };
  const settingFor: SettingMaker = (...setting) => settingOf(parts, ...setting);
  const opening = { folder, lock, options, files, threads, parts, settingFor };
  try {
    for (;;) {
      const engine = await openFrom(opening);
      if (engine) return engine;
    }
  } catch (cause) {
    gate?.dispose();
    throw cause;
  }
}

/** undefined: a last record that was never acknowledged was cut off, and opening begins again without it. */
async function openFrom(opening: Opening): Promise<Engine | undefined> {
  const { folder, options, settingFor } = opening;
  const base = await findBase(folder, (snapshot) => {
    const model = snapshot.model ?? options.model ?? recogniseModel(snapshot.state);
    // An operator that has to be allowed is no fault of the snapshot.
    programHandle(model.program, options.allowOperators);
    return async () => coreFrom(snapshot, await settingFor(snapshot.settings, model, snapshot.state));
  });
  if (!base) return begin(opening);
  try {
    return await resume(opening, base);
  } finally {
    base.snapshot.state.dispose();
  }
}

const limitsOf = ({ journal }: LearnerOptions) => ({
  maxBytes: journal?.maxBytes ?? 256 * 2 ** 20,
  sync: journal?.sync ?? ({ everyMs: 100 } as const),
});

async function begin({ folder, lock, options, files, threads, parts, settingFor }: Opening): Promise<Engine> {
  const { checkpoint } = options;
  if (checkpoint === undefined) {
    throw new LearnError('ERR_INVALID_OPTION', `${folder} holds no learner: pass the option "checkpoint" to begin one`);
  }
  if (typeof checkpoint !== 'string' && !(checkpoint instanceof State)) {
    throw invalid('the path of a checkpoint or a State', 'checkpoint', checkpoint);
  }
  await clearBeginning(folder);
  const settings = settingsOf(options, parts.gate?.sha256 ?? '', threads);
  const state = typeof checkpoint === 'string' ? await loadState(checkpoint) : checkpoint;
  try {
    const model = options.model ?? recogniseModel(state);
    const setting = await settingFor(settings, model, state);
    const first: VersionInfo = {
      ...{ version: 0, parent: null, updates: 0, records: null, accuracy: null, perClass: [] },
      ...{ sha256: await digestOf(stateHandle(state)), created: Date.now() },
    };
    await files.save(state, first, { settings, model: modelText(model) });
    const position = { sequence: 0, chain: randomInt(2 ** 32) };
    const core = await coreFrom(beginning(state, first, settings, position), setting);
    return await orDispose(core, async () => {
      const { sync, maxBytes } = limitsOf(options);
      const quarantine = await Quarantine.open(folder, sync);
      quarantine.forgetBehind(0);
      const journal = await Journal.open(folder, position, sync, lock);
      const engine = new Engine({ folder, lock, files, maxBytes, core, journal, quarantine, learner: randomUUID() });
      // Before anything is learned: without it, a journal leads nowhere.
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

async function resume(opening: Opening, base: Base<Core>): Promise<Engine | undefined> {
  const { folder, lock, options, files, threads, parts, settingFor } = opening;
  const { snapshot, unusable } = base;
  const { sync, maxBytes } = limitsOf(options);
  const {
    core: first,
    end: last,
    damage,
    settings,
    quarantine,
  } = await orDispose(base.used, async () => {
    const { settings: recorded, ...survey } = await soundSurvey(folder, base);
    if (recorded.heldOut && !options.gate) throw heldOutMissing(folder);
    const given = settingsOf(options, parts.gate?.sha256 ?? '', threads, recorded);
    return { ...survey, core: base.used, settings: given, quarantine: await Quarantine.open(folder, sync) };
  });
  const onQuarantined = quarantine.add.bind(quarantine);
  const records = recordsAfter(folder, snapshot, base.newest);
  let replayed: Awaited<ReturnType<typeof replay>>;
  try {
    replayed = await replay(folder, first, records, snapshot, settingFor, onQuarantined);
  } catch (cause) {
    if (!(cause instanceof UnappliableRecord && cause.wasNeverApplied(folder, last, base.newest) && !damage))
      throw cause;
    await setAside(folder, unusable);
    await removeUnusable(folder, unusable);
    await cutRecord(folder, cause.record);
    return undefined;
  }
  let { core, end } = replayed;
  const isYoung = snapshot.isBeginning;
  const { divergedAt } = core;
  return orDispose(
    () => core,
    async () => {
      const change = await settingsRecord(core, settings, options.model ?? core.setting.model);
      const changed = change && (await tried(core, change, settingFor));
      if (damage) await cutTorn(damage);
      if (changed) {
        core.dispose();
        core = changed;
        end = await announce(folder, end, change, lock);
      }
      quarantine.forgetBehind(end.sequence);
      const journal = await Journal.open(folder, end, sync, lock);
      const learner = snapshot.learner ?? randomUUID();
      const engine = new Engine({ folder, lock, files, maxBytes, core, journal, quarantine, learner });
      return started(engine, async () => {
        if (divergedAt !== undefined) warnOfOtherBits(folder, divergedAt);
        if (changed || isYoung || unusable.length > 0 || divergedAt !== undefined) {
          await setAside(folder, unusable);
          // The new one may have the name of one of them.
          const superseded = unusable.filter(({ sequence }) => sequence !== end.sequence);
          await engine.writeSnapshot(() => removeUnusable(folder, superseded));
        }
        await files.describeMissing(core.counts.versions);
        await engine.judgeIfDue();
      });
    },
  );
}

function heldOutMissing(folder: string): LearnError {
  return new LearnError(
    'ERR_INVALID_OPTION',
    `Versions of the learner in ${folder} may serve only if they pass held-out samples: give them again as ` +
      'gate: { heldOut }, or gate: {} to continue without',
  );
}

/** A core with the new settings. Rejects, naming the options that are new, before anything is recorded. */
async function tried(core: Core, change: SettingsRecord, settingFor: SettingMaker): Promise<Core> {
  try {
    return await withSettings(core, change, settingFor);
  } catch (cause) {
    if (!(cause instanceof LearnError)) throw cause;
    const names = [...changedOptions(core.setting.settings, change.settings), ...(change.model ? ['model'] : [])];
    throw new LearnError(
      cause.code,
      `The learner cannot be opened with another ${names.map((name) => `"${name}"`).join(', ')}: ${messageOf(cause)}. Nothing was ` +
        'changed: without that it opens as before',
      { cause },
    );
  }
}

function warnOfOtherBits(folder: string, sequence: number): void {
  process.emitWarning(
    `The journal of the learner in ${folder} was written on another kind of processor, or with another build: from record ` +
      `${sequence} on the same samples led to weights with other bits here. All of them are learned; a new snapshot was taken`,
    { type: 'LearnWarning', code: 'WARN_OTHER_BITS' },
  );
}

/** The engine, after its first work. */
async function started(engine: Engine, work: () => Promise<void>): Promise<Engine> {
  try {
    await work();
    return engine;
  } catch (cause) {
    await engine.release();
    throw cause;
  }
}

/** Frees the core of a learner that is not opened after all. */
async function orDispose<Result>(core: Core | (() => Core), work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    (typeof core === 'function' ? core() : core).dispose();
    throw cause;
  }
}
