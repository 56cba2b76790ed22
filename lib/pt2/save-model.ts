// Saves a model that came from a .pt2 as one with other weights.
import { stemOf, writeRecords } from '../checkpoint/write';
import { checkOptions, invalid, isPath, isSignal } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { isModel } from '../models';
import { checkState } from '../models/recognise';
import { native } from '../native/native';
import type { LayoutPlan } from '../native/state-plans';
import type { Model } from '../program/module';
import { heldHandle, holding, State } from '../state/state';
import { type Origin, type OriginPlace, type OriginRecord, originOf } from './origin';
import { payloadConfig } from './payload-config';
import { mapInTurns } from './turns';

/** What {@link saveModel} writes. */
export interface SavedModel {
  /** A model that loadModel() returned. */
  model: Model;
  /** Its weights, as training returns them. */
  state: State;
  /** Rejects with its reason when it is aborted; the old file is then unchanged. */
  signal?: AbortSignal;
}

/**
 * Saves a model of loadModel() with new weights, for `torch.export.load(path)` in Python: its programs byte for byte, in the archive of
 * torch 2.9 and newer, whichever PyTorch wrote the original. Frozen parameters, ties, strides and constants are as they were there.
 * Extra files are kept, sample inputs left out. The file is replaced all at once, as by {@link saveState}.
 *
 * @example
 * ```ts
 * const { model, state } = await loadModel('model.pt2');
 * const trained = await trainIncremental(state, { model, data: cifar10({ root: './data' }) });
 * await saveModel('updated.pt2', { model, state: trained.state });
 * ```
 */
export async function saveModel(path: string, what: SavedModel): Promise<void> {
  isPath(path, 'path');
  const { model, state, signal } = checkOptions('saveModel', what, {
    model: isModel,
    state: isState,
    signal: isSignal,
  });
  isModel(model, 'model');
  isState(state, 'state');
  const origin = originOf(model);
  if (origin === undefined)
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected a model that loadModel() returned for "model" but ${model.name} was not loaded from a .pt2, so there is no program for ` +
        'PyTorch to save; save its weights with saveState()',
    );
  checkState(model, state);
  await writeProgram(path, origin, state, signal);
}

function isState(value: unknown, name: string): void {
  if (!(value instanceof State)) throw invalid('a State', name, value);
}

/** Writes what an archive held with the weights of a state. */
export async function writeProgram(path: string, origin: Origin, state: State, signal?: AbortSignal): Promise<void> {
  await holding(state, async () => {
    const { plan, places } = await layoutPlan(origin, state, signal);
    const laid = await fromNative(() => native().layOut(heldHandle(state), plan));
    try {
      const displaced = laid.displaced.map((index) => places[index]!);
      const records = await recordsOf(origin, displaced, signal);
      await writeRecords([origin.kept, laid.storages], records, path, stemOf(path), { signal });
    } finally {
      native().disposeState(laid.storages);
    }
  });
}

/** `places`: the origin's place of each place of the plan. */
async function layoutPlan(
  origin: Origin,
  state: State,
  signal: AbortSignal | undefined,
): Promise<{ plan: LayoutPlan; places: number[] }> {
  const indices = new Map(state.names.map((name, index) => [name, index]));
  const used = new Set<number>();
  const [dtypes, numbers, places]: [string[], number[], number[]] = [[], [], []];
  const add = ({ dtype, shape, stride, offset, storage, names }: OriginPlace, place: number) => {
    const tensors = names.flatMap((name) => indices.get(name) ?? []);
    for (const index of tensors) {
      used.add(index);
      const { name, dtype: found } = state.tensors[index]!;
      if (found !== dtype) throw mismatch(`"${name}" to be ${dtype}, as in the program, but it is ${found}`);
    }
    // Batch norms of old checkpoints have no count, which then starts at 0.
    const isCount = shape.length === 0 && names.every((name) => /(^|\.)num_batches_tracked$/.test(name));
    if (tensors.length === 0 && isCount) return;
    if (tensors.length === 0) throw mismatch(`a tensor "${names[0]}" but the state has none`);
    dtypes.push(dtype);
    places.push(place);
    numbers.push(storage, offset, shape.length, ...shape, ...stride, tensors.length);
    for (const index of tensors) numbers.push(index);
  };
  await mapInTurns(origin.places, add, signal);
  const other = state.names.find((_, index) => !used.has(index));
  if (other !== undefined) throw mismatch(`only tensors of the program but the state has "${other}" too`);
  const storages = Float64Array.from(origin.storages, ({ bytes }) => bytes);
  return { plan: { storages, dtypes, places: Float64Array.from(numbers) }, places };
}

function mismatch(expected: string): LearnError {
  return new LearnError(
    'ERR_STATE_MISMATCH',
    `Expected ${expected}; save the state that belongs to this model, or its weights alone with saveState()`,
  );
}

/** All records of the new archive. `displaced`: places whose tensors are stored apart, after the storages of the origin. */
async function recordsOf(
  origin: Origin,
  displaced: readonly number[],
  signal: AbortSignal | undefined,
): Promise<(readonly [name: string, content: Uint8Array | number])[]> {
  const names = origin.storages.map(({ record }) => record);
  const apart = new Map(apartFrom(names, displaced.length).map((name, i) => [displaced[i]!, name]));
  const config = async ({ name, content, weights }: OriginRecord) => {
    if (!weights?.some(({ place }) => apart.has(place))) return [name, content] as const;
    const moved = weights.map((weight) => {
      const record = apart.get(weight.place);
      return record === undefined ? weight : { ...weight, record, offset: 0 };
    });
    return [name, await payloadConfig(moved, signal)] as const;
  };
  const text = (name: string, content: string) => [name, Buffer.from(content)] as const;
  const weights = [...names, ...[...apart.values()].map((name) => folder + name)];
  return [
    ...weights.map((name, i) => [name, origin.keptCount + i] as const),
    ...(await mapInTurns(origin.records, config, signal)),
    text('archive_format', 'pt2'),
    text('archive_version', '0'),
    text('.data/version', '6\n'),
    text('byteorder', 'little'),
  ];
}

const folder = 'data/weights/';

/** Names of records that an archive does not have. */
function apartFrom(records: readonly string[], count: number): string[] {
  const [taken, free]: [Set<string>, string[]] = [new Set(records), []];
  for (let i = 0; free.length < count; i++) if (!taken.has(`${folder}weight_${i}`)) free.push(`weight_${i}`);
  return free;
}
