// Inert values of a pickle. A pickle asks for functions to be called; here only the function's name and its arguments are
// recorded. unpickle.ts makes these values; tensors.ts and resolve.ts interpret the few that they know.
import { Float } from '../values';

/** A name in Python. Never looked up, imported or called. */
export class PickleGlobal {
  readonly module: string;
  /** The dotted name: 'torch._utils._rebuild_tensor_v2'. */
  readonly name: string;

  constructor(module: string, attribute: string) {
    this.module = module;
    this.name = `${module}.${attribute}`;
  }
}

const none: readonly never[] = Object.freeze([]);

/** A call that the pickle asks for. It is recorded and never made. */
export class PickleCall {
  readonly callee: PickleValue;
  readonly args: PickleValue;
  /** Made by NEWOBJ: the callee is a class, whose __new__ would receive the arguments. */
  readonly isNew: boolean;
  /** Argument of the object's __setstate__. */
  state: PickleValue | undefined;
  /** Values that would be appended to the result, as to a list. */
  items: readonly PickleValue[] = none;
  /** Entries that would be set in the result, as in a dict. */
  entries: readonly (readonly [PickleValue, PickleValue])[] = none;

  constructor(callee: PickleValue, args: PickleValue, isNew = false) {
    this.callee = callee;
    this.args = args;
    this.isNew = isNew;
  }

  /** The list is made for the first item: most calls have none. */
  append(item: PickleValue): void {
    if (this.items === none) this.items = [];
    (this.items as PickleValue[]).push(item);
  }

  setItem(key: PickleValue, value: PickleValue): void {
    if (this.entries === none) this.entries = [];
    (this.entries as [PickleValue, PickleValue][]).push([key, value]);
  }
}

/** A reference to data outside the pickle: in a checkpoint, to a storage. */
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

/** A dict or OrderedDict, kept in a Map, in which names such as __proto__ are ordinary keys. */
export class PickleDict {
  readonly isOrdered: boolean;
  #entries: Map<PickleValue, PickleValue> | undefined;
  /** Attributes of an OrderedDict, such as _metadata. */
  attributes: PickleDict | undefined;

  constructor(isOrdered = false) {
    this.isOrdered = isOrdered;
  }

  /** The Map is made at first use: every tensor has an empty dict of hooks. */
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

/** Describes a value for messages. */
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

/** One step of the path to a nested value, as Python would write it: ["fc.weight"], [0]. */
export function step(key: PickleValue): string {
  return typeof key === 'string' ? `[${JSON.stringify(key.slice(0, 200))}]` : `[${kindOf(key)}]`;
}

/** Returns the pairs from which an OrderedDict is made: none, or in Python 2 one list; undefined for other arguments. */
export function pairsOf(args: PickleValue): (readonly PickleValue[])[] | undefined {
  const [list = [], ...more] = args instanceof PickleTuple ? args.items : [null];
  if (!Array.isArray(list) || more.length > 0) return undefined;
  const pairs = list.map((pair) => (pair instanceof PickleTuple ? pair.items : pair));
  return pairs.every((pair) => Array.isArray(pair) && pair.length === 2) ? (pairs as PickleValue[][]) : undefined;
}
