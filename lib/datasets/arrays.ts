// Samples in memory.

import { type Check, checkOptions, invalid, isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { member } from '../core/family';
import { sizeOf } from '../core/sample-values';
import { native } from '../native/native';
import { makeDataset, type Opening } from './opening';

export interface Arrays {
  readonly kind: 'arrays';
  /** All samples, one after the other. Read when a run begins, not before. */
  readonly inputs: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  /** One sample: [channels, height, width] for images. */
  readonly shape: readonly number[];
  readonly classes: number;
}

/**
 * Samples that are already in memory. uint8 images go through transforms; float32 reaches the model as it is, but for
 * `normalize`. The arrays are copied when a run begins (a few tenths of a millisecond a megabyte).
 *
 * @example
 * ```ts
 * // Four images of 3 x 32 x 32 bytes, of two classes.
 * const data = arrays({ inputs: new Uint8Array(4 * 3072), labels: [0, 1, 0, 1], shape: [3, 32, 32] });
 * ```
 */
export function arrays(options: {
  inputs: Uint8Array | Float32Array;
  /** One a sample, from 0. */
  labels: Int32Array | readonly number[];
  /** Of one sample: [channels, height, width] for images. */
  shape: readonly number[];
  /** Default: the highest label and one. */
  classes?: number;
}): Arrays {
  const given = checkOptions('arrays', options, {
    inputs: isInputs,
    labels: isLabels,
    shape: isIntegers,
    classes: isNumber({ integer: true, min: 1, max: mostLabels }),
  });
  for (const required of ['inputs', 'labels', 'shape'] as const) {
    if (given[required] === undefined) throw invalid('a value', required, undefined);
  }
  const { inputs, shape } = given;
  const labels = given.labels as Int32Array;
  const size = sizeOf(shape);
  if (shape.length === 0 || shape.some((length) => length < 1)) throw invalid('positive sizes', 'shape', shape);
  if (inputs.length !== labels.length * size) {
    throw new LearnError(
      'ERR_DATA_FORMAT',
      `Expected ${labels.length} samples of shape [${shape.join(', ')}], one for each label, which is ` +
        `${labels.length * size} values, but inputs has ${inputs.length}`,
    );
  }
  const classes = given.classes ?? labels.reduce((highest, label) => Math.max(highest, label), 0) + 1;
  return member({ kind: 'arrays', inputs, labels, shape, classes });
}

/** Labels are kept as int32. */
const mostLabels = 2 ** 31;

const isInputs: Check = (value, name) => {
  const fits = (value instanceof Uint8Array && !(value instanceof Uint8ClampedArray)) || value instanceof Float32Array;
  if (!fits) throw invalid('a Uint8Array or a Float32Array', name, value);
};

/** A copy. */
const isIntegers: Check = (value, name) => {
  const copy = Array.isArray(value) ? Array.from(value) : undefined;
  if (!copy?.every(Number.isSafeInteger)) throw invalid('an array of integers', name, value);
  return Object.freeze(copy);
};

/** A copy: an Int32Array, in which a number that does not fit would become another. */
const isLabels: Check = (value, name) => {
  if (value instanceof Int32Array) return Int32Array.from(value);
  const copy = Array.isArray(value) ? Array.from(value) : undefined;
  if (!copy?.every(Number.isSafeInteger)) throw invalid('an Int32Array or an array of integers', name, value);
  const labels = Int32Array.from(copy);
  const wrong = copy.findIndex((label, i) => label !== labels[i]);
  if (wrong < 0) return labels;
  throw new LearnError(
    'ERR_DATA_FORMAT',
    `Expected labels from 0 to ${mostLabels - 1} but labels[${wrong}] is ${copy[wrong]}`,
  );
};

function beginArrays({ inputs, labels, shape, classes }: Arrays): Opening {
  const copy = makeDataset({ kind: 'arrays', inputs, labels, shape: [...shape], classes });
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
