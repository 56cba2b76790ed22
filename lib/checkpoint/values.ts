// What a checkpoint holds, as values of JavaScript: made by resolve.ts of what a pickle says, written by write-tree.ts,
// shown to callers as State.metadata.
import { fromNativeSync, LearnError } from '../core/errors';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import { type DType, dtypes, type TensorData } from './dtypes';

/** Python's OrderedDict: a Map that can carry attributes, as a state dict carries `_metadata`. */
export class OrderedDict extends Map<Value, Value> {
  attributes: ReadonlyMap<Value, Value> | undefined;
}

/** Python's tuple. An array like any other, but written as a tuple again. */
export class Tuple extends Array<Value> {}

export function tupleOf(items: Iterable<Value>): Tuple {
  const tuple = new Tuple();
  for (const item of items) tuple.push(item);
  return tuple;
}

/** Python's bytearray: bytes that can change, and therefore are no key. */
export class ByteArray extends Uint8Array {}

/** A float of Python whose value is an integer, such as 1.0, which as a plain number would be written as the integer 1. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Where the tensors of a file come to be; empty while only its description is known. */
export interface TensorSource {
  handle?: StateHandle;
}

/** A tensor among the metadata, such as a momentum buffer of an optimizer. */
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

  /** Which of the tensors behind `handle` it is. */
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

  /** A copy, in row-major order, with the types that State.tensor() gives. */
  get data(): TensorData {
    const bytes = fromNativeSync(() => native().stateTensor(this.handle, this.#index));
    return new dtypes[this.dtype].array(bytes);
  }
}

/**
 * Something of Python that is kept but means nothing here: an object of an unknown class, a tensor of an unsupported kind.
 * Nothing of it is ever imported or called.
 */
export class Opaque {
  /** What Python calls it: 'argparse.Namespace'. */
  readonly name: string;
  /** What its constructor or function would be given. */
  readonly args: Value;
  /** What its __setstate__ would be given: most often a Map of its attributes. */
  state: Value | undefined;
  /** What would be appended to it or set in it. */
  readonly items: Value[] = [];
  readonly entries: Map<Value, Value> = new Map();
  /** Made by a class (NEWOBJ), not by a call (REDUCE); `args` is undefined for a mere name. */
  readonly how: 'name' | 'call' | 'new';

  constructor(name: string, how: 'name' | 'call' | 'new', args: Value) {
    this.name = name;
    this.how = how;
    this.args = args;
  }
}

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

/** The same for callers: floats as plain numbers. Shares what needs no change. Depth is that of the checked tree. */
export function unboxed(value: Value, seen = new Map<Value, unknown>()): unknown {
  if (value instanceof Float) return value.value;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof TensorValue || value instanceof Uint8Array) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const result = container(value, (inner) => unboxed(inner, seen) as Value);
  seen.set(value, result);
  return result;
}

function container(value: Value[] | Set<Value> | ReadonlyMap<Value, Value> | Opaque, of: (inner: Value) => Value) {
  if (Array.isArray(value)) return value.map(of); // of a Tuple, a Tuple
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
