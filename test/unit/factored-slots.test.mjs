// Slots of Adafactor and Muon in fast mode, which keeps the weights of classifiers in another order than checkpoints have them.
import assert from 'node:assert/strict';
import {
  adafactor,
  adamW,
  arrays,
  conv2d,
  createState,
  flatten,
  linear,
  loadState,
  mseLoss,
  muon,
  relu,
  sequential,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { recorded } from './resume-support.mjs';

const n = 24;
const inputs = Float32Array.from({ length: n * 48 }, (_, i) => ((i * 37) % 101) / 50 - 1);
const targets = (values) => ({
  data: Float32Array.from({ length: n * values }, (_, i) => (i % 7) / 7),
  shape: [values],
});
const convolved = (channels, values) =>
  sequential(
    { conv: conv2d(3, channels, 3, { padding: 1 }), relu: relu(), flat: flatten(), fc: linear(channels * 16, values) },
    { input: [3, 4, 4] },
  );

const models = {
  'a classifier of images': { model: convolved(5, 6), values: 6 },
  'a single output': { model: convolved(4, 1), values: 1 },
  'convolutions of many channels': {
    model: sequential(
      {
        ...{ conv: conv2d(3, 20, 3, { padding: 1 }), relu: relu(), conv1: conv2d(20, 18, 1), relu1: relu() },
        ...{ flat: flatten(), fc: linear(18 * 16, 5) },
      },
      { input: [3, 4, 4] },
    ),
    values: 5,
  },
  'images of one pixel and channel': {
    model: sequential({ conv: conv2d(3, 1, 4), flat: flatten(), fc: linear(1, 3) }, { input: [3, 4, 4] }),
    values: 3,
  },
};
const optimizers = {
  adafactor: { optimizer: adafactor({ learningRate: 0.01, weightDecay: 0.01 }) },
  muon: {
    optimizer: muon({ learningRate: 0.01 }),
    parameterGroups: [{ parameters: ['conv*', '*.bias'], optimizer: adamW() }],
  },
};

/** Tensors in a training checkpoint's optimizer, with their paths. */
async function slotsOf(path) {
  const { metadata } = await loadState(path, { key: 'model' });
  const slots = [];
  for (const [i, dict] of [metadata.get('optimizer')].flat().entries()) {
    for (const [number, state] of dict.get('state')) {
      for (const [name, tensor] of state) slots.push([`${i}.${number}.${name}`, tensor]);
    }
  }
  return slots;
}

describe('slots of optimizers in fast mode', () => {
  const at = temporaryFolder();

  for (const [kind, optimizer] of Object.entries(optimizers)) {
    for (const [what, { model, values }] of Object.entries(models)) {
      const name = `${kind} of ${what}`;
      const data = arrays({ inputs: { input: { data: inputs, shape: [3, 4, 4] } }, targets: targets(values) });
      const options = { model, data, loss: mseLoss(), batchSize: 4, shuffle: false, threads: 1, seed: 0, ...optimizer };
      const run = async (file, more) =>
        recorded(await createState(model, { seed: 2 }), { ...options, ...more, checkpoint: { path: at(file) } });

      it(`${kind}() of ${what}: have the shapes, the order and but for roundings the values of exact mode`, async () => {
        await run(`${name} exact`, { epochs: 1 });
        await run(`${name} fast`, { epochs: 1, mode: 'fast' });
        const [exact, fast] = [await slotsOf(at(`${name} exact`)), await slotsOf(at(`${name} fast`))];
        assert.deepEqual(
          fast.map(([slot, { shape }]) => [slot, shape]),
          exact.map(([slot, { shape }]) => [slot, shape]),
        );
        for (const [k, [slot, { data: wanted }]] of exact.entries()) {
          const largest = Math.max(...wanted.map(Math.abs));
          for (const [i, value] of fast[k][1].data.entries()) {
            assert.ok(Math.abs(value - wanted[i]) <= 1e-3 * largest, `${slot} at ${i}: ${value}, not ${wanted[i]}`);
          }
        }
      });

      it(`${kind}() of ${what}: continue from a checkpoint to the bits of a run that never stopped`, async () => {
        const whole = await run(`${name} whole`, { epochs: 3, mode: 'fast' });
        await run(`${name} first`, { epochs: 1, mode: 'fast' });
        const resumed = await recorded('', { data, model, resume: at(`${name} first`), epochs: 3 });
        assert.ok(resumed.state.equals(whole.state), 'the weights differ');
        assert.deepEqual(resumed.losses, whole.losses.slice(n / 4));
      });
    }
  }
});
