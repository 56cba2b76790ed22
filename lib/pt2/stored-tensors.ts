// Finds the tensors of a program in the records of its archive: their dtype, sizes and strides, and the storage that each views.
// A storage is a record of raw bytes, or one inside a checkpoint that is a record (torch 2.8 and older). Every element that a tensor
// can reach must be in its storage.

import { containerOf } from '../checkpoint/containers/detect';
import { readZip } from '../checkpoint/containers/zip';
import type { DType } from '../checkpoint/dtypes';
import { formatError } from '../checkpoint/errors';
import { maxDimensions } from '../checkpoint/limits';
import { parameters } from '../checkpoint/parameters';
import {
  kindOf,
  type PickleCall,
  PickleDict,
  PickleGlobal,
  PickleTuple,
  type PickleValue,
  step,
} from '../checkpoint/pickle/values';
import type { StoredBytes } from '../checkpoint/storages';
import { extentOf, isTensor, TensorReader } from '../checkpoint/tensors';
import { refuseActing } from '../checkpoint/unsafe-names';
import { LearnError } from '../core/errors';
import type { Pt2Archive, TensorKind } from './archive';
import { bytesOf, checkLayout, dtypeOf, isFloating } from './enums';
import type { Located } from './located';
import { mapInTurns } from './turns';

export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
  readonly storage: StoredBytes;
  readonly isParameter: boolean;
  readonly requiresGrad: boolean;
}

/** Reads what describes the tensors of one kind, by their full names. */
export async function storedTensors(
  archive: Pt2Archive,
  program: string,
  kind: TensorKind,
): Promise<Map<string, StoredTensor>> {
  const found = archive.tensors(program, kind);
  if (found === undefined) return new Map();
  return found.form === 'config'
    ? configured(archive, await archive.json(found.record), kind)
    : within(found.record, () => pickled(archive, found.record));
}

/** Names the record in the errors of the reader of checkpoints. */
async function within<T>(record: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof LearnError) || cause.message.includes(record)) throw cause;
    throw new LearnError(cause.code, `${record}: ${cause.message}`, { cause });
  }
}

async function configured(archive: Pt2Archive, json: Located, kind: TensorKind): Promise<Map<string, StoredTensor>> {
  const storages = new Map<string, StoredBytes>();
  const read = ([name, entry]: [string, Located]): [string, StoredTensor] => {
    if (entry.optional('use_pickle')?.flag())
      throw entry.error(
        'it is stored as a pickle of a tensor of its own class; make it a plain tensor and export again',
      );
    const place = entry.field('path_name');
    const record = place.name();
    if (!/^(weight|tensor)_\d+$/.test(record))
      throw /_obj_/.test(record) ? place.error('custom objects are not read') : place.expected('the name of a record');
    const storage = storages.get(record) ?? rawStorage(archive, `data/${kind}/${record}`, place);
    storages.set(record, storage);
    return [name, readMeta(entry, storage)];
  };
  return new Map(await mapInTurns(json.field('config').entries(), read, archive.signal));
}

function rawStorage(archive: Pt2Archive, record: string, place: Located): StoredBytes {
  const bytes = archive.bytesOf(record);
  if (bytes === undefined) throw place.error(`the archive has no record ${record}`);
  return Object.freeze({ path: record, bytes, place: () => archive.place(record) });
}

function readMeta(entry: Located, storage: StoredBytes): StoredTensor {
  const meta = entry.field('tensor_meta');
  const dtype = dtypeOf(meta.field('dtype'));
  const [shape, stride] = [fixedSizes(meta.field('sizes')), fixedSizes(meta.field('strides'))];
  const offset = meta.field('storage_offset').field('as_int').count();
  checkLayout(meta.field('layout'));
  if (stride.length !== shape.length) throw meta.error(`it has ${shape.length} sizes but ${stride.length} strides`);
  const requiresGrad = meta.field('requires_grad').flag();
  if (requiresGrad && !isFloating(dtype)) throw meta.error(`it has gradients but is of ${dtype}, which has none`);
  const tensor = { dtype, shape, stride, offset, storage, isParameter: entry.field('is_param').flag(), requiresGrad };
  const [extent, room] = [extentOf(shape, stride, offset), Math.floor(storage.bytes / bytesOf(dtype))];
  if (extent <= room) return Object.freeze(tensor);
  throw meta.error(
    `a tensor of shape [${shape}], strides [${stride}] and offset ${offset} needs ${extent} elements of ${storage.path}, ` +
      `which has ${room}`,
  );
}

/** Sizes that are numbers. */
function fixedSizes(place: Located): readonly number[] {
  return Object.freeze(place.list(maxDimensions).map((size) => size.field('as_int').count()));
}

/** Reads the dict of tensors in a checkpoint that is a record, by the inert reader of pickles. */
async function pickled(archive: Pt2Archive, record: string): Promise<Map<string, StoredTensor>> {
  const { offset, bytes } = await archive.place(record);
  const file = archive.file.part(offset, bytes);
  const kind = await containerOf(file);
  if (kind !== 'zip') throw formatError(`Expected a zip file of torch.save in ${record} but found the format ${kind}`);
  const { facts, pickle, storages } = await readZip(file, archive.signal);
  if (facts.byteorder === 'big')
    throw formatError(`${record} was saved on a big-endian machine; load and save the program on a little-endian one`);
  refuseActing(pickle.value, pickle.globals);
  if (!(pickle.value instanceof PickleDict))
    throw formatError(`Expected a dict of tensors in ${record} but found ${kindOf(pickle.value)}`);
  const reader = new TensorReader(storages, facts, pickle.memory);
  const moved: StoredBytes[] = [];
  const read = ([name, value]: [PickleValue, PickleValue]): [string, StoredTensor] => {
    const path = `${record} ${step(name)}`;
    if (typeof name !== 'string' || !isTensor(value))
      throw formatError(`Expected tensors by their names in ${record} but found ${path}, ${kindOf(value)}`);
    const tensor = reader.read(value, path);
    moved[tensor.storage] ??= inFile(reader.storages[tensor.storage]!.stored, offset, record);
    const { storage, ...facts } = tensor;
    return [name, Object.freeze({ ...facts, storage: moved[storage]!, ...gradientOf(value) })];
  };
  return new Map(await mapInTurns(pickle.value.entries, read, archive.signal));
}

/** The same storage, with its place in the whole file. */
function inFile(stored: StoredBytes, start: number, record: string): StoredBytes {
  const place = async () => {
    const found = await stored.place();
    return found.unpacked ? found : { ...found, offset: found.offset + start };
  };
  return Object.freeze({ path: `${record}: ${stored.path}`, bytes: stored.bytes, place });
}

/** Reads whether a tensor is a parameter, and has gradients. TensorReader has checked the calls. */
function gradientOf(value: PickleValue): { isParameter: boolean; requiresGrad: boolean } {
  const { callee, args } = value as PickleCall;
  const items = args instanceof PickleTuple ? args.items : [];
  const isParameter = callee instanceof PickleGlobal && parameters.has(callee.name);
  return { isParameter, requiresGrad: isParameter ? items[1] === true : items[4] === true };
}
