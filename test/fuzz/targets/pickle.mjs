// data.pkl of a zip file that is sound otherwise.
import { four, training } from '../../attacks/build.mjs';
import { call, p, pickle, tensor, zip } from '../../unit/checkpoint-support.mjs';
import { makePickle, mutatePickle } from '../pickles.mjs';
import { goodPickles } from '../seeds.mjs';

const more = [
  pickle(),
  training(call('argparse', 'Namespace')),
  pickle(null, [p.text('a'), tensor(), p.text('b'), tensor({ offset: 1, shape: [3], stride: [1] })]),
];

/** One file. `good`: whole checkpoints. */
export function make(random, good) {
  const source = random.once(3)
    ? { pickle: random.pick(more), storages: [['data/0', four]] }
    : random.pick(goodPickles(good));
  const data = random.once(4) ? makePickle(random) : mutatePickle(source.pickle, random);
  return zip([
    ['x/data.pkl', data],
    ['x/version', '3\n'],
    ...source.storages.map(([name, bytes]) => [`x/${name}`, bytes]),
  ]);
}
