// The classes and functions that pickles of state dicts name, and what each makes of its arguments here. Any other name is
// refused: an ordinary unpickler would import and call it.
import { type DType, dtypeOfStorage, isDType } from './dtypes';
import { maxDimensions } from './limits';
import { Dict, Global, List, type PickleValue, StorageRef, TensorRef, Tuple } from './objects';

/** Makes the result of calling a global; undefined where the arguments are not what PyTorch writes. */
type Maker = (args: readonly PickleValue[]) => PickleValue | undefined;

const makers: Readonly<Record<string, Maker>> = {
  'collections.OrderedDict': (args) => {
    const dict = new Dict(true);
    if (args.length === 0) return dict;
    if (args.length !== 1 || !(args[0] instanceof List)) return undefined;
    for (const pair of args[0].items) {
      const [key, value] = pair instanceof Tuple || pair instanceof List ? pair.items : [];
      if (key === undefined || value === undefined) return undefined;
      dict.items.set(key, value);
    }
    return dict;
  },
  'torch._utils._rebuild_tensor': (args) => (args.length === 4 ? tensor(args) : undefined),
  // storage, offset, size, stride, requires_grad, backward_hooks[, metadata]
  'torch._utils._rebuild_tensor_v2': (args) => (args.length === 6 ? tensor(args) : undefined),
  // … and the dtype, which untyped storages lack
  'torch._utils._rebuild_tensor_v3': (args) => (args.length === 7 ? tensor(args, args[6]) : undefined),
  'torch._utils._rebuild_parameter': ([data]) => (data instanceof TensorRef ? data : undefined),
  'torch.Size': ([size]) => (size instanceof Tuple || size instanceof List ? new Tuple(size.items) : undefined),
};

/** Names of `torch` that stand for other kinds of tensors: recognised, not read. */
const otherTensors: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor; convert it with to_dense()',
  'torch._utils._rebuild_qtensor': 'a quantised tensor; convert it with dequantize()',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a tensor on the meta device, which has no data',
  'torch._utils._rebuild_wrapper_subclass': 'a tensor subclass; save its plain tensors',
};

export function isKnownGlobal(name: string): boolean {
  if (Object.hasOwn(makers, name) || name === 'torch.storage.UntypedStorage') return true;
  const [, own] = /^torch\.(\w+)$/.exec(name) ?? [];
  return own !== undefined && (isDType(own) || dtypeOfStorage(own) !== undefined);
}

/** What a global stands for that is recognised but not read. */
export function otherTensor(name: string): string | undefined {
  return Object.hasOwn(otherTensors, name) ? otherTensors[name] : undefined;
}

/** The value of `callable(*args)`, or undefined where PyTorch writes no such call. */
export function call(callable: PickleValue, args: PickleValue): PickleValue | undefined {
  if (!(callable instanceof Global) || !(args instanceof Tuple)) return undefined;
  return Object.hasOwn(makers, callable.name) ? makers[callable.name]?.(args.items) : undefined;
}

/** The storage that a persistent id names: ('storage', class, key, location, count). */
export function storage(id: PickleValue): StorageRef | undefined {
  if (!(id instanceof Tuple) || id.items.length !== 5) return undefined;
  const [tag, type, key, location, count] = id.items;
  if (tag !== 'storage' || !(type instanceof Global) || typeof key !== 'string' || typeof location !== 'string')
    return undefined;
  if (!isCount(count)) return undefined;
  if (type.name === 'torch.storage.UntypedStorage') return new StorageRef(key, undefined, count);
  const dtype = dtypeOfStorage(type.name.replace(/^torch\./, ''));
  return dtype && new StorageRef(key, dtype, count);
}

function tensor([source, offset, size, stride]: readonly PickleValue[], type?: PickleValue): TensorRef | undefined {
  const shape = counts(size);
  const strides = counts(stride);
  if (!(source instanceof StorageRef) || !isCount(offset) || !shape || !strides || shape.length !== strides.length)
    return undefined;
  const dtype = type === undefined ? source.dtype : namedDType(type);
  return dtype && new TensorRef(source, dtype, offset, shape, strides);
}

function namedDType(value: PickleValue): DType | undefined {
  const name = value instanceof Global ? value.name.replace(/^torch\./, '') : '';
  return isDType(name) ? name : undefined;
}

function counts(value: PickleValue | undefined): number[] | undefined {
  if (!(value instanceof Tuple) || value.items.length > maxDimensions || !value.items.every(isCount)) return undefined;
  return [...value.items] as number[];
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
