// Translates the numbers by which torch.export writes dtypes, layouts and memory formats (torch/_export/serde/schema.py, which
// are not those of c10), and the names of devices.
import { type DType, dtypes } from '../checkpoint/dtypes';
import type { MemoryFormat } from '../program/program';
import type { Located } from './located';

const dtypeNumbers: ReadonlyMap<number, DType> = new Map([
  [1, 'uint8'],
  [2, 'int8'],
  [3, 'int16'],
  [4, 'int32'],
  [5, 'int64'],
  [6, 'float16'],
  [7, 'float32'],
  [8, 'float64'],
  [9, 'complex32'],
  [10, 'complex64'],
  [11, 'complex128'],
  [12, 'bool'],
  [13, 'bfloat16'],
  [28, 'uint16'],
  [29, 'float8_e4m3fn'],
  [30, 'float8_e5m2'],
  [31, 'float8_e4m3fnuz'],
  [32, 'float8_e5m2fnuz'],
  [33, 'float8_e8m0fnu'],
  [34, 'uint32'],
  [35, 'uint64'],
]);

const memoryFormats: readonly (MemoryFormat | undefined)[] = [
  undefined,
  'contiguous_format',
  'channels_last',
  'channels_last_3d',
  'preserve_format',
];

/** Layouts by their number. All but the last are of tensors that are not read. */
const layouts: readonly string[] = [
  'unknown',
  'sparse_coo',
  'sparse_csr',
  'sparse_csc',
  'sparse_bsr',
  'sparse_bsc',
  'mkldnn',
  'strided',
];

export function dtypeOf(place: Located): DType {
  const dtype = dtypeNumbers.get(place.value as number);
  if (dtype === undefined) throw place.expected('the number of a dtype');
  return dtype;
}

const numbersOfDtypes = new Map([...dtypeNumbers].map(([number, dtype]) => [dtype, number]));

/** The number of a dtype in a file. */
export function numberOf(dtype: DType): number {
  return numbersOfDtypes.get(dtype)!;
}

export function isFloating(dtype: DType): boolean {
  return /float|complex/.test(dtype);
}

export function bytesOf(dtype: DType): number {
  return dtypes[dtype].bytes;
}

export function memoryFormatOf(place: Located): MemoryFormat {
  const format = memoryFormats[place.value as number];
  if (format === undefined) throw place.expected('the number of a memory format');
  return format;
}

/** The number of the layout of strided tensors. */
export const stridedNumber = layouts.indexOf('strided');

/** Accepts strided tensors, the ordinary ones. */
export function checkLayout(place: Located): 'strided' {
  const layout = layouts[place.value as number];
  if (layout === 'strided') return layout;
  if (layout === undefined) throw place.expected('the number of a layout');
  throw place.error(`a tensor of layout ${layout} is not supported; export the model with .to_dense() tensors`);
}

/** Accepts the devices of a program that was exported on a CPU or a GPU. Wherever it runs, its constants are made there. */
export function checkDevice(place: Located): 'run' {
  const type = place.field('type').text(64);
  const index = place.optional('index');
  if (index !== undefined) index.count();
  if (type === 'cpu' || type === 'cuda') return 'run';
  throw place.error(`the device ${JSON.stringify(type)} is not supported; export the model on the CPU`);
}
