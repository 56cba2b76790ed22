// PyTorch's element types: sizes, the names of their storages in pickles, and the typed arrays that hold their bits.

export type DType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'complex64'
  | 'complex128'
  | 'float8_e4m3fn'
  | 'float8_e5m2'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2fnuz'
  | 'float8_e8m0fnu';

/** What `State.tensor()` gives: half, bfloat16 and float8 as raw bits; complex as pairs; bool as 0 and 1. */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export interface DTypeInfo {
  readonly bytes: number;
  /** Class of its storage in pickles; types without one are pickled with their dtype (`_rebuild_tensor_v3`). */
  readonly storage?: string;
  readonly array: new (buffer: ArrayBuffer) => TensorData;
}

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  float64: { bytes: 8, storage: 'DoubleStorage', array: Float64Array },
  float32: { bytes: 4, storage: 'FloatStorage', array: Float32Array },
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
  uint16: { bytes: 2, array: Uint16Array },
  uint32: { bytes: 4, array: Uint32Array },
  uint64: { bytes: 8, array: BigUint64Array },
  float8_e4m3fn: { bytes: 1, array: Uint8Array },
  float8_e5m2: { bytes: 1, array: Uint8Array },
  float8_e4m3fnuz: { bytes: 1, array: Uint8Array },
  float8_e5m2fnuz: { bytes: 1, array: Uint8Array },
  float8_e8m0fnu: { bytes: 1, array: Uint8Array },
};

const byStorage = new Map(Object.entries(dtypes).map(([name, { storage }]) => [storage, name as DType]));

/** The dtype of a storage class such as 'FloatStorage'. */
export function dtypeOfStorage(storage: string): DType | undefined {
  return byStorage.get(storage);
}

export function isDType(name: string): name is DType {
  return Object.hasOwn(dtypes, name);
}
