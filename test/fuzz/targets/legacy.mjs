// Makes files in the format before PyTorch 1.6, with changed parts or arbitrary bytes.
import { four, legacy, legacyTensor, magic, pickled, view } from '../../attacks/build.mjs';
import { join, p, pickle, u64 } from '../../unit/checkpoint-support.mjs';
import { mutateBytes } from '../bytes.mjs';
import { writePickle } from '../grammar.mjs';
import { takeApart } from '../instructions.mjs';
import { makePickle, mutatePickle } from '../pickles.mjs';
import { interesting } from '../random.mjs';
import { goodStreams } from '../seeds.mjs';
import { someStorages } from '../tensors.mjs';

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

/** Weights and other values, written in an unusual way. */
function written(random) {
  const storages = someStorages(random);
  const object = writePickle(random, { storages, hasViews: true });
  // Only the storages that it names are stored.
  const keys = Object.keys(storages).filter((key) => names(object, key));
  if (random.once(12)) keys.push(random.pick(Object.keys(storages)));
  if (random.once(4)) keys.reverse();
  if (random.once(20)) keys.pop();
  const stored = keys.map((key) => [storages[key][2] + (random.once(30) ? 1 : 0), storages[key][3]]);
  return { object: random.once(8) ? mutatePickle(object, random) : object, keys, storages: stored };
}

/** Whether one of its texts, at the place of a storage's key, is `key`. */
function names(pickle, key) {
  return takeApart(pickle).some(
    ({ name, operand }, at, list) => isText(name) && operand.toString() === key && isPlace(list[at + 1], list[at + 2]),
  );
}

const isText = (name) => /UNICODE|STRING/.test(name);
const isPlace = (next, after) => isText(next?.name) || (/PUT|MEMOIZE/.test(next?.name) && isText(after?.name));

/** A complete stream of Python with a changed object. */
function ofPython(random, good) {
  const { pickles, storages } = random.pick(goodStreams(good));
  const changed = [...pickles];
  if (!random.once(10)) {
    const at = random.once(3) ? random.below(5) : 3;
    changed[at] = mutatePickle(pickles[at], random);
  }
  return join(changed, storages);
}

/** One file. `good`: whole checkpoints. */
export function make(random, good) {
  if (!random.once(3)) return legacy(written(random));
  if (good.legacy.length > 0 && random.once(2)) return ofPython(random, good);
  const object = random.once(2) ? mutatePickle(random.pick(objects), random) : random.pick(objects);
  const keys = random.once(4) ? ['7', '8'] : ['7'];
  const storages = keys.map((key) => (key === '7' ? [4, four] : [1, u64(3)]));
  const chosen = Array.from({ length: random.small(2) }, () => random.pick(Object.keys(changes)));
  const changed = Object.fromEntries(chosen.map((key) => [key, changes[key](random)]));
  const file = legacy({ object, keys, storages, ...changed });
  return random.once(4) ? mutateBytes(file, random) : file;
}
