// Makes small files that ask for a lot: by millions of small values, by the same large value again and
// again, and by names and numbers that each take a long time.
import {
  call,
  join,
  p,
  pickle,
  records,
  storage,
  tensor,
  tupleOf,
  u16,
  u32,
  zip,
} from '../unit/checkpoint-support.mjs';
import { deflated, dict, legacy, pickled, safetensors, training } from './build.mjs';

const million = 1e6;
const megabyte = 2 ** 20;
const many = (count, instruction) => Buffer.alloc(count * instruction.length, instruction, 'latin1');
const packed = (data) => zip([deflated(['x/data.pkl', data]), ...records().slice(1)]);
const beside = (value) => packed(training(value));
const listed = (count, instruction) => [p.emptyList, p.mark, many(count, instruction), p.appends];
/** A list of `first`, which are remembered as 0, 1, …, and of `count` values made from them. */
const again = (first, count, instruction) =>
  beside([
    p.emptyList,
    first.map((value, i) => [value, p.put(i), p.append]),
    p.mark,
    many(count, instruction),
    p.appends,
  ]);
const rows = (count, width, row) => {
  const all = Buffer.alloc(count * width);
  for (let i = 0; i < count; i++) all.write(row(i), i * width, 'latin1');
  return all;
};
const distinctPuts = (count) => {
  const all = Buffer.alloc(count * 5, 'r');
  for (let i = 0; i < count; i++) all.writeUInt32LE(i, i * 5 + 1);
  return all;
};
const base36 = (value, width) => value.toString(36).padStart(width, '0');

const float64 = [call('numpy', 'dtype', p.text('f8'), p.false, p.true), tupleOf([p.int(3), p.text('<')]), p.build];
const ones = tupleOf(Array(64).fill(p.int(1)));
const ofManyDimensions = tupleOf([storage(), p.int(0), ones, ones, p.false, p.none]);
const longKey = 'k'.repeat(megabyte);
const legacyId = tupleOf([
  [p.text('storage'), p.global('torch', 'FloatStorage')],
  [p.text(longKey), p.text('cpu'), p.int(4), p.none],
]);
const keyed = (entryOf, count) => {
  let text = '{';
  for (let i = 0; i < count; i++) text += `${i ? ',' : ''}"${i.toString(36)}":${entryOf(i)}`;
  return safetensors(`${text}}`, '');
};

/** A zip of `count` empty records and those of a checkpoint. */
function zipOf(count) {
  const good = zip(records());
  const start = good.indexOf('PK\x01\x02');
  const name = (i) => `x/data/u${base36(i, 6)}`;
  const length = name(0).length;
  const local = Buffer.alloc(30 + length);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(length, 26);
  const entry = Buffer.alloc(46 + length);
  entry.write('PK\x01\x02', 'latin1');
  entry.writeUInt16LE(length, 28);
  const body = Buffer.alloc(count * local.length);
  const directory = Buffer.alloc(count * entry.length);
  for (let i = 0; i < count; i++) {
    local.write(name(i), 30);
    local.copy(body, i * local.length);
    entry.write(name(i), 46);
    entry.writeUInt32LE(start + i * local.length, 42);
    entry.copy(directory, i * entry.length);
  }
  const ours = good.subarray(start, -22);
  const place = start + body.length;
  const size = ours.length + directory.length;
  const total = count + 4;
  const wide = (value) => join(u32(value), u32(0));
  const end64 = [u32(0x06064b50), wide(44), u32(0), u32(0), u32(0), wide(total), wide(total), wide(size), wide(place)];
  const locator = [u32(0x07064b50), u32(0), wide(place + size), u32(1)];
  const counts = [u16(Math.min(total, 0xffff)), u16(Math.min(total, 0xffff))];
  const end = [u32(0x06054b50), u32(0), counts, u32(size), u32(place), u16(0)];
  return join(good.subarray(0, start), body, ours, directory, end64, locator, end);
}

const programs = {
  'seven million values that are remembered': () => beside([p.none, many(7 * million, '\x94')]),
  'seven million numbers to remember a value by': () => beside([p.none, distinctPuts(7 * million)]),
  'seven million times None': () => beside(listed(7 * million, 'N')),
  'seven million integers': () => beside(listed(7 * million, '\x8a\x01\x05')),
  'seven million texts': () => beside(listed(7 * million, '\x8c\x02ab')),
  'seven million bytes objects': () => beside(listed(7 * million, 'C\x00')),
  '900,000 integers of 64 bytes': () => beside(listed(0.9 * million, `\x8a\x40${'\x7f'.repeat(64)}`)),
  'seven million floats': () => beside(listed(7 * million, 'G\x3f\xf0\0\0\0\0\0\0')),
  'four million sets': () => beside(listed(3.9 * million, '\x8f')),
  'four million dicts': () => beside(listed(3.9 * million, '}')),
  'four million lists in batches': () => beside([p.emptyList, many(4000, `(${']'.repeat(1000)}e`)]),
  'four million storages': () => again([p.text('storage')], 3.9 * million, 'h\x00Q'),
  'a million names': () => beside([p.emptyList, p.mark, rows(million, 10, (i) => `ca\n${base36(i, 6)}\n`), p.appends]),
  'three million keys': () =>
    beside([p.emptyDict, p.mark, rows(3 * million, 9, (i) => `\x8c\x06${base36(i, 6)}N`), p.setItems]),
  'a name of a megabyte, 100,000 times': () =>
    again([p.text('m'.repeat(megabyte)), p.text('n')], 100_000, 'h\0h\x01\x93'),
  'a class of a megabyte, called 100,000 times': () =>
    again([[p.text('torch'), p.text('a'.repeat(megabyte)), p.stackGlobal]], 100_000, 'h\0)R'),
  'NumPy numbers of a megabyte that is not text, 100,000 times': () =>
    again(
      [
        p.global('numpy.core.multiarray', 'scalar'),
        tupleOf([[float64, call('_codecs', 'encode', p.text(`${'a'.repeat(megabyte - 2)}\u0100`), p.text('latin1'))]]),
      ],
      100_000,
      'h\0h\x01R',
    ),
  '249,000 dicts with a key of a megabyte': () =>
    packed(
      pickle(null, [
        [p.text('k'.repeat(megabyte - 5)), p.put(0), p.none],
        rows(249_000, 11, (i) => `\x8c\x04${base36(i, 4)}}h\x00Ns`),
        [p.text('model'), dict(p.text('x'), dict(p.text('weight'), tensor()))],
      ]),
    ),
  '390,000 sparse tensors': () => again([p.global('torch._utils', '_rebuild_sparse_tensor')], 390_000, 'h\0)R'),
  '390,000 tensors of 64 dimensions beside the weights': () =>
    again([p.global('torch._utils', '_rebuild_tensor_v2'), ofManyDimensions], 390_000, 'h\0h\x01R'),
  '100,000 weights of 64 dimensions': () =>
    packed(
      join(
        [p.proto(), p.emptyDict, p.mark, p.text('a')],
        [p.global('torch._utils', '_rebuild_tensor_v2'), p.put(0), ofManyDimensions, p.put(1), p.reduce],
        rows(100_000, 11, (i) => `\x8c\x04${base36(i, 4)}h\x00h\x01R`),
        [p.setItems, p.stop],
      ),
    ),
  'a text of a megabyte, 100,000 times': () => again([p.text('t'.repeat(megabyte))], 100_000, 'h\0'),
  'a key of 100,000 texts of a megabyte': () =>
    packed(
      pickle(null, [
        [p.text('weight'), tensor()],
        [p.mark, p.text('t'.repeat(megabyte)), p.put(0), many(100_000, 'h\0'), p.tuple, p.none],
      ]),
    ),
  'an unknown class after five million values': () =>
    packed(pickled([listed(5 * million, 'N').slice(0, -1), call('__main__', 'X'), p.appends])),
  'modules with names of a megabyte, 100 deep': () => {
    const inner = (parameters, modules) => [
      [p.global('__main__', 'Net'), p.emptyTuple, p.newobj],
      [dict(p.text('_parameters'), parameters, p.text('_modules'), modules), p.build],
    ];
    let module = inner(dict(p.text('w'), tensor(), p.text('v'), tensor()), p.emptyDict);
    for (let i = 0; i < 100; i++)
      module = inner(dict(p.text('w'), tensor()), [p.emptyDict, p.get(9000), module, p.setItem]);
    return packed(pickled([p.emptyDict, p.text('n'.repeat(megabyte)), p.put(9000), module, p.setItem]));
  },
};

const legacyReferences = (count) =>
  legacy({
    keys: [longKey],
    object: join(
      [p.proto(), p.emptyDict, p.mark, p.text('a')],
      [p.emptyList, p.mark, [legacyId, p.put(0), p.persid], many(count, 'h\x00Q'), p.appends],
      [p.text('weight'), tensor({ from: [p.get(0), p.persid] }), p.setItems, p.stop],
    ),
  });

const containers = {
  'a legacy storage with a key of a megabyte, named 100,000 times': () => legacyReferences(100_000),
  'a safetensors header of 300,000 tensors': () =>
    keyed(() => '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}', 300_000),
  'a safetensors header of 80,000 tensors of 64 dimensions': () =>
    keyed(() => `{"dtype":"U8","shape":[${Array(64).fill(0)}],"data_offsets":[0,0]}`, 80_000),
  'a safetensors shape of a million sizes': () =>
    safetensors(`{"w":{"dtype":"U8","shape":[${'0,'.repeat(million)}0],"data_offsets":[0,0]}}`, ''),
  'a zip of 200,000 records': () => zipOf(200_000),
  'a zip of more records than any checkpoint has': () => zipOf(310_000),
  'a pickle of 60 MB in 60 kB': () => packed(join(p.proto(), p.none, many(30 * million, 'q\0'), p.stop)),
};

const asEntries = (made) => Object.fromEntries(Object.entries(made).map(([name, make]) => [name, [make]]));

export const bounded = { ...asEntries(programs), ...asEntries(containers) };

export const hostile = {
  'code after 15 million values': [
    () =>
      packed(
        training([listed(15 * million, 'N').slice(0, -1), call('os', 'system', p.text('touch canary')), p.appends]),
      ),
    /os\.system/,
    'ERR_STATE_UNSAFE',
  ],
};
