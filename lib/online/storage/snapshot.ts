// Snapshots: a learner's whole state in one file, replaced atomically, in the form of a PyTorch training checkpoint, which Python
// loads too. docs/online.md has the entries.
import fs from 'node:fs/promises';
import path from 'node:path';
import { naming } from '../../checkpoint/errors';
import { TensorValue, type Value } from '../../checkpoint/values';
import { writeCheckpoint } from '../../checkpoint/write';
import { fromNativeSync, LearnError } from '../../core/errors';
import type { StateHandle } from '../../native/handles';
import { type NativeLearnerState, native } from '../../native/native';
import type { LearnerPlan } from '../../native/plans';
import type { TensorRef } from '../../native/state-plans';
import type { OptimizerGroup } from '../../optimizers/parameter-groups';
import type { Model } from '../../program/module';
import { namedDict } from '../../state/class-names';
import { modulesOf } from '../../state/create';
import { loadPart } from '../../state/load';
import { makeState, type State, treeOf } from '../../state/state';
import { tensorsOf } from '../../training/checkpoint';
import { averageIn } from '../../training/kept-weights';
import { optimizerState } from '../../training/optimizer-state';
import { readOptimizer } from '../../training/read-optimizer';
import type { LearnerContext } from '../context';
import type { IdBytes } from '../seen-ids';
import type { Settings } from '../settings';
import type { JournalPosition } from './journal-format';
import type { LearnerState } from './learner-state';
import { recordedModel, recordModel } from './recorded-model';
import { recordedSettings } from './recorded-settings';
import { currentRules } from './records';

/**
 * Version of the folder's format, journal included. In format 1 the optimizer's options are among the settings, and there is no loss;
 * in formats 1 and 2 samples have one input and a class, and a model's inputs are names; up to format 3 all parameters are alike; up to
 * format 4 there is no average, and the version that serves scores samples; in format 6 the model is large: its text is a tensor of bytes,
 * or constants are in files of their own. Snapshots of other models have format 5.
 */
const format = 6;

/** Bytes of a text in a pickle: readers refuse strings of more than a MiB. */
const mostInPickle = 2 ** 19;

/** A newer version wrote the file: it is neither damaged nor to be done without. */
export class NewerFormat extends LearnError {}

/** The state at a position of the journal, after the last record that it includes. */
export interface Snapshot extends JournalPosition {
  /** Name of the learner, drawn when it began; undefined in snapshots of earlier versions. */
  learner: string | undefined;
  settings: Settings;
  core: LearnerState;
  ids: IdBytes;
}

export interface LoadedSnapshot extends Snapshot {
  path: string;
  /** The recorded model; undefined in snapshots of earlier versions. */
  model: Model | undefined;
  /** Owns the tensors of `startOf` too. */
  state: State;
  startOf(model: Model, groups: readonly OptimizerGroup[]): LearnerPlan['start'];
  /** Nothing was learned yet, and the version that serves is not yet measured on the held-out samples. */
  isBeginning: boolean;
}

export interface SnapshotFile {
  path: string;
  sequence: number;
}

const snapshotName = (sequence: number) => `snapshot-${String(sequence).padStart(15, '0')}.pth`;

export async function snapshotFiles(folder: string): Promise<SnapshotFile[]> {
  return (await fs.readdir(folder))
    .map((name) => ({ name, match: /^snapshot-(\d{15})\.pth$/.exec(name) }))
    .filter(({ match }) => match)
    .map(({ name, match }) => ({ path: path.join(folder, name), sequence: Number(match![1]) }))
    .sort((a, b) => a.sequence - b.sequence);
}

type Handles = { readonly [Name in keyof NativeLearnerState]: StateHandle | undefined };

/** All that a native state consists of. */
export function handlesOf({ model, rest, replay, average }: Handles): StateHandle[] {
  return [model, rest, replay, average].filter((handle) => handle !== undefined);
}

/** Writes a snapshot and frees the native state given. Resolves with its bytes. */
export async function writeSnapshot(
  folder: string,
  { model, groups, classNames }: Pick<LearnerContext, 'model' | 'groups' | 'classNames'>,
  { learner, sequence, chain, settings, core, ids }: Snapshot,
  tensors: NativeLearnerState,
): Promise<number> {
  const [random, ...slots] = tensorsOf(tensors.rest);
  const { average } = tensors;
  const digests = native().makeState(
    (['previous', 'current'] as const).map((name) => ({
      ...{ name, dtype: 'uint8', shape: [ids[name].length], bytes: ids[name] },
    })),
  );
  const handles = [...handlesOf(tensors), digests];
  const { text, hasFiles } = await recordModel(folder, model).catch((cause) => {
    for (const handle of handles) native().disposeState(handle);
    throw cause;
  });
  const bytes = Buffer.from(text);
  const isLong = bytes.length > mostInPickle;
  const texts = native().makeState(isLong ? [{ name: 'program', dtype: 'uint8', shape: [bytes.length], bytes }] : []);
  handles.push(texts);
  const written = hasFiles || isLong ? format : 5;
  const root = new Map<Value, Value>([
    ['model', namedDict(treeOf(makeState(tensors.model, modulesOf(model))), classNames)],
    ['optimizer', optimizerState(groups, slots)],
    ...(average ? [['average', new Map<Value, Value>(tensorsOf(average))] as const] : []),
    ['random', random![1]],
    ['replay', new Map<Value, Value>(tensorsOf(tensors.replay))],
    ['ids', new Map<Value, Value>(tensorsOf(digests))],
    ['learner', JSON.stringify({ format: written, rules: currentRules, learner, sequence, chain, settings, core })],
    ['program', isLong ? tensorsOf(texts)[0]![1] : text],
  ]);
  try {
    const file = path.join(folder, snapshotName(sequence));
    const left = await writeCheckpoint(root, file, { links: 'replace' });
    if (left.length > 0) {
      throw new LearnError(
        'ERR_FILE',
        `${file} cannot be resumed from, since parts of it are too large: ${left.join(', ')}`,
      );
    }
    return (await fs.stat(file)).size;
  } finally {
    for (const handle of handles) native().disposeState(handle);
  }
}

export async function readSnapshot(file: SnapshotFile): Promise<LoadedSnapshot> {
  const state = await loadPart(file.path, { key: ['model'] });
  try {
    refuseNewer(file.path, state);
    return await naming(file.path, () => read(file, state));
  } catch (cause) {
    state.dispose();
    throw cause;
  }
}

function savedIn(state: State) {
  const text = state.metadata.get('learner');
  return typeof text === 'string' ? JSON.parse(text) : undefined;
}

function refuseNewer(file: string, state: State): void {
  const found = savedIn(state)?.format;
  if (!(Number.isSafeInteger(found) && found > format)) return;
  throw new NewerFormat(
    'ERR_STATE_FORMAT',
    `${file} has format ${found}, and this version knows formats up to ${format}: a newer version wrote it. Open the learner with ` +
      'that one; nothing was changed',
  );
}

async function read({ path: name, sequence }: SnapshotFile, state: State): Promise<LoadedSnapshot> {
  const entry = (key: string) => state.metadata.get(key) as Value | undefined;
  const saved = savedIn(state);
  if (!(saved?.format >= 1 && saved.sequence === sequence)) {
    throw new LearnError('ERR_STATE_FORMAT', `Expected the snapshot of a learner after record ${sequence}`);
  }
  const { rules = 1, learner } = saved;
  if (!(rules >= 1 && rules <= currentRules)) {
    throw new LearnError('ERR_STATE_FORMAT', `Its rules have the number ${rules}, which this version does not know`);
  }
  const program = entry('program');
  const text = program instanceof TensorValue ? Buffer.from(bytesIn(program)).toString() : program;
  const model = text === undefined ? undefined : await recordedModel(path.dirname(name), String(text));
  const optimizer = readOptimizer(entry('optimizer'), saved.settings);
  const replay = entry('replay');
  const startOf = (model: Model, groups: readonly OptimizerGroup[]) => ({
    random: reference(entry('random')),
    slots: optimizer.slotsOf(model, groups),
    replay: replay instanceof Map ? [...replay.values()].map(reference) : [],
    ...averageIn(entry, model),
  });
  const ids = entry('ids');
  const bytesOf = (key: string) => bytesIn(ids instanceof Map ? ids.get(key) : undefined);
  return {
    path: name,
    state,
    ...saved,
    settings: recordedSettings(saved.settings),
    learner,
    model,
    ids: { previous: bytesOf('previous'), current: bytesOf('current') },
    startOf,
    isBeginning: false,
  };
}

function bytesIn(value: Value | undefined): Uint8Array {
  const { state, index } = reference(value);
  return new Uint8Array(fromNativeSync(() => native().stateTensor(state, index)));
}

function reference(value: Value | undefined): TensorRef {
  if (value instanceof TensorValue) return { state: value.handle, index: value.index };
  throw new LearnError('ERR_STATE_FORMAT', 'Expected a tensor in the snapshot of a learner');
}
