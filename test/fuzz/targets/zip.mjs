// Makes zip files: valid ones with arbitrary bytes changed, and ones with changed facts in headers, entries and end records.
import { deflateRawSync } from 'node:zlib';
import { deflated, descriptor, end64, extra64, four } from '../../attacks/build.mjs';
import { join, pickle, records, u16, u32, zip } from '../../unit/checkpoint-support.mjs';
import { mutateBytes } from '../bytes.mjs';
import { interesting } from '../random.mjs';
import { goodPickles } from '../seeds.mjs';
import { written } from './pickle.mjs';

const names = [
  'x/data.pkl',
  'x/data/0',
  'x/',
  'x/data/',
  'y/data/0',
  'x',
  '',
  '/',
  'x/../x/data/0',
  'x/version',
  'x/constants.pkl',
  'x/DATA.PKL',
  'x/Data/0',
  'X/data/0',
  'x/byteorder',
  'x/BYTEORDER',
  'x/.format_version',
  'x/data.pkl/',
  'x//data.pkl',
  'x/./data.pkl',
  'x/data.pkl\0',
  'x/größe',
];
const narrow = (random) => Number(BigInt.asUintN(32, interesting(random)));
const short = (random) => Number(BigInt.asUintN(16, interesting(random)));
const four32 = 0xffffffff;

/** Fields of other tools: time stamps, Unicode names, padding. */
const fields = [
  join(u16(0x5455), u16(5), [3, 1, 2, 3, 4]),
  join(u16(0x7075), u16(15), [1, 0, 0, 0, 0], 'x/data.pkl'),
  join('FB', u16(6), 'ZZZZZZ'),
  join(u16(0xcafe), u16(0)),
  join(u16(1), u16(0)),
  extra64(16),
];

/** Facts that have, or should have, no meaning for a reader. */
const harmless = {
  extra: (random) => random.pick(fields),
  localExtra: (random) => random.pick(fields),
  external: (random) => random.pick([0x10, 0x20, 0x81a40000, 0x41ed0010, narrow(random)]),
  before: (random) => random.bytes(random.below(40)),
  flags: (random) => random.pick([0x800, 2, 4, 6]),
  localFlags: (random) => random.pick([0x800, 8, 2]),
  localSize: (random) => random.pick([0, four32, narrow(random)]),
  crc: () => 0,
  after: (random) => random.pick([descriptor(four), random.bytes(random.below(20))]),
};

const facts = {
  ...harmless,
  flags: short,
  method: (random) => random.pick([0, 8, 12, 99, short(random)]),
  crc: (random) => random.pick([0, narrow(random)]),
  stored: narrow,
  size: narrow,
  offset: narrow,
  name: (random) => random.pick(names),
  extra: (random) =>
    random.pick([
      ...fields,
      extra64(16, 16),
      extra64(interesting(random)),
      random.bytes(random.below(30)),
      join(u16(1), u16(8)),
      join(extra64(16, 16), extra64(64, 64)),
    ]),
  disk: short,
  localName: (random) => random.pick(names),
  localFlags: short,
  localMethod: (random) => random.pick([0, 8, 12]),
  localExtra: (random) => random.bytes(random.below(40)),
};

const ends = {
  count: short,
  directoryBytes: narrow,
  directoryStart: narrow,
  disk: (random) => random.below(3),
  comment: comment,
  junk: (random) => random.bytes(random.below(30)),
  end64: (random) => {
    const key = random.pick(['start', 'bytes', 'entries', 'entriesHere', 'at', 'disk', 'disks', 'magic', 'nothing']);
    const value = BigInt.asUintN(/disk|magic/.test(key) ? 32 : 64, interesting(random));
    return end64({ [key]: value });
  },
};

/** Text, arbitrary bytes, an end record, another zip file. */
function comment(random) {
  const other = () => zip(records(pickle()).slice(random.below(4)), random.once(2) ? { end64: end64() } : {});
  const end = () => join(u32(0x06054b50), random.bytes(random.once(2) ? 16 : 18), u16(random.below(5)));
  const parts = [() => 'made by hand', () => random.bytes(random.below(60)), end, other];
  return join(random.pick(parts)(), random.once(2) ? random.bytes(random.below(8)) : '');
}

function some(table, random, most) {
  const keys = Object.keys(table);
  const chosen = Array.from({ length: random.small(most) }, () => random.pick(keys));
  return Object.fromEntries(chosen.map((key) => [key, table[key](random)]));
}

/** Records that PyTorch reads by name, and their possible contents. */
const notes = ['x/version', 'x/byteorder', 'x/.data/version', 'x/.format_version', 'x/.storage_alignment'];
const contents = [
  '3',
  '3\n',
  ' 3',
  '+3',
  '03',
  '3\0',
  '0x3',
  '11',
  '0',
  '',
  'little',
  'big',
  'little\n',
  'Little',
  '1',
  '64',
];

/** Valid records in an unusual order, stored in unusual ways. */
function unusual(list, random) {
  const changes = {
    reverse: () => list.reverse(),
    move: () => list.unshift(...list.splice(random.below(list.length), 1)),
    compress: () => change((record) => packed(record, random)),
    asTorch: () => all(([name, data, facts]) => [name, data, { ...facts, ...torchFacts(data) }]),
    unchecked: () => all(([name, data, facts]) => [name, data, { ...facts, crc: 0 }]),
    folder: () => list.unshift(['x/', '', {}]),
    wide: () =>
      change(([name, data, facts]) => {
        const size = Buffer.byteLength(data);
        const values = random.once(2) ? [size, size] : [size];
        const stored = values.length > 1 ? { stored: four32 } : {};
        return [
          name,
          data,
          { ...facts, size: four32, ...stored, extra: join(random.once(2) ? fields[0] : '', extra64(...values)) },
        ];
      }),
    extraRecord: () =>
      list.splice(random.below(list.length + 1), 0, [random.pick(names), random.bytes(random.below(20)), {}]),
    twin: () => list.splice(random.below(list.length + 1), 0, twinOf(random.pick(list), random)),
    note: () => list.push([random.pick(notes), random.pick(contents), {}]),
    harmless: () => change(([name, data, facts]) => [name, data, { ...facts, ...some(harmless, random, 2) }]),
  };
  const all = (work) => list.splice(0, list.length, ...list.map(work));
  const change = (work) => {
    const at = random.below(list.length);
    list[at] = work(list[at]);
  };
  for (let left = random.small(3); left > 0; left--) random.pick(Object.values(changes))();
}

function torchFacts(data) {
  return { flags: 0x808, localFlags: 0x808, localSize: 0, ...(data.length > 0 ? { after: descriptor(data) } : {}) };
}

/** A name that some reader confuses with the record's, with other content. */
function twinOf([name], random) {
  const text = String(name);
  const twins = [
    text.toUpperCase(),
    text,
    text.replace(/[a-z]$/, (letter) => letter.toUpperCase()),
    `${text} `,
    `${text}/`,
  ];
  return [random.pick(twins), random.bytes(random.below(70)), {}];
}

/** Deflated: in one or several blocks, stored or not, with data after the end of the stream. */
function packed([name, content, facts], random) {
  const data = Buffer.from(content);
  if (facts.method !== undefined || facts.stored !== undefined) return [name, content, facts];
  const [, stream, more] = deflated([name, data]);
  const streams = [
    stream,
    deflateRawSync(data, { level: 0 }),
    deflateRawSync(data, { level: 1, chunkSize: 64 }),
    random.once(3) ? join(stream, random.bytes(1 + random.below(9))) : stream,
  ];
  return [
    name,
    random.pick(streams),
    { ...facts, ...more, ...(random.once(8) ? { size: data.length + 1 - random.below(3) } : {}) },
  ];
}

/** One file. `good`: whole checkpoints. */
export function make(random, good) {
  if (random.once(6)) return mutateBytes(random.pick(good.zip), random);
  const list = base(random, good).map(([name, data]) => [name, data, {}]);
  unusual(list, random);
  if (random.once(2)) {
    const at = random.below(list.length);
    list[at] = [list[at][0], list[at][1], { ...list[at][2], ...some(facts, random, 2) }];
  }
  if (random.once(20)) list.splice(random.below(4), random.below(2), random.pick(list));
  const end = random.once(3) ? some(ends, random, 2) : random.once(3) ? { end64: end64() } : {};
  const bytes = zip(list, random.once(8) ? { ...end, comment: comment(random) } : end);
  return random.once(10) ? mutateBytes(bytes, random) : bytes;
}

function base(random, good) {
  if (random.once(3)) return records(pickle());
  if (random.once(2)) return random.pick(goodPickles(good)).records.map(([name, data]) => [`x/${name}`, data]);
  const { pickle: data, storages } = written(random);
  return [['x/data.pkl', data], ...storages.map(([name, bytes]) => [`x/${name}`, bytes]), ['x/version', '3\n']];
}
