// Names of dtypes in safetensors files, in the order in which the safetensors library stores their tensors: the widest first,
// so that every tensor is aligned. For read.ts and write.ts.
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

/** Name in a safetensors file by dtype, in the order of storage. The format has no names for PyTorch's other dtypes. */
export const safetensorsNames: ReadonlyMap<DType, string> = new Map(table);

export const dtypesByName: ReadonlyMap<string, DType> = new Map(table.map(([dtype, name]) => [name, dtype]));
