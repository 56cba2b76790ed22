// Writes the tensors of a state as the safetensors library does: the header is made here, and the addon appends the data.
// read.ts shows the format.
import { fromNative, LearnError } from '../../core/errors';
import { replaceFile } from '../../files/atomic-write';
import type { StateHandle } from '../../native/handles';
import { native } from '../../native/native';
import { type DType, dtypes } from '../dtypes';
import { maxHeaderBytes, maxHeaderFacts } from '../limits';
import { step } from '../pickle/values';
import { isUnicode } from '../pickle/wtf8';
import { safetensorsNames } from './dtypes';

interface Tensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface SafetensorsContent {
  handle: StateHandle;
  /** The tensors of `handle`, in its order. */
  tensors: readonly Tensor[];
  /** State.metadata. */
  metadata: ReadonlyMap<string, unknown>;
}

/** The header's length is a multiple of this, so that the tensors are aligned. */
const alignment = 8;

/** Replaces `file` atomically. Returns the names of the metadata that the format cannot hold. */
export async function writeSafetensors(
  { handle, tensors, metadata }: SafetensorsContent,
  file: string,
  signal?: AbortSignal,
): Promise<string[]> {
  checkTensors(tensors, file);
  const order = orderOf(tensors);
  const isWritten = ([key, value]: [string, unknown]) =>
    typeof value === 'string' && key !== '__metadata__' && isUnicode(key) && isUnicode(value);
  const strings = [...metadata].filter((entry): entry is [string, string] => isWritten(entry));
  const header = headerOf(
    order.map((index) => tensors[index]!),
    strings,
  );
  checkHeader(header.length - alignment, strings.length, file);
  await replaceFile(
    file,
    (path, mode) => fromNative(() => native().writeTensors(handle, { path, mode, header, tensors: order })),
    { signal },
  );
  // No safetensors file holds _metadata: Python recreates it from the model.
  return [...metadata].flatMap((entry) => (isWritten(entry) || entry[0] === '_metadata' ? [] : [step(entry[0])]));
}

/** Refuses, before anything is written, a header that loadState would refuse. */
function checkHeader(bytes: number, facts: number, file: string): void {
  if (bytes <= maxHeaderBytes && facts <= maxHeaderFacts) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Cannot write ${file}: its safetensors header would have ${bytes} bytes and ${facts} strings, and files with more than ` +
      `${maxHeaderBytes} bytes or ${maxHeaderFacts} strings there cannot be loaded. Save it with format: 'pth'`,
  );
}

function checkTensors(tensors: readonly Tensor[], file: string): void {
  const other = tensors.find(({ name, dtype }) => name === '__metadata__' || !safetensorsNames.has(dtype));
  if (!other) return;
  const what = other.name === '__metadata__' ? 'tensors of that name' : `dtype ${other.dtype}`;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Cannot write ${JSON.stringify(other.name)} to ${file}: safetensors files have no ${what}. Save it with format: 'pth'`,
  );
}

/** Returns the indices in the order of the file: by dtype, the widest first, then by name. */
function orderOf(tensors: readonly Tensor[]): number[] {
  const ranks = new Map([...safetensorsNames.keys()].map((dtype, rank) => [dtype, rank]));
  const keys = tensors.map(({ name, dtype }, index) => ({ index, rank: ranks.get(dtype)!, name: Buffer.from(name) }));
  return keys.sort((a, b) => a.rank - b.rank || Buffer.compare(a.name, b.name)).map(({ index }) => index);
}

function headerOf(tensors: readonly Tensor[], strings: readonly [string, string][]): Buffer {
  // Written entry by entry, because an object would sort names that are numbers.
  const entry = (key: string, value: unknown) => `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  const pairs = strings.map(([key, value]) => entry(key, value));
  const entries = pairs.length > 0 ? [`"__metadata__":{${pairs.join(',')}}`] : [];
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    const begin = end;
    end += shape.reduce((product, size) => product * size, dtypes[dtype].bytes);
    entries.push(entry(name, { dtype: safetensorsNames.get(dtype), shape, data_offsets: [begin, end] }));
  }
  const text = Buffer.from(`{${entries.join(',')}}`);
  const padded = Math.ceil(text.length / alignment) * alignment;
  const header = Buffer.alloc(alignment + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  text.copy(header, alignment);
  return header;
}
