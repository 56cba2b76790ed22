// Makes data.pkl of a checkpoint from a tree of values, as torch.save does, and byte for byte for a state dict. For
// ../write.ts.
import { LearnError } from '../../core/errors';
import type { TensorInfo } from '../../native/state-plans';
import { type DType, dtypes } from '../dtypes';
import { Hasher } from '../hasher';
import { Float, Opaque, OrderedDict, TensorValue, Tuple, type Value } from '../values';
import { checkReadable, stepTo, Writability } from '../writable';
import { op } from './opcodes';
import { Pickler } from './pickler';
import { step } from './values';

export interface PickledTree {
  pickle: Uint8Array;
  /** TensorInfo.storage of the storages that the pickle refers to, in the order of their keys "0", "1", … */
  storages: number[];
  /** Paths of the values that could not be written, each with the reason. */
  left: string[];
}

/** `infoOf` returns a tensor's storage and layout. Recursion is bounded: resolve.ts or the caller made the tree. */
export function pickleTree(root: Value, infoOf: (tensor: TensorValue) => TensorInfo): PickledTree {
  const writer = new TreeWriter(infoOf);
  writer.write(root, '');
  const pickle = writer.pickler.finish();
  checkReadable(pickle.length, writer.pickler);
  return { pickle, storages: [...writer.keys.keys()], left: writer.left };
}

class TreeWriter {
  readonly pickler = new Pickler();
  /** Storage keys in the file, by TensorInfo.storage. */
  readonly keys = new Map<number, number>();
  readonly left: string[] = [];
  readonly #writability = new Writability();
  readonly #hasher = new Hasher();
  readonly #infoOf: (tensor: TensorValue) => TensorInfo;

  constructor(infoOf: (tensor: TensorValue) => TensorInfo) {
    this.#infoOf = infoOf;
  }

  write(value: Value, path: string, depth = 0): void {
    const { pickler } = this;
    const why = this.#writability.whyNot(value, depth);
    if (why !== undefined) {
      // A list or a tuple needs a value in its place.
      this.#leave(path, why);
      pickler.opcode(op.NONE);
    } else if (value === null) pickler.opcode(op.NONE);
    else if (typeof value === 'boolean') pickler.boolean(value);
    else if (typeof value === 'string') pickler.string(value);
    else if (typeof value === 'bigint' || (typeof value === 'number' && isInteger(value))) pickler.integer(value);
    else if (typeof value === 'number') pickler.float(value);
    else if (value instanceof Float) pickler.float(value.value);
    else if (value instanceof TensorValue) this.#tensor(this.#infoOf(value));
    else if (!pickler.repeat(value)) this.#container(value, path, depth);
  }

  #leave(path: string, why: string): void {
    this.left.push(`${path || 'the whole'} (${why})`);
  }

  #container(
    value: Exclude<Value, null | boolean | number | bigint | string | Float | TensorValue>,
    path: string,
    depth: number,
  ): void {
    const { pickler } = this;
    const inside = (item: Value, i: number) => () => this.write(item, path + step(i), depth + 1);
    if (value instanceof Uint8Array) this.#bytes(value);
    else if (value instanceof Tuple) pickler.tuple(value.map(inside), value);
    else if (Array.isArray(value)) pickler.list(value.map(inside), value);
    else if (value instanceof Set) this.#set(value, path, depth);
    else if (value instanceof Opaque) this.#opaque(value, path, depth);
    else this.#dict(value, path, depth);
  }

  #dict(value: ReadonlyMap<Value, Value>, path: string, depth: number): void {
    const { pickler } = this;
    const isOrdered = value instanceof OrderedDict;
    const items = this.#writable(value, path, depth);
    const write = ([key, item]: readonly [Value, Value]) => {
      this.write(key, path, depth + 1);
      this.write(item, path + stepTo(key), depth + 1);
    };
    if (isOrdered) {
      pickler.orderedDict(value);
      pickler.orderedItems(items, write);
    } else {
      pickler.dict(value);
      pickler.dictItems(items, write);
    }
    if (!isOrdered || !value.attributes) return;
    this.#dict(value.attributes, path, depth);
    pickler.opcode(op.BUILD);
  }

  /** Returns the entries that can be written, and notes the others. A key is never replaced by None, which could occur twice. */
  #writable(dict: ReadonlyMap<Value, Value>, path: string, depth: number): [Value, Value][] {
    const used = new Set<unknown>();
    return [...dict].filter(([key, item]) => {
      const why = this.#whyNotKey(key, used, depth) ?? this.#writability.whyNot(item, depth + 1);
      if (why === undefined) return true;
      if (item instanceof TensorValue && typeof key === 'string')
        throw new LearnError('ERR_INVALID_OPTION', `Cannot write a tensor under the name ${stepTo(key)}: it is ${why}`);
      this.#leave(path + stepTo(key), why);
      return false;
    });
  }

  /** Returns why a dict key or a set item cannot be written. `used`: the hashes of those before it. */
  #whyNotKey(key: Value, used: Set<unknown>, depth: number): string | undefined {
    const why = this.#writability.whyNotKey(key, depth + 1);
    if (why !== undefined) return why;
    const hash = this.#hasher.keyOf(key);
    if (used.has(hash)) return 'equal, for Python, to one before it';
    used.add(hash);
    return undefined;
  }

  #set(value: ReadonlySet<Value>, path: string, depth: number): void {
    const used = new Set<unknown>();
    const items = [...value].filter((item) => {
      const why = this.#whyNotKey(item, used, depth);
      if (why !== undefined) this.#leave(`${path}[an item]`, why);
      return why === undefined;
    });
    this.#call('builtins', 'set', [items], path, depth, value as Set<Value>);
  }

  #opaque(value: Opaque, path: string, depth: number): void {
    const dot = value.name.lastIndexOf('.');
    const [module, name] = [value.name.slice(0, dot), value.name.slice(dot + 1)] as const;
    if (value.how === 'name') this.pickler.global(module, name);
    else this.#call(module, name, value.args as Tuple, path, depth + 2, value);
  }

  #call(module: string, name: string, args: readonly Value[], path: string, depth: number, identity: Value): void {
    this.pickler.global(oldModules[module] ?? module, name);
    this.pickler.tuple(args.map((item) => () => this.write(item, path, depth)));
    this.pickler.opcode(op.REDUCE);
    this.pickler.remember(identity);
  }

  /** Writes bytes as Python does in protocol 2: as text in which each character is a byte. */
  #bytes(value: Uint8Array): void {
    this.#call('_codecs', 'encode', [Buffer.from(value).toString('latin1'), 'latin1'], '', 0, value);
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
      // Python creates these strings for each tensor, so they are never the same object as an equal name.
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

/** Protocol 2 uses the module names of Python 2. */
const oldModules: Readonly<Record<string, string>> = { builtins: '__builtin__', copyreg: 'copy_reg' };

/** Whether Python would hold an integer: an integral number beyond 2 ** 53 came from a float. */
function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}
