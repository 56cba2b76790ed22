// data.pkl of a checkpoint: what torch.save pickles for a tree of values, byte for byte for a state dict. For
// write-checkpoint.ts.
import type { TensorInfo } from '../native';
import { type DType, dtypes } from './dtypes';
import { op } from './opcodes';
import { step } from './pickle-values';
import { Pickler } from './pickler';
import { Float, Opaque, OrderedDict, TensorValue, Tuple, type Value } from './values';
import { isPlainName } from './weights-only';

export interface PickledTree {
  pickle: Uint8Array;
  /** TensorInfo.storage of the storages that are referred to, in the order of their keys "0", "1", … */
  storages: number[];
  /** Paths of what could not be written, with what it is. */
  left: string[];
}

/** `infoOf` tells where a tensor lies. Recursion is bounded: trees come from resolve.ts, or from callers who made them. */
export function pickleTree(root: Value, infoOf: (tensor: TensorValue) => TensorInfo): PickledTree {
  const writer = new TreeWriter(infoOf);
  writer.write(root, '');
  return { pickle: writer.pickler.finish(), storages: [...writer.keys.keys()], left: writer.left };
}

class TreeWriter {
  readonly pickler = new Pickler();
  /** Keys of storages by TensorInfo.storage. */
  readonly keys = new Map<number, number>();
  readonly left: string[] = [];
  readonly #infoOf: (tensor: TensorValue) => TensorInfo;

  constructor(infoOf: (tensor: TensorValue) => TensorInfo) {
    this.#infoOf = infoOf;
  }

  write(value: Value, path: string): void {
    const { pickler } = this;
    if (value === null) pickler.opcode(op.NONE);
    else if (typeof value === 'boolean') pickler.boolean(value);
    else if (typeof value === 'string') pickler.string(value);
    else if (typeof value === 'bigint' || (typeof value === 'number' && isInteger(value))) pickler.integer(value);
    else if (typeof value === 'number') pickler.float(value);
    else if (value instanceof Float) pickler.float(value.value);
    else if (value instanceof TensorValue) this.#tensor(this.#infoOf(value));
    else if (!pickler.repeat(value)) this.#container(value, path);
  }

  #container(
    value: Exclude<Value, null | boolean | number | bigint | string | Float | TensorValue>,
    path: string,
  ): void {
    const { pickler } = this;
    const inside = (item: Value, i: number) => () => this.write(item, path + step(i));
    if (value instanceof Uint8Array) this.#bytes(value);
    else if (value instanceof Tuple) pickler.tuple(value.map(inside), value);
    else if (Array.isArray(value)) pickler.list(value.map(inside), value);
    else if (value instanceof Set) this.#call('builtins', 'set', [[...value]], path, value);
    else if (value instanceof Opaque) this.#opaque(value, path);
    else this.#dict(value, path);
  }

  #dict(value: ReadonlyMap<Value, Value>, path: string): void {
    const { pickler } = this;
    const isOrdered = value instanceof OrderedDict;
    if (isOrdered) pickler.orderedDict(value);
    else pickler.dict(value);
    this.#items(value, path);
    if (!isOrdered || !value.attributes) return;
    pickler.dict(value.attributes);
    this.#items(value.attributes, path);
    pickler.opcode(op.BUILD);
  }

  /** Without the items that cannot be written, which are noted instead. */
  #items(value: ReadonlyMap<Value, Value>, path: string): void {
    const written = [...value].filter(([key, item]) => this.#canWrite(item, path + step(key as string)));
    this.pickler.items(written, ([key, item]) => {
      this.write(key, path);
      this.write(item, path + step(key as string));
    });
  }

  #canWrite(value: Value, path: string): boolean {
    if (!(value instanceof Opaque) || isWritable(value)) return true;
    this.left.push(`${path} (${value.name})`);
    return false;
  }

  #opaque(value: Opaque, path: string): void {
    const { pickler } = this;
    if (!isWritable(value)) {
      // Among the items of a list or a tuple there must be something in its place.
      this.left.push(`${path} (${value.name})`);
      pickler.opcode(op.NONE);
      return;
    }
    const dot = value.name.lastIndexOf('.');
    const [module, name] = [value.name.slice(0, dot), value.name.slice(dot + 1)] as const;
    if (value.how === 'name') pickler.global(module, name);
    else this.#call(module, name, value.args instanceof Tuple ? value.args : [], path, value);
  }

  #call(module: string, name: string, args: readonly Value[], path: string, identity: Value): void {
    this.pickler.global(oldModules[module] ?? module, name);
    this.pickler.tuple(args.map((item) => () => this.write(item, path)));
    this.pickler.opcode(op.REDUCE);
    this.pickler.remember(identity);
  }

  /** As Python writes bytes in protocol 2: text in which each character is a byte. */
  #bytes(value: Uint8Array): void {
    this.#call('_codecs', 'encode', [Buffer.from(value).toString('latin1'), 'latin1'], '', value);
  }

  #tensor(tensor: TensorInfo): void {
    const { pickler } = this;
    const { bytes, storage } = dtypes[tensor.dtype as DType];
    const integers = (values: readonly number[]) => pickler.tuple(values.map((value) => () => pickler.integer(value)));
    const key = this.keys.get(tensor.storage) ?? this.keys.size;
    this.keys.set(tensor.storage, key);
    pickler.global('torch._utils', storage ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3');
    const reference = [
      () => pickler.string('storage'),
      () => (storage ? pickler.global('torch', storage) : pickler.global('torch.storage', 'UntypedStorage')),
      // Python makes these strings anew, so they are never the same object as an equal name.
      () => pickler.string(String(key), `key ${key}`),
      () => pickler.string('cpu'),
      () => pickler.integer(storage ? Math.floor(tensor.storageBytes / bytes) : tensor.storageBytes),
    ];
    pickler.tuple([
      () => {
        pickler.tuple(reference);
        pickler.opcode(op.BINPERSID);
      },
      () => pickler.integer(tensor.offset),
      () => integers(tensor.shape),
      () => integers(tensor.stride),
      () => pickler.boolean(false), // requires_grad: state_dict() detaches
      () => pickler.orderedDict(), // hooks
      ...(storage ? [] : [() => pickler.global('torch', tensor.dtype)]),
    ]);
    pickler.opcode(op.REDUCE);
    pickler.remember();
  }
}

/** Protocol 2 is Python 2's. */
const oldModules: Readonly<Record<string, string>> = { builtins: '__builtin__', copyreg: 'copy_reg' };

/** What is no integer in Python either: an integral number beyond 2 ** 53 came from a float. */
function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/** What Python's weights_only accepts again, and says all there is to say of it. */
function isWritable({ name, how, state, items, entries }: Opaque): boolean {
  return isPlainName(name) && how !== 'new' && state === undefined && items.length === 0 && entries.size === 0;
}
