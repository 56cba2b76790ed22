// Samples in memory.

import { type Check, checkOptions, invalid, isNumber, isRecord } from '../core/checks';
import { LearnError } from '../core/errors';
import { member } from '../core/family';
import {
  holdsIndices,
  onlyInput,
  sizeOf,
  type TargetForm,
  type TargetValues,
  typeOfArray,
  type Values,
} from '../core/sample-values';
import { native } from '../native/native';
import { makeDataset, type Opening } from './opening';
import { isLabels, isTargets, mostLabels, type TargetData, targetsOfLabels } from './targets';

/** All values of one input, sample after sample. */
export interface InputData {
  /** Read when a run begins, not before. */
  readonly data: Values;
  /** Of one sample: [channels, height, width] for images, [] for a number. */
  readonly shape: readonly number[];
}

/** The value of {@link arrays}. */
export interface Arrays {
  readonly kind: 'arrays';
  readonly inputs: Readonly<Record<string, InputData>>;
  readonly targets: TargetForm & { readonly data: TargetValues };
  readonly classes: number;
}

interface CommonOptions {
  /** The number of classes of labels and tokens. Default: one more than the highest of them. */
  classes?: number;
}

/** Samples of one input, with labels. */
export interface OneInput extends CommonOptions {
  inputs: Values;
  /** One a sample, from 0. */
  labels: Int32Array | readonly number[];
  /** Of one sample: [channels, height, width] for images. */
  shape: readonly number[];
}

/** Samples of named inputs. Without labels and targets they have no target. */
export interface NamedInputs extends CommonOptions {
  inputs: Readonly<Record<string, InputData>>;
  /** One class a sample, from 0. */
  labels?: Int32Array | readonly number[];
  /** Targets of any kind, instead of labels. */
  targets?: TargetData;
}

/**
 * Samples that are already in memory. Images of uint8 go through transforms; float32 reaches the model as it is, but for
 * `normalize`; all else is cast to the type that the model takes, where that loses nothing. Inputs are copied when a run begins
 * (a few tenths of a millisecond a megabyte), labels and targets at the call.
 *
 * Samples of one input and a class have a short form. Otherwise inputs have names, which are those of the model's inputs, and a
 * target is a class, several of them, values, tokens, or none.
 *
 * @example
 * ```ts
 * // Four images of 3 x 32 x 32 bytes, of two classes.
 * const images = arrays({ inputs: new Uint8Array(4 * 3072), labels: [0, 1, 0, 1], shape: [3, 32, 32] });
 *
 * // Two texts of 128 tokens, each with three numbers to predict.
 * const texts = arrays({
 *   inputs: {
 *     input_ids: { data: new BigInt64Array(2 * 128), shape: [128] },
 *     attention_mask: { data: new BigInt64Array(2 * 128), shape: [128] },
 *   },
 *   targets: { data: new Float32Array(2 * 3), shape: [3] },
 * });
 * ```
 */
export function arrays(options: OneInput | NamedInputs): Arrays {
  const given = checkOptions('arrays', options as OneInput & NamedInputs, {
    inputs: isInputs,
    labels: isLabels,
    targets: isTargets,
    shape: isShape,
    classes: isNumber({ integer: true, min: 0, max: mostLabels }),
  });
  const inputs = inputsOf(given);
  if (given.labels !== undefined && given.targets !== undefined) {
    throw invalid('either labels or targets, not both,', 'targets', given.targets);
  }
  const targets = given.labels ? targetsOfLabels(given.labels as Int32Array) : (given.targets ?? noTargets);
  const made = targets as Arrays['targets'];
  checkCounts(inputs, made);
  return member({ kind: 'arrays', inputs, targets: made, classes: classesOf(made, given.classes) });
}

const noTargets = Object.freeze({ kind: 'none', data: new Int32Array(), shape: Object.freeze([]) } as const);

function inputsOf({ inputs, shape, labels }: OneInput & NamedInputs): Arrays['inputs'] {
  if (inputs === undefined) throw invalid('a value', 'inputs', undefined);
  if (ArrayBuffer.isView(inputs)) {
    for (const [name, value] of Object.entries({ labels, shape })) {
      if (value === undefined) throw invalid('a value', name, undefined);
    }
    return Object.freeze({ [onlyInput]: Object.freeze({ data: inputs, shape }) });
  }
  if (shape !== undefined) throw invalid('no shape, since each of the named inputs has its own,', 'shape', shape);
  return inputs;
}

/** Every input and the target must have as many samples. */
function checkCounts(inputs: Arrays['inputs'], targets: Arrays['targets']): void {
  const entries = Object.entries(inputs);
  const [, first] = entries[0]!;
  const hasTargets = targets.kind !== 'none';
  const size = sizeOf(targets.shape);
  if (hasTargets && targets.data.length % size !== 0) {
    throw new LearnError(
      'ERR_DATA_FORMAT',
      `Expected targets of shape [${targets.shape.join(', ')}], which are ${size} values each, but "targets" has ${targets.data.length}`,
    );
  }
  const count = hasTargets ? targets.data.length / size : Math.floor(first.data.length / sizeOf(first.shape));
  for (const [name, { data, shape }] of entries) {
    const wanted = count * sizeOf(shape);
    if (data.length === wanted) continue;
    const each = hasTargets ? `one for each ${targets.kind === 'class' ? 'label' : 'target'}, ` : '';
    const place = entries.length > 1 || name !== onlyInput ? `inputs.${name}` : 'inputs';
    throw new LearnError(
      'ERR_DATA_FORMAT',
      `Expected ${count} samples of shape [${shape.join(', ')}], ${each}which is ${wanted} values, but ${place} has ${data.length}`,
    );
  }
}

function classesOf({ kind, data }: Arrays['targets'], given: number | undefined): number {
  if (!holdsIndices(kind)) {
    // A copy of an arrays value has the 0.
    if (given)
      throw invalid(`nothing, or 0, since targets of the kind "${kind}" are no indices of classes,`, 'classes', given);
    return 0;
  }
  if (given === 0) throw invalid('an integer of at least 1', 'classes', given);
  return given ?? (data as Int32Array).reduce((highest, label) => Math.max(highest, label), 0) + 1;
}

const isInputs: Check = (value, name) => {
  if (ArrayBuffer.isView(value)) return isValues(value, name);
  const names = isRecord(value) ? Object.keys(value) : [];
  if (names.length === 0) throw invalid('a typed array, or an object with an input for each name,', name, value);
  return Object.freeze(
    Object.fromEntries(
      names.map((input) => [input, isInput((value as Record<string, unknown>)[input], `${name}.${input}`)]),
    ),
  );
};

function isInput(value: unknown, name: string): InputData {
  if (!isRecord(value)) throw invalid('{ data, shape }', name, value);
  const { data, shape } = checkOptions(name, value as unknown as InputData, {
    data: (given) => isValues(given, `${name}.data`),
    shape: (given) => isShape(given, `${name}.shape`),
  });
  if (data === undefined) throw invalid('a typed array', `${name}.data`, undefined);
  if (shape === undefined) throw invalid('an array of integers', `${name}.shape`, undefined);
  return Object.freeze({ data, shape });
}

const isValues: Check = (value, name) => {
  if (typeOfArray(value) === undefined)
    throw invalid('a Uint8Array, an Int32Array, a BigInt64Array or a Float32Array', name, value);
};

/** A copy. */
const isShape: Check = (value, name) => {
  const copy = Array.isArray(value) ? Array.from(value) : undefined;
  if (!copy?.every(Number.isSafeInteger)) throw invalid('an array of integers', name, value);
  if (copy.some((length) => length < 1)) throw invalid('positive sizes', name, value);
  return Object.freeze(copy);
};

function beginArrays({ inputs, targets, classes }: Arrays): Opening {
  const { data, kind, shape } = targets;
  const copy = makeDataset({
    kind: 'arrays',
    inputs: Object.entries(inputs).map(([name, input]) => ({ name, data: input.data, shape: input.shape })),
    target: { kind, shape },
    targets: data,
    classes,
  });
  // It may fail before anybody waits for it.
  copy.catch(() => {});
  let taken = false;
  return {
    finish() {
      taken = true;
      return copy;
    },
    abandon() {
      if (!taken) copy.then((handle) => native().disposeDataset(handle)).catch(() => {});
      taken = true;
    },
  };
}

export const samplesInMemory = { make: arrays, begin: beginArrays } as const;
