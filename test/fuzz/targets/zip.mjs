// Zip files: good ones with any bytes changed, and ones made with single facts of their headers, entries and ends changed.
import { deflated, descriptor, end64, extra64, four } from '../../attacks/build.mjs';
import { join, pickle, records, u16, zip } from '../../unit/checkpoint-support.mjs';
import { mutateBytes } from '../bytes.mjs';
import { interesting } from '../random.mjs';

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
];
const narrow = (random) => Number(BigInt.asUintN(32, interesting(random)));
const short = (random) => Number(BigInt.asUintN(16, interesting(random)));

const facts = {
  flags: short,
  method: (random) => random.pick([0, 8, 12, 99, short(random)]),
  crc: (random) => random.pick([0, narrow(random)]),
  stored: narrow,
  size: narrow,
  offset: narrow,
  name: (random) => random.pick(names),
  extra: (random) =>
    random.pick([extra64(16, 16), extra64(interesting(random)), random.bytes(random.below(30)), join(u16(1), u16(8))]),
  disk: short,
  localName: (random) => random.pick(names),
  localFlags: short,
  localMethod: (random) => random.pick([0, 8, 12]),
  localSize: narrow,
  localExtra: (random) => random.bytes(random.below(40)),
  before: (random) => random.bytes(random.below(40)),
  after: (random) => random.pick([descriptor(four), random.bytes(random.below(20))]),
};

const ends = {
  count: short,
  directoryBytes: narrow,
  directoryStart: narrow,
  disk: (random) => random.below(3),
  comment: (random) =>
    random
      .bytes(random.below(60))
      .toString('latin1')
      .replace(/[^ -~]/g, ''),
  junk: (random) => random.bytes(random.below(30)),
  end64: (random) => {
    const key = random.pick(['start', 'bytes', 'entries', 'entriesHere', 'at', 'disk', 'disks', 'magic', 'nothing']);
    const value = BigInt.asUintN(/disk|magic/.test(key) ? 32 : 64, interesting(random));
    return end64({ [key]: value });
  },
};

function some(table, random, most) {
  const keys = Object.keys(table);
  const chosen = Array.from({ length: random.small(most) }, () => random.pick(keys));
  return Object.fromEntries(chosen.map((key) => [key, table[key](random)]));
}

/** One file. `good`: whole checkpoints. */
export function make(random, good) {
  if (random.once(3)) return mutateBytes(random.pick(good), random);
  const list = records(pickle()).map(([name, data]) => [name, data, some(facts, random, 2)]);
  if (random.once(3)) list[random.below(list.length)] = deflated(random.pick(list));
  if (random.once(5)) list.splice(random.below(4), random.below(2), random.pick(list));
  const bytes = zip(list, some(ends, random, 2));
  return random.once(4) ? mutateBytes(bytes, random) : bytes;
}
