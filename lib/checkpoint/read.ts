// From a file to a plan that the addon can fill: opens it, finds the pickle, and checks every tensor against its storage.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { LearnError, messageOf } from '../errors';
import type { ReadPlan } from '../plans';
import { checkZip, formatError } from './detect';
import { type DType, dtypes } from './dtypes';
import { maxNameBytes, maxPickleBytes } from './limits';
import { Dict, describe, type PickleValue, TensorRef } from './objects';
import { unpickle } from './unpickle';
import { type OpenFile, readRecord, readZip, type ZipArchive, type ZipRecord } from './zip';

export interface ParsedTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  /** In elements, from the beginning of its storage. */
  readonly offset: number;
  /** Index into `storages`. */
  readonly storage: number;
}

/** A checkpoint as it stands in its file, without the bytes of its tensors. */
export interface ParsedState {
  readonly path: string;
  readonly fileBytes: number;
  readonly byteOrder: 'little' | 'big';
  readonly tensors: readonly ParsedTensor[];
  readonly storages: readonly ZipRecord[];
  /** What else stood there: `_metadata`. */
  readonly metadata: ReadonlyMap<string, unknown>;
}

/** Parses the state dict in a zip-form checkpoint. */
export async function parseState(path: string, signal?: AbortSignal): Promise<ParsedState> {
  const file = await openRegular(path);
  try {
    const head = Buffer.alloc(Math.min(512, file.size));
    await file.handle.read(head, 0, head.length, 0);
    checkZip(path, head, file.size);
    signal?.throwIfAborted();
    const archive = await readZip(file);
    const byteOrder = await readByteOrder(file, archive);
    const pickle = await readRecord(file, pickleRecord(file, archive));
    const root = unpickle(path, pickle);
    return { ...collect(path, root, archive), path, fileBytes: file.size, byteOrder };
  } finally {
    await file.handle.close();
  }
}

export function toReadPlan({ path, fileBytes, byteOrder, tensors, storages }: ParsedState): ReadPlan {
  return {
    path,
    fileBytes,
    bigEndian: byteOrder === 'big',
    storages: storages.map(({ path: name, header, bytes, crc, limit }) => ({ name, header, bytes, crc, limit })),
    tensors: tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape], stride: [...tensor.stride] })),
  };
}

/** Opens without waiting for a writer, so that a FIFO is an error and not a hang. */
async function openRegular(path: string): Promise<OpenFile> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new LearnError('ERR_FILE', `Cannot open the checkpoint ${path}: ${messageOf(cause)}`, { cause });
  }
  const stats = await handle.stat();
  if (stats.isFile()) return { path, handle, size: stats.size };
  await handle.close();
  const what = stats.isDirectory() ? 'a folder' : 'no regular file';
  throw new LearnError('ERR_FILE', `Expected a checkpoint file but ${path} is ${what}`);
}

function pickleRecord(file: OpenFile, { records }: ZipArchive): ZipRecord {
  if (records.has('constants.pkl')) {
    throw formatError(
      file.path,
      "this is a TorchScript archive, which is a program; in Python: torch.save(torch.jit.load(file).state_dict(), 'state.pth')",
    );
  }
  if (records.has('archive_format'))
    throw formatError(
      file.path,
      "this is a .pt2 archive of torch.export; in Python: torch.save(torch.export.load(file).state_dict, 'state.pth')",
    );
  const pickle = records.get('data.pkl');
  if (!pickle) throw formatError(file.path, 'the zip archive holds no data.pkl');
  if (pickle.bytes > maxPickleBytes) throw formatError(file.path, `its data.pkl has ${pickle.bytes} bytes`);
  return pickle;
}

async function readByteOrder(file: OpenFile, { records }: ZipArchive): Promise<'little' | 'big'> {
  const record = records.get('byteorder');
  if (!record) return 'little';
  const order = record.bytes <= 16 ? (await readRecord(file, record)).toString('latin1') : '';
  if (order !== 'little' && order !== 'big') throw formatError(file.path, `its byte order is "${order}"`);
  return order;
}

function collect(
  path: string,
  root: PickleValue,
  archive: ZipArchive,
): Pick<ParsedState, 'tensors' | 'storages' | 'metadata'> {
  if (!(root instanceof Dict))
    throw formatError(path, `it holds ${describe(root)}, not a state dict; save model.state_dict()`);
  const storages = new Map<string, { index: number; record: ZipRecord; dtype: DType | undefined }>();
  const tensors = [...root.items].map(([name, value]): ParsedTensor => {
    if (typeof name !== 'string' || Buffer.byteLength(name) > maxNameBytes)
      throw formatError(path, `its key ${describe(name)} is not the name of a tensor`);
    if (!(value instanceof TensorRef)) throw notTensor(path, root, name, value);
    const { key, dtype } = value.storage;
    let storage = storages.get(key);
    if (!storage) {
      const record = archive.records.get(`data/${key}`);
      if (!record) throw formatError(path, `the data of "${name}" is missing: there is no record data/${key}`);
      storage = { index: storages.size, record, dtype };
      storages.set(key, storage);
    }
    if (storage.dtype !== dtype)
      throw formatError(path, `"${name}" claims another dtype for storage ${key} than a tensor before it`);
    checkFits(path, name, value, storage.record.bytes);
    return {
      name,
      dtype: value.dtype,
      shape: value.shape,
      stride: value.stride,
      offset: value.offset,
      storage: storage.index,
    };
  });
  return { tensors, storages: [...storages.values()].map(({ record }) => record), metadata: plainMap(root.attributes) };
}

/** Throws unless every element of the tensor lies inside its storage. */
function checkFits(
  path: string,
  name: string,
  { storage, dtype, offset, shape, stride }: TensorRef,
  recordBytes: number,
): void {
  const size = dtypes[dtype].bytes;
  const storageBytes = storage.count * (storage.dtype === undefined ? 1 : size);
  if (storageBytes !== recordBytes)
    throw formatError(path, `the storage of "${name}" should have ${storageBytes} bytes but has ${recordBytes}`);
  const empty = shape.includes(0);
  // Inexact numbers only grow here, and fail.
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (stride[axis] as number), offset);
  const end = empty ? offset : last + 1;
  const elements = shape.reduce((product, length) => product * Math.max(length, 1), 1);
  if (!(end * size <= storageBytes) || !Number.isSafeInteger(elements)) {
    throw formatError(
      path,
      `"${name}" of shape [${shape.join(', ')}] reaches to element ${end} of a storage of ${Math.floor(storageBytes / size)}`,
    );
  }
}

function notTensor(path: string, root: Dict, name: string, value: PickleValue): LearnError {
  const candidates = [...root.items].filter(
    ([, item]) => item instanceof Dict && [...item.items.values()].some((one) => one instanceof TensorRef),
  );
  const hint =
    candidates.length > 0
      ? `this is a training checkpoint; the state may be its ${candidates.map(([key]) => `"${String(key)}"`).join(' or ')}. In Python: torch.save(torch.load(file)['${String(candidates[0]?.[0])}'], 'state.pth')`
      : 'save model.state_dict()';
  return formatError(path, `its key "${name.slice(0, 80)}" holds ${describe(value)}, not a tensor; ${hint}`);
}

/** Dicts as Maps, with string keys only; lists and tuples as arrays. */
function plainMap(dict: Dict | undefined): ReadonlyMap<string, unknown> {
  const map = new Map<string, unknown>();
  for (const [key, value] of dict?.items ?? []) if (typeof key === 'string') map.set(key, plainValue(value));
  return map;
}

function plainValue(value: PickleValue): unknown {
  if (value instanceof Dict) return plainMap(value);
  return value === null || typeof value !== 'object' ? value : describe(value);
}
