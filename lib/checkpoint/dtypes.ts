// Lists the dtypes that a state can hold, with their width, their name in pickles, and the typed array that holds a copy.
// src/state/dtypes.cc has the same list.

const table = {
  float32: { bytes: 4, storage: 'FloatStorage', array: Float32Array },
  float64: { bytes: 8, storage: 'DoubleStorage', array: Float64Array },
  float16: { bytes: 2, storage: 'HalfStorage', array: Uint16Array },
  bfloat16: { bytes: 2, storage: 'BFloat16Storage', array: Uint16Array },
  int64: { bytes: 8, storage: 'LongStorage', array: BigInt64Array },
  int32: { bytes: 4, storage: 'IntStorage', array: Int32Array },
  int16: { bytes: 2, storage: 'ShortStorage', array: Int16Array },
  int8: { bytes: 1, storage: 'CharStorage', array: Int8Array },
  uint8: { bytes: 1, storage: 'ByteStorage', array: Uint8Array },
  bool: { bytes: 1, storage: 'BoolStorage', array: Uint8Array },
  complex64: { bytes: 8, storage: 'ComplexFloatStorage', array: Float32Array },
  complex128: { bytes: 16, storage: 'ComplexDoubleStorage', array: Float64Array },
  // Added after PyTorch stopped making typed storages: stored as bytes, with the dtype in the tensor's arguments.
  complex32: { bytes: 4, storage: null, array: Uint16Array },
  uint16: { bytes: 2, storage: null, array: Uint16Array },
  uint32: { bytes: 4, storage: null, array: Uint32Array },
  uint64: { bytes: 8, storage: null, array: BigUint64Array },
  float8_e5m2: { bytes: 1, storage: null, array: Uint8Array },
  float8_e4m3fn: { bytes: 1, storage: null, array: Uint8Array },
  float8_e5m2fnuz: { bytes: 1, storage: null, array: Uint8Array },
  float8_e4m3fnuz: { bytes: 1, storage: null, array: Uint8Array },
  float8_e8m0fnu: { bytes: 1, storage: null, array: Uint8Array },
} as const;

/** PyTorch's name of a dtype, without `torch.`. */
export type DType = keyof typeof table;

/** The data of `State.tensor()`: 16-bit and 8-bit floats as their bits, complex numbers as pairs. */
export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

interface DTypeFacts {
  readonly bytes: number;
  /** Name of its typed storage in `torch`; null if it has none. */
  readonly storage: string | null;
  readonly array: new (buffer: ArrayBuffer) => TensorData;
}

export const dtypes: Readonly<Record<DType, DTypeFacts>> = table;

const byStorage = new Map(
  Object.entries(table).flatMap(([name, { storage }]) =>
    storage ? [[storage as string, name as DType] as const] : [],
  ),
);

export function isDType(name: string): name is DType {
  return Object.hasOwn(table, name);
}

export function dtypeOfStorage(storage: string): DType | undefined {
  return byStorage.get(storage);
}
