// Labels and targets as callers give them.
import { type Check, checkOptions, invalid, isOneOf, isRecord } from '../core/checks';
import { LearnError } from '../core/errors';
import {
  copyOfValues,
  holdsIndices,
  ignoredToken,
  sizeOf,
  type TargetForm,
  type TargetKind,
  type TargetValues,
  targetKinds,
  typeOfArray,
  type Values,
  type ValueType,
  valueArrays,
} from '../core/sample-values';

/** Targets of all samples, one after the other. */
export interface TargetData {
  /**
   * `class`: the index of a class; `classes`: 0 or 1 for each class; `values`: numbers; `tokens`: an index of a class at each
   * position, or -100, which counts as none. Default: `values` for float32, otherwise `class` without a shape and `tokens` with one.
   */
  readonly kind?: TargetKind;
  readonly data: Values;
  /** Of one sample. Default: [], a number. */
  readonly shape?: readonly number[];
}

type Targets = TargetForm & { readonly data: TargetValues };

/** Indices of classes are int32. */
export const mostLabels = 2 ** 31;

export function targetsOfLabels(labels: Int32Array): Targets {
  return Object.freeze({ kind: 'class', data: labels, shape: Object.freeze([]) });
}

/** A copy: an Int32Array, in which a number that does not fit would become another. */
export const isLabels: Check = (value, name) => {
  if (typeOfArray(value) === 'int32') return copyOfValues(value, ['int32'], name);
  const copy = Array.isArray(value) ? Array.from(value) : undefined;
  if (!copy?.every(Number.isSafeInteger)) throw invalid('an Int32Array or an array of integers', name, value);
  return indices(copy, (at) => `labels[${at}]`, 'labels');
};

function indices(numbers: readonly number[], place: (at: number) => string, noun: string): Int32Array {
  const copy = Int32Array.from(numbers);
  const wrong = numbers.findIndex((number, i) => number !== copy[i]);
  if (wrong < 0) return copy;
  throw new LearnError(
    'ERR_DATA_FORMAT',
    `Expected ${noun} from 0 to ${mostLabels - 1} but ${place(wrong)} is ${numbers[wrong]}`,
  );
}

/** A copy of the targets, in the type that their kind has. */
export const isTargets: Check = (value, name) => {
  if (!isRecord(value)) throw invalid('{ kind, data, shape }', name, value);
  const {
    kind,
    data,
    shape = [],
  } = checkOptions(name, value as unknown as TargetData, {
    kind: (given) => isOneOf(targetKinds)(given, `${name}.kind`),
    data: (given) => isData(given, `${name}.data`),
    shape: (given) => isShape(given, `${name}.shape`),
  });
  if (kind === 'none' && data && data.length > 0) throw invalid('no data for targets "none"', `${name}.data`, data);
  if (kind === 'none') return Object.freeze({ kind, data: new Int32Array(), shape: Object.freeze([]) });
  if (data === undefined) throw invalid('a typed array', `${name}.data`, undefined);
  const own = kind ?? kindOf(data, shape);
  if (own === 'class' && shape.length > 0) throw invalid('no shape for a class', `${name}.shape`, shape);
  return Object.freeze({
    kind: own,
    data: dataOf(own, data, sizeOf(shape), `${name}.data`),
    shape: Object.freeze([...shape]),
  });
};

function kindOf(data: Values, shape: readonly number[]): TargetKind {
  if (data instanceof Float32Array) return 'values';
  return shape.length === 0 ? 'class' : 'tokens';
}

function dataOf(kind: TargetKind, data: Values, size: number, name: string): TargetValues {
  const isFloat = data instanceof Float32Array;
  if (holdsIndices(kind)) {
    if (isFloat)
      throw invalid(
        `indices of classes, as a Uint8Array, an Int32Array or a BigInt64Array, for a target "${kind}"`,
        name,
        data,
      );
    const place = (at: number) => `the target of sample ${Math.floor(at / size)}`;
    const copy =
      data instanceof BigInt64Array
        ? indices(Array.from(data, Number), place, 'indices')
        : data instanceof Int32Array
          ? data
          : new Int32Array(data);
    return checkedIndices(copy, kind, size);
  }
  if (kind === 'values' && !isFloat) throw invalid('a Float32Array for a target "values"', name, data);
  if (data instanceof BigInt64Array)
    throw invalid('a Uint8Array, an Int32Array or a Float32Array of 0 and 1 for a target "classes"', name, data);
  const numbers = data instanceof Float32Array ? data : new Float32Array(data);
  const isRight = kind === 'classes' ? (number: number) => number === 0 || number === 1 : Number.isFinite;
  const wrong = numbers.findIndex((number) => !isRight(number));
  if (wrong < 0) return numbers;
  throw new LearnError(
    'ERR_DATA_FORMAT',
    `Expected ${kind === 'classes' ? '0 or 1 for each class' : 'finite targets'} but that of sample ${Math.floor(wrong / size)} ` +
      `holds ${numbers[wrong]}`,
  );
}

/** Tokens may also be the one that counts as no class. */
function checkedIndices(data: Int32Array, kind: TargetKind, size: number): Int32Array {
  const isRight = (index: number) => index >= 0 || (kind === 'tokens' && index === ignoredToken);
  const wrong = data.findIndex((index) => !isRight(index));
  if (wrong < 0) return data;
  throw new LearnError(
    'ERR_DATA_FORMAT',
    `Expected indices of classes, from 0, but the target of sample ${Math.floor(wrong / size)} holds ${data[wrong]}`,
  );
}

const types = Object.keys(valueArrays) as ValueType[];

/** A copy. */
const isData: Check = (value, name) => copyOfValues(value, types, name);

const isShape: Check = (value, name) => {
  const copy = Array.isArray(value) ? Array.from(value) : undefined;
  if (!copy?.every((side) => Number.isSafeInteger(side) && side >= 1))
    throw invalid('an array of positive integers', name, value);
  return copy;
};
