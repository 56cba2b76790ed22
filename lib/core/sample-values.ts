// Samples as typed arrays: every sample has one array of values for each named input, and a target.
//
// Between the border, where callers give values by name, and native code, values are in lists: one array for each input, in the
// order of the form's inputs.
import { types } from 'node:util';
import { invalid, isRecord } from './checks';
import { LearnError } from './errors';
import { listed } from './family';

/** Array types by the data types of their values. */
export const valueArrays = {
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
} as const;
/** A data type of values, by PyTorch's name. */
export type ValueType = keyof typeof valueArrays;

/** Values of one input, of one or more samples. int64 is a BigInt64Array. */
export type Values = Uint8Array | Int32Array | BigInt64Array | Float32Array;

/** Values of one or more samples by the names of their inputs. */
export type NamedValues = Readonly<Record<string, Values>>;

/** The form of one input of a sample. */
export interface InputForm {
  readonly name: string;
  readonly dtype: ValueType;
  /** Of one sample, such as [3, 32, 32]; [] for a number. */
  readonly shape: readonly number[];
}

export const targetKinds = ['class', 'classes', 'values', 'tokens', 'none'] as const;

/**
 * The kind of a target. `class`: the index of a class. `classes`: several classes at once, 0 or 1 for each. `values`: numbers, such
 * as a probability for each class. `tokens`: indices of classes in any shape, for sequences and masks of pixels. `none`: no target.
 */
export type TargetKind = (typeof targetKinds)[number];

/** The form of a sample's target. The loss gets int64 for `class` and `tokens`, float32 for `classes` and `values`. */
export interface TargetForm {
  readonly kind: TargetKind;
  /** Of one sample; [] for a single number, and for `class` and `none`. */
  readonly shape: readonly number[];
}

/** Targets of one or more samples: an Int32Array of indices for `class` and `tokens`, otherwise a Float32Array. */
export type TargetValues = Int32Array | Float32Array;

/** The form of a sample: its inputs and its target. */
export interface SampleForm {
  readonly inputs: readonly InputForm[];
  readonly target: TargetForm;
  /** The number of classes for `class` and `tokens`, whose indices are below it; 0 for other targets. */
  readonly classes: number;
}

/** True if targets of this kind are indices of classes. */
export function holdsIndices(kind: TargetKind): boolean {
  return kind === 'class' || kind === 'tokens';
}

/** The shape of a model's outputs for one sample that fit its target. */
export function outputShape({ target, classes }: Pick<SampleForm, 'target' | 'classes'>): readonly number[] {
  return holdsIndices(target.kind) ? [classes, ...target.shape] : target.shape;
}

/** The name of the only input where the caller names none. */
export const onlyInput = 'input';

/** The token that counts as no class, as in PyTorch's cross-entropy. */
export const ignoredToken = -100;

export function typeOf(values: Values): ValueType {
  const found = (Object.keys(valueArrays) as ValueType[]).find((type) => values instanceof valueArrays[type]);
  if (!found) throw new TypeError('Expected an array of values');
  return found;
}

/** Returns the number of values of a sample of that shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Returns a view of the values' bytes. */
export function bytesOf({ buffer, byteOffset, byteLength }: Values): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Joins arrays, at least one and all of the same type and size, into one array; a view of them if they follow one another in memory, as
 * the samples of one call do.
 */
export function joined<Array extends Values>(samples: readonly Array[]): Array {
  const [first] = samples as [Array];
  const type = valueArrays[typeOf(first)] as new (
    buffer: ArrayBufferLike | number,
    at?: number,
    length?: number,
  ) => Values;
  const { buffer, byteOffset, byteLength, length } = first;
  const isNext = (sample: Array, i: number) =>
    sample.buffer === buffer && sample.byteOffset === byteOffset + i * byteLength;
  if (samples.every(isNext)) return new type(buffer, byteOffset, samples.length * length) as Array;
  const all = new type(samples.length * length) as Array;
  for (const [i, sample] of samples.entries()) all.set(sample as never, i * length);
  return all;
}

/** A view of the values `from` to `to` - 1. */
export function part<Array extends Values>(values: Array, from: number, to: number): Array {
  return values.subarray(from, to) as Array;
}

const isArrayOf: Readonly<Record<ValueType, (value: unknown) => boolean>> = {
  uint8: types.isUint8Array,
  int32: types.isInt32Array,
  int64: types.isBigInt64Array,
  float32: types.isFloat32Array,
};

/** The data type of an array of values; undefined: it is something else, such as a Proxy of one. */
export function typeOfArray(values: unknown): ValueType | undefined {
  return (Object.keys(isArrayOf) as ValueType[]).find((type) => isArrayOf[type](values));
}

/**
 * Returns a private copy. `inputs` may be of another realm or a subclass: only the numbers are read. Throws
 * ERR_INVALID_OPTION, naming `name`, if `inputs` is not an array of one of these types.
 */
export function copyOfValues(inputs: unknown, accepted: readonly ValueType[], name = 'inputs'): Values {
  const type = accepted.find((one) => isArrayOf[one](inputs));
  if (!type) throw invalid(listed(accepted.map((one) => aOrAn(valueArrays[one].name))), name, inputs);
  try {
    // slice() of a Buffer would return a view.
    return new (valueArrays[type] as new (values: unknown) => Values)(inputs);
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new LearnError('ERR_OUT_OF_MEMORY', `There is not enough memory for a copy of "${name}"`, { cause });
    }
    throw new LearnError('ERR_INVALID_OPTION', `Expected values for "${name}" but its buffer was detached or shrunk`, {
      cause,
    });
  }
}

function aOrAn(noun: string): string {
  return /^[AEIO]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

/**
 * Returns private copies of the values of samples, one array for each input of the form. `given`: an array where there is one
 * input, or an object with an array for each of them by name. Throws ERR_INVALID_OPTION where an input is missing, unknown, or
 * of another type.
 */
export function copyOfInputs(given: unknown, forms: readonly InputForm[], name = 'inputs'): Values[] {
  const [first] = forms;
  if (!isRecord(given) && first && forms.length === 1) return [copyOfValues(given, [first.dtype], name)];
  const values = valuesByName(given, forms, name);
  return forms.map((form, i) => copyOfValues(values[i], [form.dtype], `${name}.${form.name}`));
}

/** The fields of an object with one for each input, in their order. Throws ERR_INVALID_OPTION if it has others. */
export function valuesByName(given: unknown, forms: readonly InputForm[], name: string): unknown[] {
  const names = forms.map((form) => form.name);
  if (!isRecord(given)) throw invalid(`an object with values for ${names.join(', ')}`, name, given);
  const unknown = Object.keys(given).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    const text = `Unknown input "${unknown.slice(0, 40)}" in "${name}"; the inputs are ${names.join(', ')}`;
    throw new LearnError('ERR_INVALID_OPTION', text);
  }
  return names.map((key) => (Object.hasOwn(given, key) ? given[key] : undefined));
}
