// Makes data.pkl of otherwise valid zip files.
import { deflated, four, training } from '../../attacks/build.mjs';
import { call, p, pickle, tensor, zip } from '../../unit/checkpoint-support.mjs';
import { writePickle } from '../grammar.mjs';
import { putTogether, takeApart } from '../instructions.mjs';
import { makePickle, mutatePickle } from '../pickles.mjs';
import { goodPickles } from '../seeds.mjs';
import { someStorages } from '../tensors.mjs';

const more = [
  pickle(),
  training(call('argparse', 'Namespace')),
  pickle(null, [p.text('a'), tensor(), p.text('b'), tensor({ offset: 1, shape: [3], stride: [1] })]),
];

/** Weights and other values, written in an unusual way, and sometimes changed afterwards. */
export function written(random) {
  const storages = someStorages(random);
  const data = writePickle(random, { storages });
  return {
    pickle: random.once(5) ? mutatePickle(data, random) : data,
    storages: Object.entries(storages).map(([key, { 3: bytes }]) => [`data/${key}`, bytes]),
  };
}

function changed(random, good) {
  const source = random.once(4)
    ? { pickle: random.pick(more), storages: [['data/0', four]] }
    : random.pick(goodPickles(good));
  return { ...source, pickle: random.once(6) ? makePickle(random) : mutatePickle(source.pickle, random) };
}

/** Small in the file and large in memory: a few instructions, repeated. */
function grown({ pickle: data, storages }, random) {
  const list = takeApart(data);
  const from = random.below(list.length);
  const part = putTogether(list.slice(from, from + 1 + random.below(6)));
  const times = Math.min(10 ** (2 + random.below(5)), Math.floor(2 ** 21 / Math.max(part.length, 1)));
  const parts = [
    putTogether(list.slice(0, from)),
    Buffer.alloc(part.length * times, part),
    putTogether(list.slice(from)),
  ];
  return zip([
    deflated(['x/data.pkl', Buffer.concat(parts)]),
    ['x/version', '3'],
    ...storages.map(([name, bytes]) => [`x/${name}`, bytes]),
  ]);
}

/** One file. `good`: whole checkpoints. */
export function make(random, good) {
  const source = random.once(3) ? changed(random, good) : written(random);
  if (random.once(300)) return grown(source, random);
  const { pickle: data, storages } = source;
  return zip([
    ['x/data.pkl', data],
    ['x/version', '3\n'],
    ...(random.once(4) ? [['x/byteorder', random.pick(['little', 'big'])]] : []),
    ...storages.map(([name, bytes]) => [`x/${name}`, bytes]),
  ]);
}
