// Turns the inert values of a pickle into those of values.ts: tensors are checked and numbered, numbers of NumPy become
// numbers, and what has no meaning here stays as an opaque node. Strict where weights are wanted, lenient elsewhere.
import { formatError, UnsupportedTensor } from './errors';
import { Hasher } from './hasher';
import { maxCopiedItems, maxDepth, maxSparseKeys, maxUnsupportedTensors } from './limits';
import { cost, isSparse, type MemoryBudget } from './pickle/budget';
import { bytesOf, type NumpyValue, numpyValue } from './pickle/numpy';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleReference,
  PickleSet,
  PickleTuple,
  type PickleValue,
  step,
} from './pickle/values';
import { isPlainName } from './pickle/weights-only';
import { isTensor, type StoredTensor, type TensorReader } from './tensors';
import { asksFor } from './unsafe-names';
import { Float, Opaque, OrderedDict, type TensorSource, TensorValue, tupleOf, type Value } from './values';

/** Tensors in the order in which they were met, and where they will be found once they are loaded. */
export class TensorList {
  readonly source: TensorSource = {};
  readonly tensors: StoredTensor[] = [];

  add(tensor: StoredTensor): TensorValue {
    return new TensorValue(this.source, this.tensors.push(tensor) - 1, tensor);
  }
}

export class Resolver {
  readonly #reader: TensorReader;
  readonly #extras: TensorList;
  #copied = 0;
  #sparse = 0;
  #unsupported = 0;
  readonly #memory: MemoryBudget;
  readonly #known = new Map<PickleValue, Value>();
  readonly #hasher = new Hasher();
  /** What is being resolved: a value that is met again inside itself has no end. */
  readonly #open = new Set<PickleValue>();

  /** `extras` gets the tensors that are not under a name of the state; `memory` is what may be taken. */
  constructor(reader: TensorReader, extras: TensorList, memory: MemoryBudget) {
    this.#memory = memory;
    this.#reader = reader;
    this.#extras = extras;
  }

  /** What `raw` is to become wherever it is met. */
  define(raw: PickleValue, value: Value): void {
    this.#known.set(raw, value);
  }

  /**
   * `isWanted`: part of what was asked for, where a class is an error that weights_only does not take. Depth is bounded by
   * maxDepth.
   */
  resolve(raw: PickleValue, path: string, isWanted: boolean): Value {
    if (!isContainer(raw)) return raw;
    const known = this.#known.get(raw);
    if (known !== undefined) return known;
    if (this.#open.has(raw)) throw formatError(`${path} contains itself`);
    if (this.#open.size > maxDepth) throw formatError(`${path.slice(0, 200)}… is nested deeper than ${maxDepth}`);
    this.#memory.take(resolvedBytes(raw));
    this.#open.add(raw);
    const value = this.#resolve(raw, path, isWanted);
    this.#open.delete(raw);
    this.#known.set(raw, value);
    return value;
  }

  #resolve(
    raw: Exclude<PickleValue, null | boolean | number | bigint | string>,
    path: string,
    isWanted: boolean,
  ): Value {
    // Paths are made for containers only: most lists are of numbers, and long.
    const all = (items: readonly PickleValue[]) =>
      items.map((item, i) => (isContainer(item) ? this.resolve(item, path + step(i), isWanted) : item));
    if (isTensor(raw)) return this.#tensor(raw, path, isWanted);
    if (Array.isArray(raw)) return all(raw);
    if (raw instanceof PickleTuple) return tupleOf(all(raw.items));
    if (raw instanceof PickleSet) {
      const set = this.#set(raw.items, path, isWanted);
      if (raw.isFrozen) this.#hasher.addFrozen(set);
      return set;
    }
    if (raw instanceof PickleDict) return this.dict(raw, path, isWanted);
    if (raw instanceof PickleCall) return this.#call(raw, path, isWanted);
    if (raw instanceof PickleGlobal) return this.#opaque(raw, path, isWanted);
    return raw instanceof PickleReference ? storageWithoutTensor(raw, path) : raw;
  }

  dict(raw: PickleDict, path: string, isWanted: boolean): Map<Value, Value> {
    const dict = raw.isOrdered ? new OrderedDict() : new Map<Value, Value>();
    const set = (to: Map<Value, Value>, from: PickleDict) => {
      const used = new Set<unknown>();
      for (const [key, item] of from.entries)
        to.set(this.key(key, path, isWanted, used), this.resolve(item, path + step(key), isWanted));
      return to;
    };
    set(dict, raw);
    if (raw.attributes && dict instanceof OrderedDict) dict.attributes = set(new Map(), raw.attributes);
    return dict;
  }

  /** A key of the dict at `path`. `used`: what Python would take for one with another of its keys. */
  key(raw: PickleValue, path: string, isWanted: boolean, used: Set<unknown>): Value {
    if (typeof raw === 'string') return raw;
    this.#memory.take(cost.entry);
    const value = this.#hashed(this.resolve(raw, path, isWanted), path);
    const key = this.#hasher.keyOf(value);
    if (key === undefined || used.has(key))
      throw formatError(`${path} has ${key === undefined ? 'a key that can change' : `the key ${kindOf(raw)} twice`}`);
    used.add(key);
    return value;
  }

  /** Of equal items the first, as in Python. */
  #set(items: readonly PickleValue[], path: string, isWanted: boolean): Set<Value> {
    const found = new Map<unknown, Value>();
    items.forEach((item, i) => {
      const value = this.#hashed(this.resolve(item, path + step(i), isWanted), path);
      const key = this.#hasher.keyOf(value);
      if (key === undefined) throw formatError(`${path} is a set of something that can change`);
      if (!found.has(key)) found.set(key, value);
    });
    return new Set(found.values());
  }

  /** A value that is to be a key, or in a set: see isSparse(). NumPy's numbers are known as such only here. */
  #hashed(value: Value, path: string): Value {
    if (isSparse(value) && ++this.#sparse > maxSparseKeys)
      throw formatError(`${path} is one of more than ${maxSparseKeys} large numbers as keys and in sets`);
    return value;
  }

  #tensor(raw: PickleCall, path: string, isWanted: boolean): Value {
    try {
      return this.#extras.add(this.#reader.read(raw, path));
    } catch (cause) {
      if (isWanted || !(cause instanceof UnsupportedTensor)) throw cause;
      if (++this.#unsupported > maxUnsupportedTensors)
        throw formatError(`${path} is one of more than ${maxUnsupportedTensors} tensors of kinds that are not read`);
      return new Opaque((raw.callee as PickleGlobal).name, 'call', null);
    }
  }

  #call(raw: PickleCall, path: string, isWanted: boolean): Value {
    const plain = bytesOf(raw) ?? numpyValue(raw) ?? setOf(raw);
    if (plain !== undefined) this.#copied += plain instanceof PickleSet ? plain.items.length : sizeOf(plain);
    if (this.#copied > maxCopiedItems)
      throw formatError(`${path} is one of more than ${maxCopiedItems} items of sets and arrays`);
    if (plain instanceof PickleSet) this.#memory.take(cost.resolved.entry * plain.items.length);
    if (plain instanceof PickleSet) return this.#set(plain.items, path, isWanted);
    if (plain !== undefined) return plain;
    const { callee } = raw;
    if (!(callee instanceof PickleGlobal))
      throw formatError(`Expected the name of a class for ${path} but found ${kindOf(callee)}`);
    if (isWanted && !isPlainName(callee.name)) throw asksFor(path, callee.name);
    const inside = (value: PickleValue) => this.resolve(value, path, false);
    const opaque = new Opaque(callee.name, raw.isNew ? 'new' : 'call', inside(raw.args));
    if (raw.state !== undefined) opaque.state = inside(raw.state);
    for (const item of raw.items) opaque.items.push(inside(item));
    for (const [key, item] of raw.entries)
      opaque.entries.set(this.#hashed(inside(key), path), this.resolve(item, path + step(key), false));
    return opaque;
  }

  #opaque({ name }: PickleGlobal, path: string, isWanted: boolean): Opaque {
    if (isWanted && !isPlainName(name)) throw asksFor(path, name);
    return new Opaque(name, 'name', null);
  }
}

/** tensor.untyped_storage(), saved by itself: its bytes have no meaning without a tensor, and are not read. */
function storageWithoutTensor({ id }: PickleReference, path: string): Opaque {
  const type = id instanceof PickleTuple ? id.items[1] : undefined;
  if (type instanceof PickleGlobal && isPlainName(type.name)) return new Opaque(type.name, 'call', null);
  throw formatError(`Expected the type of a storage for ${path} but found ${kindOf(type)}`);
}

/** What a value takes in memory once it is resolved, without the values in it. */
function resolvedBytes(raw: Container): number {
  const { list, item, dict, entry, opaque } = cost.resolved;
  if (Array.isArray(raw)) return list + item * raw.length;
  if (raw instanceof PickleTuple) return list + item * raw.items.length;
  if (raw instanceof PickleSet) return dict + entry * raw.items.length;
  if (raw instanceof PickleDict) return dict + entry * (raw.size + (raw.attributes?.size ?? 0));
  if (!(raw instanceof PickleCall)) return list;
  // Of tensors, tensors.ts knows more.
  return isTensor(raw) ? list : opaque + item * raw.items.length + entry * raw.entries.length;
}

type Container = Exclude<PickleValue, Plain>;

/** set([…]) as protocols 2 and 3 write it. By NEWOBJ, Python's class makes an empty one of them. */
function setOf({ callee, args, isNew, state, items: more, entries }: PickleCall): PickleSet | undefined {
  const isPlain = !isNew && state === undefined && more.length === 0 && entries.length === 0;
  const isSet = isPlain && callee instanceof PickleGlobal && callee.name === 'builtins.set';
  const items = isSet && args instanceof PickleTuple && args.items.length === 1 ? args.items[0] : undefined;
  return Array.isArray(items) ? new PickleSet(items) : undefined;
}

/** What holds other values, or stands for one. */
function isContainer(value: PickleValue): value is Exclude<PickleValue, Plain> {
  return value !== null && typeof value === 'object' && !(value instanceof Float) && !(value instanceof Uint8Array);
}

type Plain = null | boolean | number | bigint | string | Float | Uint8Array;

/** Of a number or array of NumPy; bytes were counted when they were read. */
function sizeOf(value: NumpyValue | Uint8Array): number {
  return Array.isArray(value) ? value.reduce<number>((sum, item) => sum + sizeOf(item), 1) : 1;
}
