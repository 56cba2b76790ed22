// Turns the inert values of a pickle into those of values.ts: tensors are checked and numbered, numbers of NumPy become
// numbers, and what has no meaning here stays as an opaque node. Strict where weights are wanted, lenient elsewhere.
import { formatError, UnsupportedTensor } from './errors';
import { asksFor } from './globals';
import { maxDepth } from './limits';
import { bytesOf, numpyValue } from './numpy';
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
} from './pickle-values';
import { isTensor, type StoredTensor, type TensorReader } from './tensors';
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
  readonly #known = new Map<PickleValue, Value>();
  /** What is being resolved: a value that is met again inside itself has no end. */
  readonly #open = new Set<PickleValue>();

  /** `extras` gets the tensors that are not under a name of the state. */
  constructor(reader: TensorReader, extras: TensorList) {
    this.#reader = reader;
    this.#extras = extras;
  }

  /** What `raw` is to become wherever it is met. */
  define(raw: PickleValue, value: Value): void {
    this.#known.set(raw, value);
  }

  /** `isWanted`: part of what was asked for, where an unknown class is an error. Depth is bounded by maxDepth. */
  resolve(raw: PickleValue, path: string, isWanted: boolean): Value {
    if (raw === null || typeof raw !== 'object' || raw instanceof Float || raw instanceof Uint8Array) return raw;
    const known = this.#known.get(raw);
    if (known !== undefined) return known;
    if (this.#open.has(raw)) throw formatError(`${path} contains itself`);
    if (this.#open.size > maxDepth) throw formatError(`${path.slice(0, 200)}… is nested deeper than ${maxDepth}`);
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
    const all = (items: readonly PickleValue[]) => items.map((item, i) => this.resolve(item, path + step(i), isWanted));
    if (isTensor(raw)) return this.#tensor(raw, path, isWanted);
    if (Array.isArray(raw)) return all(raw);
    if (raw instanceof PickleTuple) return tupleOf(all(raw.items));
    if (raw instanceof PickleSet) return new Set(all(raw.items));
    if (raw instanceof PickleDict) return this.dict(raw, path, isWanted);
    if (raw instanceof PickleCall) return this.#call(raw, path, isWanted);
    if (raw instanceof PickleGlobal) return this.#opaque(raw, path, isWanted);
    if (raw instanceof PickleReference)
      throw formatError(`Expected a value for ${path} but found a storage without a tensor`);
    return raw;
  }

  dict(raw: PickleDict, path: string, isWanted: boolean): Map<Value, Value> {
    const dict = raw.isOrdered ? new OrderedDict() : new Map<Value, Value>();
    const set = (to: Map<Value, Value>, from: PickleDict) => {
      for (const [key, item] of from.entries) {
        to.set(this.resolve(key, path, isWanted), this.resolve(item, path + step(key), isWanted));
      }
      return to;
    };
    set(dict, raw);
    if (raw.attributes && dict instanceof OrderedDict) dict.attributes = set(new Map(), raw.attributes);
    return dict;
  }

  #tensor(raw: PickleCall, path: string, isWanted: boolean): Value {
    try {
      return this.#extras.add(this.#reader.read(raw, path));
    } catch (cause) {
      if (isWanted || !(cause instanceof UnsupportedTensor)) throw cause;
      return new Opaque((raw.callee as PickleGlobal).name, 'call', null);
    }
  }

  #call(raw: PickleCall, path: string, isWanted: boolean): Value {
    const plain = bytesOf(raw) ?? numpyValue(raw) ?? setOf(raw);
    if (plain instanceof PickleSet) return new Set(plain.items.map((item) => this.resolve(item, path, isWanted)));
    if (plain !== undefined) return plain;
    const { callee } = raw;
    if (!(callee instanceof PickleGlobal))
      throw formatError(`Expected the name of a class for ${path} but found ${kindOf(callee)}`);
    if (isWanted) throw asksFor(path, callee.name);
    const inside = (value: PickleValue) => this.resolve(value, path, false);
    const opaque = new Opaque(callee.name, raw.isNew ? 'new' : 'call', inside(raw.args));
    if (raw.state !== undefined) opaque.state = inside(raw.state);
    for (const item of raw.items) opaque.items.push(inside(item));
    for (const [key, item] of raw.entries) opaque.entries.set(inside(key), this.resolve(item, path + step(key), false));
    return opaque;
  }

  #opaque({ name }: PickleGlobal, path: string, isWanted: boolean): Opaque {
    if (isWanted) throw asksFor(path, name);
    return new Opaque(name, 'name', null);
  }
}

/** set([…]) as protocols 2 and 3 write it. */
function setOf({ callee, args }: PickleCall): PickleSet | undefined {
  const isSet = callee instanceof PickleGlobal && callee.name === 'builtins.set';
  const items = isSet && args instanceof PickleTuple && args.items.length === 1 ? args.items[0] : undefined;
  return Array.isArray(items) ? new PickleSet(items) : undefined;
}
