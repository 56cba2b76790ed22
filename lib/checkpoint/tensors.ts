// Reads tensors as torch.save pickles them: as calls of a few PyTorch functions, such as
//
//   torch._utils._rebuild_tensor_v2(storage, offset 0, size (10, 3), stride (3, 1), requires_grad False, hooks OrderedDict())
//
// The functions are not called. Their arguments are checked against the storages in the file: every element that a tensor can
// reach must be in its storage. resolve.ts asks for the tensors one by one.

import { type DType, dtypeOfStorage, dtypes, isDType } from './dtypes';
import { formatError, UnsupportedTensor } from './errors';
import { maxDimensions, maxStorageNameLength } from './limits';
import { areNoHooks, classes, isPlainState, ofParameter, ofPlainType, parameters } from './parameters';
import { cost, type MemoryBudget } from './pickle/budget';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleReference,
  PickleTuple,
  type PickleValue,
} from './pickle/values';
import type { ContainerFacts, StorageTable, StoredBytes } from './storages';

export interface StoredTensor {
  dtype: DType;
  shape: number[];
  /** In elements, as is `offset`. */
  stride: number[];
  offset: number;
  /** Index into `storages`. */
  storage: number;
}

export interface StoredStorage {
  stored: StoredBytes;
  /** undefined for bytes, whose dtype each tensor specifies. */
  dtype: DType | undefined;
}

const plain = 'torch._utils._rebuild_tensor_v2';
const plainOfBytes = 'torch._utils._rebuild_tensor_v3';
/** Written by PyTorch before 0.4, without requires_grad and hooks. */
const plainOld = 'torch._utils._rebuild_tensor';
const ofType = 'torch._tensor._rebuild_from_type_v2';
/** Unsupported kinds of tensors, in words. */
const others: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor; store .to_dense()',
  'torch._utils._rebuild_sparse_csr_tensor': 'a sparse tensor; store .to_dense()',
  'torch._utils._rebuild_qtensor': 'a quantised tensor; store .dequantize()',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a meta tensor, which has no values; store the real one',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor; store its parts',
  'torch._utils._rebuild_wrapper_subclass': 'a tensor of a class of its own; store the plain tensor',
  'torch._utils._rebuild_device_tensor_from_numpy': 'a tensor of another device; store .cpu()',
  'torch._utils._rebuild_device_tensor_from_cpu_tensor': 'a tensor of another device; store .cpu()',
};

const functions: ReadonlySet<string> = new Set([
  plain,
  plainOfBytes,
  plainOld,
  ...parameters.keys(),
  ofType,
  ...Object.keys(others),
]);

export function isTensorFunction(name: string): boolean {
  return functions.has(name);
}

/** Before PyTorch 0.2 a tensor was an object of a class for its dtype, with storage, offset, size and stride as its state. */
const oldTensor = /^torch\.(cuda\.)?(\w+)Tensor$/;

export function isTensor(value: PickleValue): value is PickleCall & { callee: PickleGlobal } {
  if (!(value instanceof PickleCall && value.callee instanceof PickleGlobal)) return false;
  return functions.has(value.callee.name) || (oldTensor.test(value.callee.name) && value.state !== undefined);
}

/** PyTorch nests these calls no deeper than a parameter of a tensor with attributes. */
const maxNesting = 4;

export class TensorReader {
  readonly storages: StoredStorage[] = [];
  readonly #table: StorageTable;
  readonly #idLength: number;
  readonly #isBigEndian: boolean;
  readonly #numbers = new Map<string, number>();

  readonly #memory: MemoryBudget;

  /** In legacy streams, the id of a storage has a sixth item: the part of it that is meant. */
  constructor(
    table: StorageTable,
    { kind, byteorder }: Pick<ContainerFacts, 'kind' | 'byteorder'>,
    memory: MemoryBudget,
  ) {
    this.#memory = memory;
    this.#table = table;
    this.#idLength = kind === 'legacy' ? 6 : 5;
    this.#isBigEndian = byteorder === 'big';
  }

  /** `path` locates the value in messages. Throws UnsupportedTensor for valid tensors of unsupported kinds. */
  read(value: PickleValue, path: string): StoredTensor {
    let inner = value;
    let hasGradient = false;
    for (let depth = 0; depth < maxNesting && isTensor(inner); depth++) {
      const { callee, args, state, items, entries } = inner;
      const isOld = oldTensor.test(callee.name) || inner.isNew;
      if (inner.isNew && !classes.has(callee.name) && !oldTensor.test(callee.name))
        throw formatError(`${path} is made of ${callee.name}, which is not a class`);
      if (!(args instanceof PickleTuple) || (state !== undefined && !isOld) || items.length > 0 || entries.length > 0)
        throw formatError(`${path} is not a valid tensor`);
      const facts = plainFacts(callee.name, args, state);
      if (facts)
        return checkGradient(
          this.#readPlain(facts, callee.name === plainOfBytes, path),
          hasGradient || facts[4] === true,
          path,
        );
      if (parameters.has(callee.name)) {
        if (state !== undefined && !isPlainState(state))
          throw formatError(`${path} is a parameter with an unexpected state`);
        inner = ofParameter(callee.name, args.items, path);
        hasGradient =
          args.items[1] === true || (args.items.length === 1 && callee.name === 'torch.nn.parameter.Parameter');
      } else if (callee.name === ofType) inner = ofPlainType(args.items, path);
      else throw new UnsupportedTensor(`${path} is ${others[callee.name]} before saving`);
    }
    throw formatError(`Expected a tensor for ${path} but found ${kindOf(inner)}`);
  }

  #readPlain(args: readonly PickleValue[], ofBytes: boolean, path: string): StoredTensor {
    const [reference, offset, size, strides, requiresGrad, hooks, ...rest] = args;
    if (typeof requiresGrad !== 'boolean' || !areNoHooks(hooks) || rest.length > (ofBytes ? 2 : 1)) {
      throw formatError(`${path} is a tensor with unexpected arguments`);
    }
    const dtypeArgument = ofBytes ? rest.shift() : undefined;
    checkView(rest[0], path);
    const dimensions = size instanceof PickleTuple ? size.items.length : 0;
    this.#memory.take(cost.resolved.tensor + cost.resolved.dimension * dimensions);
    const view = this.#storage(reference, path);
    const { dtype: typed, stored } = this.storages[view.storage]!;
    if (ofBytes !== (typed === undefined))
      throw formatError(`${path} is a tensor whose storage has an unexpected type`);
    const dtype = typed ?? dtypeNamed(dtypeArgument, path);
    // PyTorch reads such bytes as little-endian even here, so their meaning is ambiguous.
    if (ofBytes && this.#isBigEndian && dtypes[dtype].bytes > 1)
      throw new UnsupportedTensor(`${path} holds ${dtype} of a big-endian machine in bytes without a dtype`);
    const shape = sizes(size, 'shape', path);
    const stride = sizes(strides, 'stride', path);
    if (stride.length !== shape.length || !isSize(offset)) {
      throw formatError(`${path} has ${shape.length} sizes, ${stride.length} strides and the offset ${kindOf(offset)}`);
    }
    const room = view.elements ?? Math.floor(stored.bytes / dtypes[dtype].bytes);
    const extent = extentOf(shape, stride, offset);
    if (!(extent <= room)) {
      throw formatError(
        `${path} of shape [${shape}], stride [${stride}] and offset ${offset} needs ${extent} elements of ${stored.path}, ` +
          `which has ${room}`,
      );
    }
    return { dtype, shape, stride, offset: offset + view.offset, storage: view.storage };
  }

  /**
   * Looks up ('storage', type, key, location, elements). In legacy streams a sixth item follows: None, or (key, offset,
   * elements) of the part of the storage to which the tensor is restricted.
   */
  #storage(reference: PickleValue | undefined, path: string): { storage: number; offset: number; elements?: number } {
    const id = reference instanceof PickleReference && reference.id instanceof PickleTuple ? reference.id.items : [];
    const [tag, type, key, location, elements, part] = id;
    if (
      id.length !== this.#idLength ||
      tag !== 'storage' ||
      !(type instanceof PickleGlobal) ||
      typeof key !== 'string' ||
      typeof location !== 'string'
    ) {
      throw formatError(`Expected a storage for ${path} but found ${kindOf(reference)}`);
    }
    checkStorageName(key, location);
    const dtype = storageType(type.name, path);
    const stored = this.#table.get(key);
    if (!stored)
      throw formatError(`${path} is stored under the key ${JSON.stringify(key)}, which the file does not have`);
    const width = dtype === undefined ? 1 : dtypes[dtype].bytes;
    if (!isSize(elements) || elements * width !== stored.bytes) {
      throw formatError(
        `${path} expects ${kindOf(elements)} of elements of ${width} bytes in ${stored.path}, which has ${stored.bytes} bytes`,
      );
    }
    const storage = this.#numberOf(key, { stored, dtype }, type.name, path);
    if (part === undefined || part === null) return { storage, offset: 0 };
    const [partKey, offset, size] = part instanceof PickleTuple && part.items.length === 3 ? part.items : [];
    if (typeof partKey !== 'string' || !isSize(offset) || !isSize(size) || offset + size > elements) {
      throw formatError(`${path} is in a part of ${stored.path} that does not lie in it`);
    }
    return { storage, offset, elements: size };
  }

  #numberOf(key: string, storage: StoredStorage, type: string, path: string): number {
    const known = this.#numbers.get(key);
    if (known === undefined) {
      this.#numbers.set(key, this.storages.push(storage) - 1);
      return this.storages.length - 1;
    }
    if (this.storages[known]!.dtype === storage.dtype) return known;
    throw formatError(`${path} takes ${storage.stored.path} for ${type}, another tensor for something else`);
  }
}

/** Returns the arguments of a plain tensor, in the order of _rebuild_tensor_v2; undefined for other calls. */
function plainFacts(
  name: string,
  args: PickleTuple,
  state: PickleValue | undefined,
): readonly PickleValue[] | undefined {
  if (name === plain || name === plainOfBytes) return args.items;
  if (name === plainOld) return [...args.items, false, null];
  if (oldTensor.test(name)) return [...(state instanceof PickleTuple ? state.items : []), false, null];
  return undefined;
}

/** Refuses gradients of integers, as PyTorch does. */
function checkGradient(tensor: StoredTensor, hasGradient: boolean, path: string): StoredTensor {
  if (!hasGradient || /float|complex/.test(tensor.dtype)) return tensor;
  throw formatError(`${path} of ${tensor.dtype} is to have gradients, which only floating-point numbers have`);
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function sizes(value: PickleValue | undefined, what: string, path: string): number[] {
  const items = value instanceof PickleTuple && value.items.length <= maxDimensions ? value.items : undefined;
  if (!items?.every(isSize))
    throw formatError(`Expected a ${what} of at most ${maxDimensions} sizes for ${path} but found ${kindOf(value)}`);
  return [...items] as number[];
}

/** Returns the number of elements that the storage must have for the tensor, or Infinity if that is not an exact number. */
export function extentOf(shape: readonly number[], stride: readonly number[], offset: number): number {
  if (shape.includes(0)) return 0;
  const elements = shape.reduce((product, size) => product * size, 1);
  const extent = shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis]!, offset + 1);
  return Number.isSafeInteger(extent) && Number.isSafeInteger(elements) ? extent : Number.POSITIVE_INFINITY;
}

/** Limits the length of names that are looked up and compared once for every tensor. */
export function checkStorageName(...names: readonly string[]): void {
  const long = names.find((name) => name.length > maxStorageNameLength);
  if (long !== undefined)
    throw formatError(
      `a storage's key or location of ${long.length} characters is too long: ${JSON.stringify(long.slice(0, 60))}…`,
    );
}

/** Returns the dtype of a typed storage; undefined for bytes. Old files also name the device: torch.cuda.FloatStorage. */
export function storageType(name: string, path: string): DType | undefined {
  if (name === 'torch.storage.UntypedStorage' || name === 'torch.UntypedStorage') return undefined;
  const dtype = dtypeOfStorage(name.replace(/^torch\.(cuda\.)?/, ''));
  if (!dtype) throw new UnsupportedTensor(`${path} is stored as ${name}, which is not supported`);
  return dtype;
}

function dtypeNamed(value: PickleValue | undefined, path: string): DType {
  const name = value instanceof PickleGlobal ? value.name.replace(/^torch\./, '') : '';
  if (!isDType(name)) throw new UnsupportedTensor(`${path} has the dtype ${kindOf(value)}, which is not supported`);
  return name;
}

/**
 * Refuses the flags by which PyTorch conjugates or negates values when they are read. PyTorch sets every flag that is named,
 * whatever its value.
 */
function checkView(metadata: PickleValue | undefined, path: string): void {
  if (metadata === undefined || metadata === null) return;
  if (!(metadata instanceof PickleDict)) throw formatError(`${path} is a tensor with unexpected arguments`);
  if (metadata.size === 0) return;
  throw new UnsupportedTensor(`${path} is a conjugated or negated view; store .resolve_conj().resolve_neg() instead`);
}
