// What a pickle comes to here: inert values. A pickle asks for functions to be called; we only note which ones and with
// what. unpickle.ts makes these, tensors.ts and state-dict.ts give meaning to the few that they know.

/** The name of something in Python. Never looked up, imported or called. */
export class PickleGlobal {
  /** As people write it: 'torch._utils._rebuild_tensor_v2'. */
  readonly name: string;

  constructor(module: string, attribute: string) {
    this.name = `${module}.${attribute}`;
  }
}

/** "Call this with that", not done. */
export class PickleCall {
  readonly callee: PickleValue;
  readonly args: PickleValue;
  /** What __setstate__ would get. */
  state: PickleValue | undefined;
  /** Something was put into the result as if it were a list or a dict. */
  extended = false;

  constructor(callee: PickleValue, args: PickleValue) {
    this.callee = callee;
    this.args = args;
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

/** dict or OrderedDict. A Map: names such as __proto__ are keys like all others. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>();
  /** What an OrderedDict carries besides its items, such as _metadata. */
  attributes: PickleDict | undefined;
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
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
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`;
  if (value instanceof PickleDict) return `a dict of ${value.entries.size}`;
  if (value instanceof PickleGlobal) return value.name;
  if (value instanceof PickleReference) return 'a storage';
  return value.callee instanceof PickleGlobal ? `${value.callee.name}(…)` : 'a call';
}

/** One step of a path to a value inside others, as Python would write it: ["fc.weight"], [0]. */
export function step(key: PickleValue): string {
  return typeof key === 'string' ? `[${JSON.stringify(key.slice(0, 200))}]` : `[${kindOf(key)}]`;
}
