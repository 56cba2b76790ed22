// Outputs that are not finite are said to be so: an evaluation has a count of them, and a version that makes them never serves.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  arrays,
  createState,
  evaluate,
  linear,
  loadState,
  OnlineLearner,
  saveState,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

const model = sequential({ fc: linear(2, 3) }, { input: [2] });
const run = { model, threads: 1 };

/** A state whose bias, or one element of it, is another number. */
async function stateWith(file, values) {
  await saveState(await createState(model, { seed: 1 }), file);
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const [from] = JSON.parse(bytes.subarray(8, 8 + length).toString())['fc.bias'].data_offsets;
  for (const [i, value] of values.entries()) if (value !== null) bytes.writeFloatLE(value, 8 + length + from + 4 * i);
  fs.writeFileSync(file, bytes);
  return loadState(file);
}

describe('evaluate', () => {
  const folder = temporaryFolder();
  const labels = [0, 1, 2, 0, 0];
  const data = (inputs = new Float32Array(10).fill(1)) => arrays({ inputs, labels, shape: [2] });

  it('counts nothing as correct that NaN weights say, and says how many samples that are', async () => {
    const state = await stateWith(folder('nan.safetensors'), [Number.NaN, Number.NaN, Number.NaN]);
    const result = await evaluate(state, { ...run, data: data() });
    assert.ok(Number.isNaN(result.loss));
    assert.deepEqual([result.accuracy, result.notFinite, result.samples], [0, 5, 5]);
    assert.deepEqual(
      result.perClass.map(({ samples, correct }) => [samples, correct]),
      [
        [3, 0],
        [1, 0],
        [1, 0],
      ],
    );
    assert.deepEqual(result.confusion, [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('counts the samples alone whose outputs are not finite', async () => {
    const inputs = new Float32Array(10).fill(1);
    inputs[6] = Number.NaN;
    inputs[9] = Number.POSITIVE_INFINITY;
    const state = await createState(model, { seed: 1 });
    const clean = await evaluate(state, { ...run, data: data() });
    const result = await evaluate(state, { ...run, data: data(inputs), batchSize: 2 });
    assert.equal(result.notFinite, 2);
    assert.equal(clean.notFinite, 0);
    const [row] = clean.confusion;
    assert.deepEqual(result.confusion, [row.map((cell) => cell / 3), ...clean.confusion.slice(1)]);
    assert.equal(result.perClass[0].samples, 3);
  });

  it('takes a logit of minus infinity as the mask that it is', async () => {
    const state = await stateWith(folder('masked.safetensors'), [null, null, Number.NEGATIVE_INFINITY]);
    const result = await evaluate(state, {
      ...run,
      data: arrays({ inputs: new Float32Array(4), labels: [0, 1], shape: [2] }),
    });
    assert.equal(result.notFinite, 0);
    assert.ok(Number.isFinite(result.loss));
  });
});

describe('a gate', () => {
  const folder = temporaryFolder();

  it('refuses a version whose outputs are not finite for held-out samples', async () => {
    // Weights that are finite, and outputs of one held-out sample that are not.
    const heldOut = arrays({ inputs: Float32Array.from([1, 1, 3e38, 3e38]), labels: [0, 0], shape: [2], classes: 3 });
    const checkpoint = await stateWith(folder('s.safetensors'), [null, null, null]);
    const learner = await OnlineLearner.open({
      ...{
        dir: folder('learner'),
        checkpoint,
        transforms: [],
        ...run,
        optimizer: sgd({ learningRate: 20 }),
        seed: 1,
        maxDelayMs: 0,
      },
      ...{ batchSize: 1, gate: { heldOut, every: 1, maxDrop: 1, perClassMaxDrop: 1, onRefused: 'continue' } },
    });
    for (let i = 0; i < 3; i++) await learner.learn({ inputs: Float32Array.of(1 + i, 2), labels: [i % 3] });
    const { version, refused } = learner.metrics();
    assert.deepEqual([version, refused], [0, 3]);
    await learner.close();
  });
});

describe('numbers that float32 does not have', () => {
  it('are refused by name', async () => {
    const state = await createState(model);
    const data = arrays({ inputs: new Float32Array(4), labels: [0, 1], shape: [2] });
    for (const name of ['learningRate', 'momentum', 'weightDecay']) {
      const training = trainIncremental(state, { ...run, data, optimizer: { kind: 'sgd', [name]: 1e39 } });
      await assert.rejects(training, { code: 'ERR_INVALID_OPTION', message: new RegExp(`float32.*"${name}"`) });
    }
  });
});

describe('nesterov', () => {
  const folder = temporaryFolder();
  const data = arrays({ inputs: new Float32Array(4).fill(1), labels: [0, 1], shape: [2] });
  const refused = { code: 'ERR_INVALID_OPTION', message: /nesterov: true requires a momentum above 0/ };

  it('is refused without a momentum, in a copy of an optimizer too', async () => {
    assert.throws(() => sgd({ nesterov: true, momentum: 0 }), refused);
    const state = await createState(model);
    const optimizer = { ...sgd({ momentum: 0 }), nesterov: true };
    await assert.rejects(trainIncremental(state, { ...run, data, optimizer }), refused);
    const path = folder('run.ckpt');
    await trainIncremental(state, { ...run, data, epochs: 1, optimizer: sgd({ momentum: 0 }), checkpoint: { path } });
    const resumed = { ...run, data, resume: path, epochs: 2 };
    await assert.rejects(trainIncremental('', { ...resumed, optimizer }), refused);
    await trainIncremental('', { ...resumed, optimizer: sgd({ nesterov: true, momentum: 0.5 }) });
    const options = { dir: folder('learner'), checkpoint: state, transforms: [], ...run };
    await assert.rejects(OnlineLearner.open({ ...options, optimizer }), refused);
    await (await OnlineLearner.open({ ...options, optimizer: sgd({ momentum: 0 }) })).close();
    await (await OnlineLearner.open(options)).close();
  });
});
