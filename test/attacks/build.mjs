// Builds checkpoints for the lists of this folder, in addition to ../unit/checkpoint-support.mjs: legacy
// streams, safetensors files, and zip files as other tools make them.
import { crc32, deflateRawSync } from 'node:zlib';
import { join, p, pickle, storage, tensor, tupleOf, u16, u32, u64 } from '../unit/checkpoint-support.mjs';

/** The default values of every tensor made here. */
export const four = Buffer.from(new Float32Array([1, 2, 3, 4]).buffer);

/** A pickle of one value. */
export const pickled = (...value) => join(p.proto(), value, p.stop);

/** data.pkl of a training checkpoint: weights under `model`, and another value under `extra`. */
export const training = (extra, model = [p.emptyDict, p.text('weight'), tensor(), p.setItem]) =>
  pickle(null, [p.text('model'), model, p.text('extra'), extra]);

// --- zip ---------------------------------------------------------------------------------------------------------------

/** A deflated record, as made by zip tools. `changes` as in zip(). */
export function deflated([name, content, changes = {}]) {
  const data = Buffer.from(content);
  const packed = deflateRawSync(data, { level: 9 });
  return [name, packed, { method: 8, localMethod: 8, crc: crc32(data), size: data.length, ...changes }];
}

/** The ZIP64 end records. */
export const end64 =
  (changes = {}) =>
  (facts) => {
    const { start, bytes, entries, at } = { ...facts, ...changes };
    const { disk = 0, disks = 1, magic = 0x06064b50 } = changes;
    const counts = [u64(entries), u64(changes.entriesHere ?? entries)];
    const record = [u32(magic), u64(44), u32(0), u32(disk), u32(0), counts, u64(bytes), u64(start)];
    return join(record, u32(0x07064b50), u32(disk), u64(at), u32(disks));
  };

/** The field of a directory entry for values that are too large for 32 bits: size, stored size, offset. */
export const extra64 = (...values) => join(u16(1), u16(8 * values.length), values.map(u64));

/** The data descriptor that torch.save writes after a record: the sizes that its local header leaves 0. */
export function descriptor(content) {
  const data = Buffer.from(content);
  return join(u32(0x08074b50), u32(crc32(data)), u32(data.length), u32(data.length));
}

// --- legacy streams ----------------------------------------------------------------------------------------------------

export const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');

/** A persistent id of a legacy stream, which has one item more than in a zip: the view, or None. */
export function legacyStorage({ type = 'torch FloatStorage', key = '7', numel = 4, view = p.none, rest = [] } = {}) {
  const items = [p.text('storage'), p.global(...type.split(' ')), p.text(key), p.text('cpu'), p.int(numel), view];
  return [tupleOf([...items, ...rest]), p.persid];
}

export const view = (key, offset, size) => tupleOf([p.text(key), p.int(offset), p.int(size)]);

export const legacyTensor = (changes = {}) => tensor({ from: legacyStorage(changes), ...changes });

const systemInfo = pickled(
  [p.emptyDict, p.mark, p.text('protocol_version'), p.int(1001)],
  [p.text('little_endian'), p.true, p.text('type_sizes'), p.emptyDict, p.setItems],
);

/** The five pickles and the storages of a file from before PyTorch 1.6. `storages`: [count, bytes] in the order of `keys`. */
export function legacy({
  start = magic,
  version = pickled(p.int(1001)),
  system = systemInfo,
  object = pickle(legacyTensor()),
  keys = ['7'],
  keyList = pickled(p.emptyList, p.mark, keys.map(p.text), p.appends),
  storages = keys.map(() => [4, four]),
  tail = '',
} = {}) {
  return join(
    [start, version, system, object, keyList],
    storages.map(([count, data]) => [u64(BigInt.asUintN(64, BigInt(count))), data]),
    tail,
  );
}

// --- safetensors -------------------------------------------------------------------------------------------------------

export const entry = (changes = {}) => ({ dtype: 'F32', shape: [2, 2], data_offsets: [0, 16], ...changes });

/** A safetensors file. `header` is an object, or its JSON text. */
export function safetensors(header = { weight: entry() }, data = four, { length, tail = '' } = {}) {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  return join(u64(length ?? json.length), json, data, tail);
}

// --- common functions ----------------------------------------------------------------------------------------------------

export const storageOf = (numel, type = 'torch FloatStorage') => storage({ numel, type });
export const list = (...items) => [p.emptyList, p.mark, ...items, p.appends];
export const dict = (...items) => [p.emptyDict, p.mark, ...items, p.setItems];
