// Samples as callers give them. They are checked and copied at the call: nothing of the caller's is read later, so that nothing can
// change, or throw, while samples are learned. A wrong type rejects the call, and none of its samples counts; a sample with wrong
// values goes to quarantine.
import { types } from 'node:util';
import { invalid } from '../../core/checks';
import { LearnError } from '../../core/errors';
import {
  copyOfInputs,
  copyOfValues,
  type InputForm,
  ignoredToken,
  type NamedValues,
  part,
  type SampleForm,
  sizeOf,
  type TargetForm,
  type Values,
  type ValueType,
} from '../../core/sample-values';
import type { Score } from '../../metrics/prequential';
import type { LearnerContext } from '../context';
import type { Refusal } from '../reasons';
import { idOf, type SampleId } from '../seen-ids';

/**
 * Samples with their targets, of the form that `learner.sample` reports.
 *
 * @example
 * ```ts
 * await learner.learn({ inputs: images, labels: [3, 8] });
 * await learner.learn({ inputs: { input_ids, attention_mask }, targets, ids });
 * ```
 */
export interface Samples {
  /** [sample, …] row by row; by their names, if a sample has several inputs. */
  inputs: Values | NamedValues;
  /** For targets that are classes: one a sample, from 0. */
  labels?: Int32Array | readonly number[];
  /** For other targets: [sample, …] row by row. `tokens` may be -100, which is ignored. */
  targets?: TargetArray;
  /**
   * One a sample: a string, an integer or a bigint, of at most 1 KiB; undefined and null mean no id. Of several samples with equal
   * ids one is learned; ids that print alike are equal.
   */
  ids?: readonly (SampleId | null | undefined)[] | null | undefined;
}

export type TargetArray = Int32Array | BigInt64Array | Uint8Array | Float32Array;

/** A class, as it was given; of other targets, all values of one sample. */
export type Target = number | Float64Array;

export interface Sample {
  /** null: no id; the sample may be learned any number of times. */
  id: string | null;
  target: Target;
  /** One array for each input of the learner's samples, in their order. */
  inputs: readonly Values[];
  /** Score of an earlier prediction; null: the weights that score predict it when it is learned. */
  score?: Score | null;
  /** True if the id stays free when the target is invalid, since another target may follow. */
  awaitsTarget?: boolean;
}

/** The inputs of a sample that is known, and will not be learned. */
export const noInputs: readonly Values[] = [];

/** Copies samples one by one. Throws ERR_INVALID_OPTION or ERR_SHAPE if they are invalid. */
export function samplesIn(samples: unknown, context: Pick<LearnerContext, 'sample'>): Sample[] {
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

function readSamples(samples: unknown, { sample }: Pick<LearnerContext, 'sample'>): Sample[] {
  if (typeof samples !== 'object' || samples === null) {
    const targets = sample.target.kind === 'class' ? 'labels' : 'targets';
    throw invalid(`an object with inputs, ${targets} and maybe ids`, 'samples', samples);
  }
  const givenIds = fieldOf(samples, 'ids');
  const copies = copyOfInputs(fieldOf(samples, 'inputs'), sample.inputs);
  const targets = targetsIn(samples, sample, copies);
  checkWhole(copies, targets.length, sample);
  const ids = givenIds === undefined || givenIds === null ? undefined : idsIn(givenIds, targets.length);
  const cut = (values: Values, i: number) => Math.floor((i * values.length) / targets.length);
  return targets.map((target, i) => ({
    id: ids?.[i] ?? null,
    target,
    inputs: copies.map((values) => part(values, cut(values, i), cut(values, i + 1))),
  }));
}

/** Values that are not the same number for each sample would be cut at wrong places. */
function checkWhole(inputs: readonly Values[], count: number, { inputs: forms }: SampleForm): void {
  const broken = inputs.findIndex(({ length }) => length % count !== 0);
  if (broken < 0) return;
  const place = forms.length > 1 ? `inputs.${forms[broken]!.name}` : 'inputs';
  throw new LearnError(
    'ERR_SHAPE',
    `Expected values of ${count} samples, all of one size, for "${place}" but there are ${inputs[broken]!.length}`,
  );
}

/** A field of the caller's object or of its class. Nothing on Object.prototype, of any realm, counts. */
function fieldOf(samples: object, name: keyof Samples): unknown {
  for (
    let at: object | null = samples;
    at !== null && !Object.hasOwn(at, 'isPrototypeOf');
    at = Object.getPrototypeOf(at)
  ) {
    if (Object.hasOwn(at, name)) return (samples as Samples)[name];
  }
  return undefined;
}

/** The targets of samples with these inputs: labels if they are classes, else targets. Throws if they are invalid. */
function targetsIn(samples: object, { inputs: forms, target }: SampleForm, inputs: readonly Values[]): Target[] {
  const [wanted, other] = target.kind === 'class' ? (['labels', 'targets'] as const) : (['targets', 'labels'] as const);
  if (fieldOf(samples, other) !== undefined) {
    const kind = `since targets are of the kind '${target.kind}'`;
    throw new LearnError('ERR_INVALID_OPTION', `Expected "${wanted}" instead of "${other}", ${kind}`);
  }
  const values = fieldOf(samples, wanted);
  // A length that a caller claims must not allocate more than the inputs justify.
  const fits = (count: number, what: string) => {
    const short = inputs.findIndex((values) => Math.max(1, values.length) < count);
    if (short < 0) return;
    const of = inputs.length > 1 ? ` in "inputs.${forms[short]!.name}"` : '';
    const most = Math.max(1, inputs[short]!.length);
    throw new LearnError('ERR_SHAPE', `Expected values for each of ${count} ${what} but there are ${most}${of}`);
  };
  if (wanted === 'targets') {
    const rows = targetRows(values, target);
    fits(rows.length, 'targets');
    return rows;
  }
  const given = listIn(values, 'an Int32Array or an array, of at least one label', 'labels', types.isInt32Array);
  fits(given.length, 'labels');
  return labelNumbers(given);
}

const targetTypes: readonly ValueType[] = ['int32', 'int64', 'uint8', 'float32'];

/**
 * Copies targets that are not classes, of `count` samples, or of any number but 0. Throws ERR_INVALID_OPTION unless they are an array of
 * such values, ERR_SHAPE unless its length fits.
 */
export function targetRows(targets: unknown, { shape }: TargetForm, count?: number): Float64Array[] {
  const copy = copyOfValues(targets, targetTypes, 'targets');
  const size = sizeOf(shape);
  const rows = copy.length / size;
  if (!(Number.isInteger(rows) && rows > 0 && rows === (count ?? rows))) {
    const expected = count === undefined ? `a multiple of ${size} values` : `${count * size} values`;
    throw new LearnError(
      'ERR_SHAPE',
      `Expected ${expected} for "targets", one sample's being of shape [${shape.join(', ')}], but there are ${copy.length}`,
    );
  }
  return Array.from({ length: rows }, (_, i) => numbersOf(part(copy, i * size, (i + 1) * size)));
}

/** A loop, since Float64Array.from() with a function takes thirty times as long. */
function numbersOf(values: Values): Float64Array {
  if (!(values instanceof BigInt64Array)) return new Float64Array(values);
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) numbers[i] = Number(values[i]);
  return numbers;
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

/** True if a target can be learned: a class that exists, or values of its kind. */
export function isTarget(target: Target, { sample }: Pick<LearnerContext, 'sample'>): boolean {
  const { classes, target: form } = sample;
  if (typeof target === 'number') return form.kind === 'class' && isIndex(target, classes);
  return target.length === sizeOf(form.shape) && isLearnable(target, form.kind, classes);
}

const isIndex = (value: number, classes: number) => Number.isInteger(value) && value >= 0 && value < classes;

function isLearnable(target: Float64Array, kind: TargetForm['kind'], classes: number): boolean {
  let counted = 0;
  for (let i = 0; i < target.length; i++) {
    const value = target[i]!;
    if (kind === 'tokens' && value === ignoredToken) continue;
    counted++;
    if (kind === 'tokens' && !isIndex(value, classes)) return false;
    if (kind === 'classes' && value !== 0 && value !== 1) return false;
    if (kind === 'values' && !Number.isFinite(Math.fround(value))) return false;
  }
  // The loss of nothing but ignored tokens is 0 / 0.
  return counted > 0 && kind !== 'class' && kind !== 'none';
}

/** The targets that samples can have, for messages. */
function expectedTarget({ target: { kind }, classes }: SampleForm): string {
  switch (kind) {
    case 'tokens':
      return `tokens from 0 to ${classes - 1}, or ${ignoredToken} for those to ignore, at least one of them not ignored`;
    case 'classes':
      return '0 or 1 for each class';
    case 'values':
      return 'finite values (as float32)';
    default:
      return `a label from 0 to ${classes - 1}`;
  }
}

/** The reason why a sample cannot be learned; undefined: it can. */
export function refusalOf({ inputs, target, awaitsTarget }: Sample, context: LearnerContext): Refusal | undefined {
  const { sample, gate } = context;
  if (!isTarget(target, context)) {
    return { code: 'label', message: `expected ${expectedTarget(sample)}`, isFree: awaitsTarget === true };
  }
  for (const [i, form] of sample.inputs.entries()) {
    const refusal = refusalOfInput(inputs[i], form, sample.inputs.length > 1);
    if (refusal) return refusal;
  }
  return gate?.holds(inputs, sample.inputs)
    ? { code: 'heldOut', message: 'it is one of the held-out samples', isFree: false }
    : undefined;
}

/** `values`: undefined, if the sample does not have its own. */
function refusalOfInput(values: Values | undefined, { name, shape }: InputForm, isNamed: boolean): Refusal | undefined {
  const size = sizeOf(shape);
  if (values?.length !== size) {
    const expected = `expected ${size} values a sample${isNamed ? ` for "${name}"` : ''}, of shape [${shape.join(', ')}]`;
    return { code: 'shape', message: `${expected}, but there are ${values?.length ?? 0}`, isFree: false };
  }
  if (values instanceof Float32Array && !allFinite(values)) {
    return { code: 'value', message: `a value${isNamed ? ` of "${name}"` : ''} is not finite`, isFree: false };
  }
  return undefined;
}

/** A tenth of the time of `values.every(Number.isFinite)`: a product with 0 is 0, or NaN where the factor is not finite. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}
