// Files from before PyTorch 1.6: the parts changed one by one, or any bytes.
import { four, legacy, legacyTensor, magic, pickled, view } from '../../attacks/build.mjs';
import { p, pickle, u64 } from '../../unit/checkpoint-support.mjs';
import { mutateBytes } from '../bytes.mjs';
import { makePickle, mutatePickle } from '../pickles.mjs';
import { interesting } from '../random.mjs';

const objects = [
  pickle(legacyTensor()),
  pickle(legacyTensor({ view: view('9', 1, 3), shape: [3], stride: [1] })),
  pickle(null, [
    p.text('a'),
    legacyTensor(),
    p.text('b'),
    legacyTensor({ key: '8', type: 'torch LongStorage', numel: 1 }),
  ]),
];

const numbers = (random) => BigInt.asIntN(62, interesting(random));

const changes = {
  start: (random) => mutateBytes(magic, random),
  version: (random) => pickled(p.int(Number(BigInt.asIntN(31, interesting(random))))),
  system: (random) => makePickle(random),
  keys: (random) => Array.from({ length: random.below(4) }, () => random.pick(['7', '8', '9', ''])),
  keyList: (random) => random.pick([makePickle(random), pickled(p.none)]),
  storages: (random) =>
    Array.from({ length: random.below(4) }, () => [
      random.pick([4, 1, 0, numbers(random)]),
      random.pick([four, u64(1), '']),
    ]),
  tail: (random) => random.bytes(random.below(30)),
  object: (random) => random.pick([makePickle(random), mutatePickle(random.pick(objects), random)]),
};

/** One file. */
export function make(random) {
  const object = random.once(2) ? mutatePickle(random.pick(objects), random) : random.pick(objects);
  const keys = random.once(4) ? ['7', '8'] : ['7'];
  const storages = keys.map((key) => (key === '7' ? [4, four] : [1, u64(3)]));
  const chosen = Array.from({ length: random.small(2) }, () => random.pick(Object.keys(changes)));
  const changed = Object.fromEntries(chosen.map((key) => [key, changes[key](random)]));
  const file = legacy({ object, keys, storages, ...changed });
  return random.once(4) ? mutateBytes(file, random) : file;
}
