// Samples of named, typed inputs and targets of every kind, against PyTorch: losses, weights and logits are the same bits.
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  arrays,
  evaluate,
  loadState,
  normalize,
  predict,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
  sgd,
  toTensor,
} from 'torch-incremental';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { inDeviceLoop } from '../unit/device-support.mjs';
import { assertSameEnd, recorded, stopped } from '../unit/resume-support.mjs';
import { photo, table, text, tokens } from './input-models.mjs';

let seed = 1;
/** An integer from 0 to `below` - 1. */
function random(below) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

const integers = (Type, length, below) => Type.from({ length }, () => random(below));
const floats = (length) => Float32Array.from({ length }, () => random(2001) / 1000 - 1);
const n = 53;
const ids = { data: BigInt64Array.from(integers(Int32Array, n * 5, 50), BigInt), shape: [5] };
const dense = { data: floats(n * 3), shape: [3] };
const row = { data: floats(n * 7), shape: [7] };
const images = (channels) => ({ data: integers(Uint8Array, n * channels * 64, 256), shape: [channels, 8, 8] });
const classes = (below) => ({ data: integers(Int32Array, n, below) });

/** Probabilities of four classes. */
function probabilities() {
  const values = Float32Array.from({ length: n * 4 }, () => random(1000) + 1);
  return values.map((value, i) => value / values.subarray(i - (i % 4), i - (i % 4) + 4).reduce((sum, of) => sum + of));
}

const sometimesIgnored = Int32Array.from({ length: n * 5 }, () => (random(3) === 0 ? -100 : random(5)));
const pixels = [toTensor(), normalize(0.5, 0.5)];
const ofImage = [randomHorizontalFlip(), randomRotation(20), toTensor(), normalize([0.4, 0.5, 0.6], [0.5, 0.6, 0.7])];
const ofMask = [randomVerticalFlip(0.3), ...pixels];

const cases = {
  'indices of words and a row of numbers': { model: text, inputs: { ids, dense }, targets: classes(4) },
  'the same in another order than the model has': { model: text, inputs: { dense, ids }, targets: classes(4) },
  'int32 where the model takes int64': {
    ...{ model: text, targets: classes(4) },
    inputs: { ids: { data: integers(Int32Array, n * 5, 50), shape: [5] }, dense },
  },
  'uint8 where the model takes int64 and float32': {
    ...{ model: text, targets: classes(4) },
    inputs: {
      ids: { data: integers(Uint8Array, n * 5, 50), shape: [5] },
      dense: { data: integers(Uint8Array, n * 3, 4), shape: [3] },
    },
  },
  'a table of uint8 of one input': {
    ...{ model: table, targets: classes(4) },
    inputs: { input: { data: integers(Uint8Array, n * 7, 4), shape: [7] } },
  },
  'probabilities of classes': {
    ...{ model: table, inputs: { input: row } },
    targets: { kind: 'values', data: probabilities(), shape: [4] },
  },
  'several classes at once': {
    ...{ model: table, inputs: { input: row } },
    targets: { kind: 'classes', data: integers(Uint8Array, n * 4, 2), shape: [4] },
  },
  'a class for each token, or none': {
    ...{ model: tokens, inputs: { ids } },
    targets: { kind: 'tokens', data: sometimesIgnored, shape: [5] },
  },
  'two images with random transforms and a row of numbers': {
    ...{ model: photo, inputs: { mask: images(1), meta: { data: floats(n * 2), shape: [2] }, image: images(3) } },
    targets: classes(3),
    transforms: { image: ofImage, mask: ofMask },
    scoring: { image: ofImage.slice(2), mask: pixels },
  },
};

const types = { Uint8Array: 'u1', Int32Array: 'i4', BigInt64Array: 'i8', Float32Array: 'f4' };
const forPython = ({ data, shape = [] }, dtype = types[data.constructor.name]) => ({
  ...{ data: Array.from(data, Number), dtype, shape },
});

describe('samples of named, typed inputs', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  const expected = {};
  const optionsOf = ({ model, inputs, targets, transforms }) => ({
    ...{ model, data: arrays({ inputs, targets }), ...(transforms && { transforms }) },
    ...{ batchSize: 8, epochs: 3, seed: 11, threads: 1, optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) },
  });

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const jobs = Object.values(cases).map(({ model, inputs, targets, transforms = {}, scoring = {} }, i) => ({
      ...{ model: model.name, transforms, scoring, batchSize: 8, epochs: 3, seed: 11 },
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, forPython(input)])),
      targets: forPython(targets, ['values', 'classes'].includes(targets.kind) ? 'f4' : 'i8'),
      ...{ init: at(`init-${i}.pth`), out: at(`out-${i}.pth`) },
    }));
    const script = path.join(root, 'test/golden/inputs.py');
    const answers = JSON.parse(runPython(script, [], { input: JSON.stringify(jobs) }));
    for (const [i, name] of Object.keys(cases).entries()) expected[name] = answers[i];
  });

  for (const [i, [name, each]] of Object.entries(cases).entries()) {
    it(`${name}: trained as PyTorch does`, async () => {
      const { state, losses } = await recorded(at(`init-${i}.pth`), optionsOf(each));
      assert.deepEqual(
        losses.map(([, , loss]) => loss),
        expected[name].losses,
      );
      assert.ok(state.equals(await loadState(at(`out-${i}.pth`))), 'the weights differ');
    });

    it(`${name}: evaluated and predicted as PyTorch does`, async () => {
      const { model, data, batchSize, threads } = optionsOf(each);
      const { scoring: transforms, inputs, targets } = each;
      const options = { model, batchSize, threads, ...(transforms && { transforms }) };
      const { logits, shape, loss, correct, counted } = expected[name];
      const state = await loadState(at(`out-${i}.pth`));
      const values = Object.fromEntries(Object.entries(inputs).map(([input, { data }]) => [input, data]));
      const prediction = await predict(state, values, options);
      assert.deepEqual([[...prediction.logits], prediction.shape], [logits, shape]);
      const evaluation = await evaluate(state, { data, ...options });
      assert.equal(evaluation.loss, loss);
      assert.equal(evaluation.samples, n);
      assert.equal(evaluation.accuracy, counted ? correct / counted : Number.NaN);
      assert.equal(evaluation.confusion.length > 0, targets.kind === undefined);
    });

    it(`${name}: resumed within an epoch as if there had been no interruption`, async () => {
      const options = { ...optionsOf(each), epochs: 20 };
      const start = await loadState(at(`init-${i}.pth`));
      const path = at(`${i}.ckpt`);
      await stopped(start, { ...options, checkpoint: { path, every: 3 } }, 10);
      const { model, data, transforms } = options;
      const resumed = await recorded('', { model, data, transforms, resume: path });
      assertSameEnd(resumed, await recorded(start, options));
    });

    it(`${name}: trained in fast mode, and by the loop for devices, as otherwise but for roundings`, async () => {
      const start = await loadState(at(`init-${i}.pth`));
      const usual = await recorded(start, optionsOf(each));
      const fast = await recorded(start, { ...optionsOf(each), mode: 'fast' });
      const looped = await inDeviceLoop(() => recorded(start, optionsOf(each)));
      for (const [k, [, , loss]] of usual.losses.entries()) {
        for (const other of [fast, looped]) {
          const [, , otherLoss] = other.losses[k];
          assert.ok(Math.abs(loss - otherLoss) <= 1e-5 * loss, `step ${k}: ${otherLoss} instead of ${loss}`);
        }
      }
    });
  }
});
