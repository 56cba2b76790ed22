// Values of a checkpoint in JavaScript. resolve.ts makes them from a pickle, write-tree.ts writes them, and callers see them
// as State.metadata.
import { fromNativeSync, LearnError } from '../core/errors';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import { type DType, dtypes, type TensorData } from './dtypes';

/**
 * Python's OrderedDict: a Map that can carry attributes, as a state dict carries `_metadata`.
 *
 * @example
 * ```ts
 * const { metadata } = await loadState('model.pth');
 * console.log(metadata.get('_metadata') instanceof OrderedDict);
 * ```
 */
export class OrderedDict extends Map<Value, Value> {
  attributes: ReadonlyMap<Value, Value> | undefined;
}

/**
 * Python's tuple: an array that is written as a tuple.
 *
 * @example
 * ```ts
 * const { metadata } = await loadState('run.ckpt', { key: 'model' });
 * const size = metadata.get('size');
 * if (size instanceof Tuple) console.log([...size]);
 * ```
 */
export class Tuple extends Array<Value> {}

export function tupleOf(items: Iterable<Value>): Tuple {
  const tuple = new Tuple();
  for (const item of items) tuple.push(item);
  return tuple;
}

/** Python's bytearray: mutable bytes, which therefore cannot be a key. */
export class ByteArray extends Uint8Array {}

/** A Python float with an integral value, such as 1.0. As a plain number it would be written as the integer 1. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Source of the tensors of a file. It has no handle until they are loaded. */
export interface TensorSource {
  handle?: StateHandle;
}

/**
 * A tensor among the metadata, such as a momentum buffer of an optimizer.
 *
 * @example
 * ```ts
 * const { metadata } = await loadState('run.ckpt', { key: 'model' });
 * const mean = metadata.get('mean');
 * if (mean instanceof TensorValue) console.log(mean.shape, mean.data);
 * ```
 */
export class TensorValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #source: TensorSource;
  readonly #index: number;

  constructor(source: TensorSource, index: number, { dtype, shape }: { dtype: DType; shape: readonly number[] }) {
    this.#source = source;
    this.#index = index;
    this.dtype = dtype;
    this.shape = shape;
  }

  /** Index of the tensor in `handle`. */
  get index(): number {
    return this.#index;
  }

  get handle(): StateHandle {
    if (this.#source.handle) return this.#source.handle;
    throw new LearnError(
      'ERR_DISPOSED',
      'This tensor was described but not loaded; load the checkpoint with loadState()',
    );
  }

  /** A copy of the data in row-major order, in the same types as State.tensor(). */
  get data(): TensorData {
    const bytes = fromNativeSync(() => native().stateTensor(this.handle, this.#index));
    return new dtypes[this.dtype].array(bytes);
  }
}

/**
 * A Python value that is kept but not interpreted: an object of an unknown class, or a tensor of an unsupported kind. Nothing
 * that it names is ever imported or called.
 *
 * @example
 * ```ts
 * const { metadata } = await loadState('run.ckpt', { key: 'model' });
 * if (metadata.get('args') instanceof Opaque) console.log('an object of a class that is not known here');
 * ```
 */
export class Opaque {
  /** The dotted name: 'argparse.Namespace'. */
  readonly name: string;
  /** Arguments of its constructor or function. */
  readonly args: Value;
  /** Argument of its __setstate__: most often a Map of its attributes. */
  state: Value | undefined;
  /** Items that would be appended to it, and entries that would be set in it. */
  readonly items: Value[] = [];
  readonly entries: Map<Value, Value> = new Map();
  /** 'new': made by a class (NEWOBJ). 'call': made by a call (REDUCE). 'name': only a name, and `args` is null. */
  readonly how: 'name' | 'call' | 'new';

  constructor(name: string, how: 'name' | 'call' | 'new', args: Value) {
    this.name = name;
    this.how = how;
    this.args = args;
  }
}

/** A value of a pickle, as `State.metadata` has it. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Float
  | TensorValue
  | Opaque
  | Value[]
  | Set<Value>
  | ReadonlyMap<Value, Value>;

/** Copies a value for callers, with floats as plain numbers. The depth of the tree has been checked. */
export function unboxed(value: Value, seen = new Map<Value, unknown>()): unknown {
  if (value instanceof Float) return value.value;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof TensorValue || value instanceof Uint8Array) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const result = mapped(value, (inner) => unboxed(inner, seen) as Value);
  seen.set(value, result);
  return result;
}

/** Copies a container with what `of` returns for each of the values in it. */
export function mapped(
  value: Value[] | Set<Value> | ReadonlyMap<Value, Value> | Opaque,
  of: (inner: Value) => Value,
): Value {
  if (Array.isArray(value)) return value.map(of); // a Tuple stays a Tuple
  if (value instanceof Set) return new Set([...value].map(of));
  const entries = (map: ReadonlyMap<Value, Value>) => [...map].map(([key, item]) => [of(key), of(item)] as const);
  if (value instanceof Opaque) {
    const copy = new Opaque(value.name, value.how, of(value.args));
    copy.state = value.state === undefined ? undefined : of(value.state);
    for (const item of value.items) copy.items.push(of(item));
    for (const [key, item] of entries(value.entries)) copy.entries.set(key, item);
    return copy;
  }
  if (!(value instanceof OrderedDict)) return new Map(entries(value));
  const dict = new OrderedDict(entries(value));
  if (value.attributes) dict.attributes = new Map(entries(value.attributes));
  return dict;
}
