// Opens a learner's folder: resumes the learner in it, or begins one.

import fs from 'node:fs/promises';
import path from 'node:path';
import { plain } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { recogniseModel } from '../../models/recognise';
import { chooseDevice } from '../../native/device';
import { programHandle } from '../../native/programs';
import { State, sharedState } from '../../state/state';
import type { Engine } from '../engine';
import { contextMaker } from '../make-context';
import { learnerSettings, type Settings, type SettingsOptions } from '../settings';
import { asFileError, FolderLock, refuseLinks } from '../storage/lock';
import { VersionFiles } from '../versions/files';
import { Gate } from '../versions/gate';
import type { LearnerFolder, Wiring } from '../wiring';
import { begin } from './begin';
import { findBase } from './find-base';
import { machineFrom } from './replay';
import { versionSource } from './reproduce';
import { resume } from './resume';

export async function openEngine(options: SettingsOptions, wiring: Wiring): Promise<Engine> {
  if (!(wiring.checkpoint instanceof State)) return openFolder(options, wiring);
  // The caller may dispose it meanwhile.
  const checkpoint = sharedState(wiring.checkpoint);
  try {
    return await openFolder(options, plain({ ...wiring, checkpoint }));
  } finally {
    checkpoint.dispose();
  }
}

async function openFolder(options: SettingsOptions, wiring: Wiring): Promise<Engine> {
  wiring.signal?.throwIfAborted();
  const folder = path.resolve(wiring.dir);
  let lock: FolderLock | undefined;
  try {
    await fs.mkdir(folder, { recursive: true });
    lock = await FolderLock.take(folder, wiring.waitForLock, wiring.signal);
    await refuseLinks(folder);
    const { sync, maxBytes } = wiring;
    const files = new VersionFiles(path.join(folder, 'versions'));
    return await openLocked({ path: folder, lock, files, sync, maxBytes }, options, wiring);
  } catch (cause) {
    lock?.release();
    throw asFileError(cause);
  }
}

async function openLocked(folder: LearnerFolder, options: SettingsOptions, wiring: Wiring): Promise<Engine> {
  const { model } = options;
  const { heldOut, niceness, allowOperators } = wiring;
  const { threads } = await chooseDevice('cpu', options.threads ?? 'leave-one');
  const gate = heldOut && (await Gate.open(heldOut));
  const source = versionSource(folder.path, folder.files, model, { allowOperators, keep: true });
  const save: typeof source.save = async (...version) => {
    await folder.lock.check();
    return source.save(...version);
  };
  const contextFor = contextMaker({ gate, files: { ...source, save }, niceness, allowOperators });
  const settingsAfter = (recorded?: Settings) => {
    if (recorded?.heldOut && !options.gate) throw heldOutMissing(folder.path);
    return learnerSettings(options, gate?.sha256 ?? '', threads, recorded);
  };
  const openOnce = async (): Promise<Engine | undefined> => {
    const base = await findBase(folder.path, async (snapshot) => {
      const used = snapshot.model ?? model ?? recogniseModel(snapshot.state);
      // An operator that is not allowed is no fault of the snapshot.
      await programHandle(used.program, allowOperators);
      return async () => machineFrom(snapshot, await contextFor(snapshot.settings, used, snapshot.state));
    });
    if (!base) return begin(folder, { model, checkpoint: wiring.checkpoint, settingsAfter, contextFor });
    try {
      return await resume(folder, base, { model, settingsAfter, contextFor });
    } finally {
      base.snapshot.state.dispose();
    }
  };
  try {
    // Once more after a last record was removed that was never acknowledged.
    for (;;) {
      const engine = await openOnce();
      if (engine) return engine;
    }
  } catch (cause) {
    gate?.dispose();
    throw cause;
  }
}

function heldOutMissing(folder: string): LearnError {
  return new LearnError(
    'ERR_INVALID_OPTION',
    `Versions of the learner in ${folder} may serve only if they pass held-out samples: give them again as ` +
      'gate: { heldOut }, or gate: {} to continue without',
  );
}
