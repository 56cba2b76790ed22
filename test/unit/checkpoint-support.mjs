// Makes checkpoints by hand: valid ones, and ones with a single error, for the tests of refused files.
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
 * (flags, method, crc, stored, size, offset, name, extra, disk) or of its local header (localName, localFlags, localMethod,
 * localSize, localCrc, localExtra), or puts bytes before the header (before) or after the data (after). `changes` of the zip replaces
 * facts of its end record (count, directoryBytes, directoryStart, disk, comment), puts `junk` before the directory, or
 * the result of `end64` after it.
 */
export function zip(records, changes = {}) {
  const body = [];
  const directory = [];
  let at = 0;
  for (const record of records) {
    const { local, central } = zipped(record, at);
    body.push(local);
    directory.push(central);
    at += local.length;
  }
  const { junk = '', disk = 0, comment = '', end64 } = changes;
  body.push(Buffer.from(junk));
  const bytes = directory.reduce((sum, { length }) => sum + length, 0);
  const facts = { start: at + junk.length, bytes, entries: records.length, at: at + junk.length + bytes };
  const count = u16(changes.count ?? Math.min(facts.entries, 0xffff));
  const size = u32(changes.directoryBytes ?? bytes);
  const end = [u32(0x06054b50), u16(disk), u16(disk), count, count, size, u32(changes.directoryStart ?? facts.start)];
  return join(body, directory, end64 ? end64(facts) : '', end, u16(comment.length), comment);
}

/** One record and its directory entry; `at` is where it starts. */
function zipped([name, content, changes = {}], at) {
  const data = Buffer.from(content);
  const { flags = 0, method = 0, crc = crc32(data), stored = data.length, size = data.length, extra = '' } = changes;
  const {
    localName = name,
    localFlags = 0,
    localMethod = 0,
    localSize = data.length,
    localExtra = '',
    localCrc = crc,
  } = changes;
  const { before = '', after = '', disk = 0, external = 0, offset = at + before.length } = changes;
  const entryName = Buffer.from(changes.name ?? name);
  const headerName = Buffer.from(localName);
  const localFacts = [
    u16(20),
    u16(localFlags),
    u16(localMethod),
    u32(0),
    u32(localCrc),
    u32(localSize),
    u32(method > 0 && changes.localSize === undefined ? size : localSize),
  ];
  const localLengths = [u16(headerName.length), u16(localExtra.length)];
  const facts = [u16(20), u16(20), u16(flags), u16(method), u32(0), u32(crc), u32(stored), u32(size)];
  const lengths = [u16(entryName.length), u16(extra.length), u16(0), u16(disk), u16(0), u32(external), u32(offset)];
  return {
    local: join(before, u32(0x04034b50), localFacts, localLengths, headerName, localExtra, data, after),
    central: join(u32(0x02014b50), facts, lengths, entryName, extra),
  };
}

/** Pickle instructions, named as in Python's pickletools. */
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
  tuple3: u8(0x87),
  stackGlobal: u8(0x93),
  memoize: u8(0x94),
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

/** Joins texts, bytes and lists of them into one buffer; a number is a byte. */
export function join(...parts) {
  return Buffer.concat(parts.flat(Infinity).map((part) => (typeof part === 'number' ? u8(part) : Buffer.from(part))));
}

export const tupleOf = (items) => [p.mark, ...items, p.tuple];

export function storage({ tag = 'storage', type = 'torch FloatStorage', key = '0', location = 'cpu', numel = 4 } = {}) {
  return [tupleOf([p.text(tag), p.global(...type.split(' ')), p.text(key), p.text(location), p.int(numel)]), p.persid];
}

/** A float32 tensor [2, 2] in a storage of 4 elements, by default. */
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

/** Makes data.pkl of a dict with one item, or with the given `items`. */
export function pickle(value = tensor(), items = [p.text('weight'), value]) {
  return join(p.proto(), p.emptyDict, p.mark, ...items, p.setItems, p.stop);
}

const four = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

/** The records of a valid checkpoint with one tensor. */
export function records(data = pickle()) {
  return [
    ['x/data.pkl', data],
    ['x/byteorder', 'little'],
    ['x/data/0', four],
    ['x/version', '3\n'],
  ];
}

/** A checkpoint with another pickle or other records. */
export const checkpoint = (data) => zip(records(data));

/** Python's `module.name(*args)`. */
export const call = (module, name, ...args) => [p.global(module, name), tupleOf(args), p.reduce];

/** Asserts that loadState refuses a file of this content with this code and in words that match; test/attacks/ counts the work. */
export async function refused(file, content, code, message) {
  fs.writeFileSync(file, content);
  await assert.rejects(loadState(file), (error) => {
    assert.ok(error instanceof LearnError, error.stack);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(error.message.includes(file), error.message);
    return true;
  });
}
