// Checkpoints made by hand, right and wrong in one place each, for the tests of what is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { LearnError, loadState } from 'torch-incremental';

const bytes = (width) => (value) => {
  const buffer = Buffer.alloc(width);
  for (let i = 0, rest = BigInt(value); i < width; i++, rest >>= 8n) buffer[i] = Number(rest & 255n);
  return buffer;
};
export const u8 = bytes(1);
export const u16 = bytes(2);
export const u32 = bytes(4);
export const u64 = bytes(8);

/**
 * A zip of stored records. Each record is [name, data, changes]: `changes` replaces single facts of its directory entry
 * (flags, method, crc, stored, size, offset, name, extra) or of its local header (localName, localFlags, localMethod).
 * `changes` of the zip replaces facts of its end record.
 */
export function zip(records, { count, directoryBytes, directoryStart, disk = 0, end64, comment = '' } = {}) {
  let body = Buffer.alloc(0);
  let directory = Buffer.alloc(0);
  for (const [name, content, changes = {}] of records) {
    const data = Buffer.from(content);
    const entry = {
      name,
      flags: 0,
      method: 0,
      crc: crc32(data),
      stored: data.length,
      size: data.length,
      extra: '',
      ...changes,
    };
    const { localName = name, localFlags = 0, localMethod = 0, offset = body.length } = changes;
    const local = [
      u32(0x04034b50),
      u16(20),
      u16(localFlags),
      u16(localMethod),
      u32(0),
      u32(crc32(data)),
      u32(data.length),
    ];
    const central = [u32(0x02014b50), u16(20), u16(20), u16(entry.flags), u16(entry.method), u32(0), u32(entry.crc)];
    const localBytes = Buffer.from(localName);
    const nameBytes = Buffer.from(entry.name);
    const extra = Buffer.from(entry.extra);
    body = Buffer.concat([body, ...local, u32(data.length), u16(localBytes.length), u16(0), localBytes, data]);
    const sizes = [u32(entry.stored), u32(entry.size), u16(nameBytes.length), u16(extra.length), u16(0), u16(0)];
    directory = Buffer.concat([directory, ...central, ...sizes, u16(0), u32(0), u32(offset), nameBytes, extra]);
  }
  const start = directoryStart ?? body.length;
  const entries = count ?? records.length;
  const wide = end64 ? [end64({ start, bytes: directory.length, entries, at: body.length + directory.length })] : [];
  const end = [
    u32(0x06054b50),
    u16(disk),
    u16(disk),
    u16(entries),
    u16(entries),
    u32(directoryBytes ?? directory.length),
  ];
  return Buffer.concat([body, directory, ...wide, ...end, u32(start), u16(comment.length), Buffer.from(comment)]);
}

/** Pickle instructions, by the names that Python's pickletools has for them. */
export const p = {
  proto: (version = 2) => Buffer.from([0x80, version]),
  mark: '(',
  stop: '.',
  none: 'N',
  true: u8(0x88),
  false: u8(0x89),
  emptyTuple: ')',
  emptyList: ']',
  emptyDict: '}',
  tuple: 't',
  tuple1: u8(0x85),
  tuple2: u8(0x86),
  reduce: 'R',
  newobj: u8(0x81),
  build: 'b',
  setItem: 's',
  setItems: 'u',
  append: 'a',
  appends: 'e',
  persid: 'Q',
  global: (module, name) => `c${module}\n${name}\n`,
  text: (value) => Buffer.concat([Buffer.from('X'), u32(Buffer.byteLength(value)), Buffer.from(value)]),
  int: (value) =>
    value >= -(2 ** 31) && value < 2 ** 31
      ? Buffer.concat([Buffer.from('J'), u32(BigInt.asUintN(32, BigInt(value)))])
      : Buffer.concat([u8(0x8a), u8(9), u64(BigInt.asUintN(64, BigInt(value))), u8(value < 0 ? 255 : 0)]),
  put: (index) => Buffer.concat([Buffer.from('r'), u32(index)]),
  get: (index) => Buffer.concat([Buffer.from('j'), u32(index)]),
};

/** Texts, bytes and lists of them as one buffer; a number is a byte. */
export function join(...parts) {
  return Buffer.concat(parts.flat(Infinity).map((part) => (typeof part === 'number' ? u8(part) : Buffer.from(part))));
}

export const tupleOf = (items) => [p.mark, ...items, p.tuple];

export function storage({ tag = 'storage', type = 'torch FloatStorage', key = '0', location = 'cpu', numel = 4 } = {}) {
  return [tupleOf([p.text(tag), p.global(...type.split(' ')), p.text(key), p.text(location), p.int(numel)]), p.persid];
}

/** A float32 tensor [2, 2] in a storage of 4, unless told otherwise. */
export function tensor({
  how = 'torch._utils _rebuild_tensor_v2',
  from = storage(),
  offset = 0,
  shape = [2, 2],
  stride = [2, 1],
  rest = [p.false, p.none],
} = {}) {
  const numbers = (values) => tupleOf(values.map(p.int));
  return [
    p.global(...how.split(' ')),
    tupleOf([from, p.int(offset), numbers(shape), numbers(stride), ...rest]),
    p.reduce,
  ];
}

/** data.pkl of a dict with one item, or with `items` as they are. */
export function pickle(value = tensor(), items = [p.text('weight'), value]) {
  return join(p.proto(), p.emptyDict, p.mark, ...items, p.setItems, p.stop);
}

const four = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

/** The records of a good checkpoint with one tensor. */
export function records(data = pickle()) {
  return [
    ['x/data.pkl', data],
    ['x/byteorder', 'little'],
    ['x/data/0', four],
    ['x/version', '3\n'],
  ];
}

/** A checkpoint whose pickle or records differ. */
export const checkpoint = (data) => zip(records(data));

/** Python's `module.name(*args)`. */
export const call = (module, name, ...args) => [p.global(module, name), tupleOf(args), p.reduce];

/** Asserts that loadState refuses a file of this content, quickly, with this code and in words that match. */
export async function refused(file, content, code, message) {
  fs.writeFileSync(file, content);
  const start = performance.now();
  await assert.rejects(loadState(file), (error) => {
    assert.ok(error instanceof LearnError, error.stack);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(error.message.includes(file), error.message);
    return true;
  });
  assert.ok(performance.now() - start < 2000);
}
