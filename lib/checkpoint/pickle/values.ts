// What a pickle comes to here: inert values. A pickle asks for functions to be called; we only note which ones and with
// what. unpickle.ts makes these, tensors.ts and resolve.ts give meaning to the few that they know.
import { Float } from '../values';

/** The name of something in Python. Never looked up, imported or called. */
export class PickleGlobal {
  readonly module: string;
  /** As people write it: 'torch._utils._rebuild_tensor_v2'. */
  readonly name: string;

  constructor(module: string, attribute: string) {
    this.module = module;
    this.name = `${module}.${attribute}`;
  }
}

const none: readonly never[] = Object.freeze([]);

/** "Call this with that", not done. */
export class PickleCall {
  readonly callee: PickleValue;
  readonly args: PickleValue;
  /** By NEWOBJ: the callee is a class, whose __new__ gets the arguments. */
  readonly isNew: boolean;
  /** What __setstate__ would get. */
  state: PickleValue | undefined;
  /** What would be appended to the result, as to a list. */
  items: readonly PickleValue[] = none;
  /** What would be set in the result, as in a dict. */
  entries: readonly (readonly [PickleValue, PickleValue])[] = none;

  constructor(callee: PickleValue, args: PickleValue, isNew = false) {
    this.callee = callee;
    this.args = args;
    this.isNew = isNew;
  }

  /** Most calls get none, so that room for them is made at the first. */
  append(item: PickleValue): void {
    if (this.items === none) this.items = [];
    (this.items as PickleValue[]).push(item);
  }

  setItem(key: PickleValue, value: PickleValue): void {
    if (this.entries === none) this.entries = [];
    (this.entries as [PickleValue, PickleValue][]).push([key, value]);
  }
}

/** Something stored outside the pickle: in a checkpoint, a storage. */
export class PickleReference {
  readonly id: PickleValue;

  constructor(id: PickleValue) {
    this.id = id;
  }
}

export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

export class PickleSet {
  readonly items: PickleValue[];
  readonly isFrozen: boolean;

  constructor(items: PickleValue[] = [], isFrozen = false) {
    this.items = items;
    this.isFrozen = isFrozen;
  }
}

/** dict or OrderedDict. A Map: names such as __proto__ are keys like all others. */
export class PickleDict {
  readonly isOrdered: boolean;
  #entries: Map<PickleValue, PickleValue> | undefined;
  /** What an OrderedDict carries besides its items, such as _metadata. */
  attributes: PickleDict | undefined;

  constructor(isOrdered = false) {
    this.isOrdered = isOrdered;
  }

  /** Made at first use: every tensor has an empty dict of hooks. */
  get entries(): Map<PickleValue, PickleValue> {
    this.#entries ??= new Map();
    return this.#entries;
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Float
  | PickleValue[]
  | PickleTuple
  | PickleSet
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PickleReference;

/** What kind of thing it is, for messages. */
export function kindOf(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 60))}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`;
  if (value instanceof Float) return `the number ${value.value}`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`;
  if (value instanceof PickleSet) return `a set of ${value.items.length}`;
  if (value instanceof PickleDict) return `a dict of ${value.size}`;
  if (value instanceof PickleGlobal) return value.name;
  if (value instanceof PickleReference) return 'a storage';
  return value.callee instanceof PickleGlobal ? `${value.callee.name}(…)` : 'a call';
}

/** One step of a path to a value inside others, as Python would write it: ["fc.weight"], [0]. */
export function step(key: PickleValue): string {
  return typeof key === 'string' ? `[${JSON.stringify(key.slice(0, 200))}]` : `[${kindOf(key)}]`;
}

/** What an OrderedDict is made from: nothing, or in Python 2 one list of pairs. */
export function pairsOf(args: PickleValue): (readonly PickleValue[])[] | undefined {
  const [list = [], ...more] = args instanceof PickleTuple ? args.items : [null];
  if (!Array.isArray(list) || more.length > 0) return undefined;
  const pairs = list.map((pair) => (pair instanceof PickleTuple ? pair.items : pair));
  return pairs.every((pair) => Array.isArray(pair) && pair.length === 2) ? (pairs as PickleValue[][]) : undefined;
}
