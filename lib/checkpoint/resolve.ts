// Converts the inert values of a pickle into those of values.ts: tensors are checked and numbered, NumPy's numbers become
// numbers, and anything unknown becomes an opaque node. In the dict that was asked for an unknown value is an error.
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

/** Tensors in the order in which they were found, and the source from which their data can be read once they are loaded. */
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
  /** Values that are being resolved: one that occurs inside itself would never end. */
  readonly #open = new Set<PickleValue>();

  /** `extras` receives the tensors that do not belong to the state; `memory` limits the memory of the values. */
  constructor(reader: TensorReader, extras: TensorList, memory: MemoryBudget) {
    this.#memory = memory;
    this.#reader = reader;
    this.#extras = extras;
  }

  /** Sets the value that `raw` resolves to wherever it occurs. */
  define(raw: PickleValue, value: Value): void {
    this.#known.set(raw, value);
  }

  /**
   * `isWanted`: `raw` is part of the dict that was asked for, in which a class that weights_only refuses is an error. The
   * depth is bounded by maxDepth.
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
    // A path is made only for containers: most lists are long and hold numbers.
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

  /** Resolves a key of the dict at `path`. `used` holds the hashes of the dict's other keys that are not strings. */
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

  /** Keeps the first of equal items, as Python does. */
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

  /** Counts a sparse number among keys and set items: see isSparse(). NumPy's numbers become numbers only here. */
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
    if (plain !== undefined) this.#copied += plain instanceof PickleSet ? plain.items.length : itemsIn(plain);
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

/** A storage that was saved by itself, without a tensor. Its bytes have no meaning and are not read. */
function storageWithoutTensor({ id }: PickleReference, path: string): Opaque {
  const type = id instanceof PickleTuple ? id.items[1] : undefined;
  if (type instanceof PickleGlobal && isPlainName(type.name)) return new Opaque(type.name, 'call', null);
  throw formatError(`Expected the type of a storage for ${path} but found ${kindOf(type)}`);
}

/** Memory that a resolved value takes, without the values in it. */
function resolvedBytes(raw: Container): number {
  const { list, item, dict, entry, opaque } = cost.resolved;
  if (Array.isArray(raw)) return list + item * raw.length;
  if (raw instanceof PickleTuple) return list + item * raw.items.length;
  if (raw instanceof PickleSet) return dict + entry * raw.items.length;
  if (raw instanceof PickleDict) return dict + entry * (raw.size + (raw.attributes?.size ?? 0));
  if (!(raw instanceof PickleCall)) return list;
  // tensors.ts charges the rest for tensors.
  return isTensor(raw) ? list : opaque + item * raw.items.length + entry * raw.entries.length;
}

type Container = Exclude<PickleValue, Plain>;

/** Returns the set of a call set([…]), as protocols 2 and 3 write it. After NEWOBJ, Python would make an empty set. */
function setOf({ callee, args, isNew, state, items: more, entries }: PickleCall): PickleSet | undefined {
  const isPlain = !isNew && state === undefined && more.length === 0 && entries.length === 0;
  const isSet = isPlain && callee instanceof PickleGlobal && callee.name === 'builtins.set';
  const items = isSet && args instanceof PickleTuple && args.items.length === 1 ? args.items[0] : undefined;
  return Array.isArray(items) ? new PickleSet(items) : undefined;
}

/** Whether the value contains other values or represents one. */
function isContainer(value: PickleValue): value is Exclude<PickleValue, Plain> {
  return value !== null && typeof value === 'object' && !(value instanceof Float) && !(value instanceof Uint8Array);
}

type Plain = null | boolean | number | bigint | string | Float | Uint8Array;

/** Counts the items of a NumPy number or array. Bytes count as one: they were charged when they were read. */
function itemsIn(value: NumpyValue | Uint8Array): number {
  return Array.isArray(value) ? value.reduce<number>((sum, item) => sum + itemsIn(item), 1) : 1;
}
