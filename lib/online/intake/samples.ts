// Samples as callers give them. They are checked and copied at the call: nothing of the caller's is read later, so that nothing can
// change, or throw, while samples are learned. A wrong type rejects the call, and none of its samples counts; a sample with wrong
// values goes to quarantine.
import { types } from 'node:util';
import { invalid } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { copyOfValues, sizeOf, type Values } from '../../core/sample-values';
import type { Score } from '../../metrics/prequential';
import type { LearnerContext } from '../context';
import type { Refusal } from '../reasons';
import { idOf, type SampleId } from '../seen-ids';

/** Labelled samples. */
export interface Samples {
  /** [sample, …] row by row, of the learner's type and shape. */
  inputs: Values;
  /** One a sample, from 0. */
  labels: Int32Array | readonly number[];
  /**
   * One a sample: a string, an integer or a bigint, of at most 1 KiB; undefined and null mean no id. Of several samples with equal
   * ids one is learned; ids that print alike are equal.
   */
  ids?: readonly (SampleId | null | undefined)[] | null | undefined;
}

export interface Sample {
  /** null: no id; the sample may be learned any number of times. */
  id: string | null;
  label: number;
  input: Values;
  /** Score of an earlier prediction; null: the version that serves when the sample is learned predicts it. */
  score?: Score | null;
  /** Whether the id stays free if the label is out of range, since another label may follow. */
  awaitsLabel?: boolean;
}

/** The input of a sample that is known, and will not be learned. */
export const noInput: Values = new Uint8Array();

/** Copies samples one by one. Throws ERR_INVALID_OPTION or ERR_SHAPE if they are invalid. */
export function samplesIn(samples: unknown, context: Pick<LearnerContext, 'settings'>): Sample[] {
  return guarded('samples', () => readSamples(samples, context));
}

/** Runs `read`, which may run code of the caller: an error that it throws is a wrong value like others. */
export function guarded<Result>(name: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof LearnError) throw cause;
    throw new LearnError('ERR_INVALID_OPTION', `Expected plain values for "${name}" but reading them threw an error`, {
      cause,
    });
  }
}

function readSamples(samples: unknown, { settings }: Pick<LearnerContext, 'settings'>): Sample[] {
  if (typeof samples !== 'object' || samples === null) {
    throw invalid('an object with inputs, labels and maybe ids', 'samples', samples);
  }
  const { inputs, labels: givenLabels, ids: givenIds } = samples as Record<keyof Samples, unknown>;
  const copy = copyOfValues(inputs, [settings.inputs]);
  const most = Math.max(1, copy.length);
  const labels = labelsIn(givenLabels, most);
  const ids = givenIds === undefined || givenIds === null ? undefined : idsIn(givenIds, labels.length);
  const cut = (i: number) => Math.floor((i * copy.length) / labels.length);
  return labels.map((label, i) => ({ id: ids?.[i] ?? null, label, input: copy.subarray(cut(i), cut(i + 1)) }));
}

function labelsIn(labels: unknown, most: number): number[] {
  const given = listIn(labels, 'an Int32Array or an array, of at least one label', 'labels', types.isInt32Array);
  // A length that a caller claims must not allocate more than the inputs justify.
  if (given.length > most) {
    throw new LearnError('ERR_SHAPE', `Expected values for each of ${given.length} labels but there are ${most}`);
  }
  return labelNumbers(given);
}

/** Copies labels. Throws ERR_INVALID_OPTION unless all are numbers: 1n and '1' are mistakes, 1.5 is a label that is out of range. */
export function labelNumbers(labels: List): number[] {
  return copied(labels, (label, i) => {
    if (typeof label !== 'number') throw invalid('a number', `labels[${i}]`, label);
    return label;
  });
}

function idsIn(ids: unknown, count: number): (string | null)[] {
  const expected = `an array of ${count} ids, one for each label`;
  const given = listIn(ids, expected, 'ids');
  if (given.length !== count) throw invalid(expected, 'ids', ids);
  return copied(given, (id, i) => idOf(id, `ids[${i}]`));
}

interface List {
  length: number;
  at: (index: number) => unknown;
}

/** An array, or a value that `isToo` accepts, with a length of at least 1 that is read once. */
export function listIn(
  value: unknown,
  expected: string,
  name: string,
  isToo: (value: unknown) => boolean = () => false,
): List {
  if (!Array.isArray(value) && !isToo(value)) throw invalid(expected, name, value);
  const list = value as ArrayLike<unknown>;
  // A Proxy may report any length.
  const { length } = list;
  if (!(Number.isSafeInteger(length) && length > 0)) throw invalid(expected, name, value);
  return { length, at: (index) => list[index] };
}

/** Reads each item once. A list that is longer than memory fails at its first wrong item. */
export function copied<Item>({ length, at }: List, checked: (item: unknown, index: number) => Item): Item[] {
  const items: Item[] = [];
  for (let i = 0; i < length; i++) items.push(checked(at(i), i));
  return items;
}

/** Whether a label is one of the classes. */
export function isClass(label: number, { classes }: Pick<LearnerContext, 'classes'>): boolean {
  return Number.isInteger(label) && label >= 0 && label < classes;
}

/** The reason why a sample cannot be learned; undefined: it can. */
export function refusalOf(sample: Sample, context: LearnerContext): Refusal | undefined {
  const { input, label, awaitsLabel } = sample;
  const { classes, shape, gate } = context;
  if (!isClass(label, context)) {
    return { code: 'label', message: `expected a label from 0 to ${classes - 1}`, isFree: awaitsLabel === true };
  }
  const size = sizeOf(shape);
  if (input.length !== size) {
    const expected = `expected ${size} values a sample, of shape [${shape.join(', ')}]`;
    return { code: 'shape', message: `${expected}, but there are ${input.length}`, isFree: false };
  }
  if (input instanceof Float32Array && !allFinite(input)) {
    return { code: 'value', message: 'a value is not finite', isFree: false };
  }
  return gate?.holds(input)
    ? { code: 'heldOut', message: 'it is one of the held-out samples', isFree: false }
    : undefined;
}

/** A tenth of the time of `values.every(Number.isFinite)`: a product with 0 is 0, or NaN where the factor is not finite. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}
