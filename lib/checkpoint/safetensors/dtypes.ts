// How safetensors files name dtypes, and in which order the safetensors library stores tensors of different ones: the
// widest first, so that each is aligned. For safetensors.ts and write-safetensors.ts.
import type { DType } from '../dtypes';

const table: readonly (readonly [DType, string])[] = [
  ['uint64', 'U64'],
  ['int64', 'I64'],
  ['float64', 'F64'],
  ['complex64', 'C64'],
  ['float32', 'F32'],
  ['uint32', 'U32'],
  ['int32', 'I32'],
  ['bfloat16', 'BF16'],
  ['float16', 'F16'],
  ['uint16', 'U16'],
  ['int16', 'I16'],
  ['float8_e5m2fnuz', 'F8_E5M2FNUZ'],
  ['float8_e4m3fnuz', 'F8_E4M3FNUZ'],
  ['float8_e8m0fnu', 'F8_E8M0'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e5m2', 'F8_E5M2'],
  ['int8', 'I8'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
];

/** Name in a safetensors file, by dtype; in the order in which they are stored. The format has no others of PyTorch's. */
export const safetensorsNames: ReadonlyMap<DType, string> = new Map(table);

export const dtypesByName: ReadonlyMap<string, DType> = new Map(table.map(([dtype, name]) => [name, dtype]));
