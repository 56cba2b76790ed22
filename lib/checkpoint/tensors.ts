// Tensors as torch.save pickles them: calls of a few functions of PyTorch, each checked against the storages that are
// really there. state-dict.ts asks for them one by one.
import { type DType, dtypeOfStorage, dtypes, isDType } from './dtypes';
import { formatError } from './errors';
import { maxDimensions } from './limits';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleReference,
  PickleTuple,
  type PickleValue,
} from './pickle-values';
import type { ZipRecord } from './zip';

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
  record: ZipRecord;
  /** undefined: bytes, to which each tensor gives a dtype. */
  dtype: DType | undefined;
}

const plain = 'torch._utils._rebuild_tensor_v2';
const plainOfBytes = 'torch._utils._rebuild_tensor_v3';
const parameter = 'torch._utils._rebuild_parameter';
const parameterWithState = 'torch._utils._rebuild_parameter_with_state';
const ofType = 'torch._tensor._rebuild_from_type_v2';

/** Kinds of tensors that are refused, in words. */
const others: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor; store .to_dense()',
  'torch._utils._rebuild_qtensor': 'a quantised tensor; store .dequantize()',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a meta tensor, which has no values',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor; store its parts',
};

/** Functions that make tensors: all that may be "called" in a state dict. */
export const tensorFunctions: ReadonlySet<string> = new Set([
  plain,
  plainOfBytes,
  parameter,
  parameterWithState,
  ofType,
  ...Object.keys(others),
]);

export function isTensor(value: PickleValue): value is PickleCall & { callee: PickleGlobal } {
  return value instanceof PickleCall && value.callee instanceof PickleGlobal && tensorFunctions.has(value.callee.name);
}

/** A parameter of a tensor with attributes is the deepest that PyTorch nests these calls. */
const maxNesting = 4;

export class TensorReader {
  readonly storages: StoredStorage[] = [];
  readonly #records: ReadonlyMap<string, ZipRecord>;
  readonly #numbers = new Map<string, number>();

  constructor(records: ReadonlyMap<string, ZipRecord>) {
    this.#records = records;
  }

  /** `path` says where in the pickle the value is. */
  read(value: PickleValue, path: string): StoredTensor {
    let inner = value;
    for (let depth = 0; depth < maxNesting && isTensor(inner); depth++) {
      const { callee, args, state, extended } = inner;
      if (!(args instanceof PickleTuple) || state !== undefined || extended)
        throw formatError(`${path} is no valid tensor`);
      switch (callee.name) {
        case plain:
        case plainOfBytes:
          return this.#readPlain(args.items, callee.name === plainOfBytes, path);
        case parameter:
        case parameterWithState:
          inner = args.items[0] ?? null;
          break;
        case ofType:
          inner = new PickleCall(args.items[0] ?? null, args.items[2] ?? null);
          break;
        default:
          throw formatError(`${path} is ${others[callee.name]} before saving`);
      }
    }
    throw formatError(`Expected a tensor for ${path} but found ${kindOf(inner)}`);
  }

  #readPlain(args: readonly PickleValue[], ofBytes: boolean, path: string): StoredTensor {
    const [reference, offset, size, strides, requiresGrad, hooks, ...rest] = args;
    const hasHooks = !(hooks === null || (hooks instanceof PickleDict && hooks.entries.size === 0));
    if (typeof requiresGrad !== 'boolean' || hasHooks || rest.length > (ofBytes ? 2 : 1)) {
      throw formatError(`${path} is a tensor with unexpected arguments`);
    }
    const dtypeArgument = ofBytes ? rest.shift() : undefined;
    checkView(rest[0], path);
    const storage = this.#storage(reference, path);
    const { dtype: typed, record } = this.storages[storage]!;
    const dtype = ofBytes ? dtypeNamed(dtypeArgument, path) : typed;
    if (dtype === undefined || (ofBytes && typed !== undefined)) {
      throw formatError(`${path} is a tensor whose storage has an unexpected type`);
    }
    const shape = sizes(size, 'shape', path);
    const stride = sizes(strides, 'stride', path);
    if (stride.length !== shape.length || !isSize(offset)) {
      throw formatError(`${path} has ${shape.length} sizes, ${stride.length} strides and the offset ${kindOf(offset)}`);
    }
    const room = Math.floor(record.bytes / dtypes[dtype].bytes);
    const extent = extentOf(shape, stride, offset);
    if (!(extent <= room)) {
      throw formatError(
        `${path} of shape [${shape}], stride [${stride}] and offset ${offset} needs ${extent} elements of ${record.path}, ` +
          `which has ${room}`,
      );
    }
    return { dtype, shape, stride, offset, storage };
  }

  /** The number of a storage, from ('storage', type, key, location, elements). */
  #storage(reference: PickleValue | undefined, path: string): number {
    const id = reference instanceof PickleReference ? reference.id : undefined;
    const [tag, type, key, location, elements] = id instanceof PickleTuple && id.items.length === 5 ? id.items : [];
    if (
      tag !== 'storage' ||
      !(type instanceof PickleGlobal) ||
      typeof key !== 'string' ||
      typeof location !== 'string'
    ) {
      throw formatError(`Expected a storage for ${path} but found ${kindOf(reference)}`);
    }
    const dtype = storageType(type.name, path);
    const record = this.#records.get(`data/${key}`);
    if (!record) throw formatError(`${path} is stored in data/${key}, which the file does not have`);
    const width = dtype === undefined ? 1 : dtypes[dtype].bytes;
    if (!isSize(elements) || elements * width !== record.bytes) {
      throw formatError(
        `${path} expects ${kindOf(elements)} of elements of ${width} bytes in ${record.path}, which has ${record.bytes} bytes`,
      );
    }
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.storages.push({ record, dtype }) - 1;
      this.#numbers.set(key, number);
    } else if (this.storages[number]!.dtype !== dtype) {
      throw formatError(`${path} takes ${record.path} for ${type.name}, another tensor for something else`);
    }
    return number;
  }
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

/** Elements of the storage that the tensor reaches to. Infinity where that is beyond any number of bytes. */
function extentOf(shape: readonly number[], stride: readonly number[], offset: number): number {
  if (shape.includes(0)) return 0;
  const elements = shape.reduce((product, size) => product * size, 1);
  const extent = shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis]!, offset + 1);
  return Number.isSafeInteger(extent) && Number.isSafeInteger(elements) ? extent : Number.POSITIVE_INFINITY;
}

/** dtype of a typed storage; undefined for bytes. Old files name the device too: torch.cuda.FloatStorage. */
function storageType(name: string, path: string): DType | undefined {
  if (name === 'torch.storage.UntypedStorage') return undefined;
  const dtype = dtypeOfStorage(name.replace(/^torch\.(cuda\.)?/, ''));
  if (!dtype) throw formatError(`${path} is stored as ${name}, which is not supported`);
  return dtype;
}

function dtypeNamed(value: PickleValue | undefined, path: string): DType {
  const name = value instanceof PickleGlobal ? value.name.replace(/^torch\./, '') : '';
  if (!isDType(name)) throw formatError(`${path} has the dtype ${kindOf(value)}, which is not supported`);
  return name;
}

/** Bits that tell PyTorch to conjugate or negate the values when they are read. */
function checkView(metadata: PickleValue | undefined, path: string): void {
  if (metadata === undefined || metadata === null) return;
  if (metadata instanceof PickleDict && [...metadata.entries.values()].every((set) => set === false)) return;
  throw formatError(`${path} is a conjugated or negated view; store .resolve_conj().resolve_neg() instead`);
}
