// Losses in training, evaluating and predicting: what they take, what they report, and how they are recorded.
import assert from 'node:assert/strict';
import {
  cosineEmbeddingLoss,
  createState,
  crossEntropyLoss,
  customLoss,
  evaluate,
  klDivLoss,
  l1Loss,
  linear,
  loadState,
  marginRankingLoss,
  modelLoss,
  mseLoss,
  nllLoss,
  node,
  predict,
  sequential,
  sgd,
  trainIncremental,
  value,
} from 'torch-incremental';
import { native } from '../../dist/native/native.js';
import { leaf } from '../../dist/program/module.js';
import { temporaryFolder } from '../support.mjs';
import {
  dataOf,
  inputs,
  labels,
  layer,
  n,
  numbers,
  option,
  positions,
  shape,
  train,
  twins,
} from './losses-support.mjs';
import { recorded } from './resume-support.mjs';

describe('a loss', function () {
  this.timeout(60_000);
  const at = temporaryFolder();

  it('takes one number for each sample as layers return it, with the same bits as a model that returns it plainly', async () => {
    const targets = numbers(n);
    const column = await train(layer(1), targets, mseLoss());
    const narrow = sequential(
      { fc: linear(3, 1), flat: leaf('Squeeze', [node('squeeze', 'dim', { self: value('input'), dim: 1 })]) },
      { input: [3] },
    );
    const plain = await train(narrow, targets, mseLoss());
    assert.deepEqual(column.losses, plain.losses);
    assert.ok(column.state.equals(plain.state));
  });

  it('that is a sum is reported as the sum of a step, and by epoch and in evaluate() for each sample', async () => {
    const targets = { ...numbers(3 * n), shape: [3] };
    const run = await train(layer(3), targets, mseLoss({ reduction: 'sum' }), {
      optimizer: sgd({ learningRate: 0, momentum: 0 }),
    });
    const sums = run.losses.map(([, , loss]) => loss);
    assert.equal(run.history[0].loss, (sums[0] + sums[1]) / n);
    const mean = await train(layer(3), targets, mseLoss(), { optimizer: sgd({ learningRate: 0, momentum: 0 }) });
    assert.ok(Math.abs(sums[0] - 12 * mean.losses[0][2]) < 1e-5);
    const scored = { model: layer(3), data: dataOf(targets), threads: 1, batchSize: 4 };
    const { loss } = await evaluate(run.state, { ...scored, loss: mseLoss({ reduction: 'sum' }) });
    assert.equal(loss, run.history[0].loss);
    assert.ok(Math.abs((await evaluate(run.state, { ...scored, loss: mseLoss() })).loss - loss / 3) < 1e-6);
  });

  it('of classes in the last axis counts the positions that are right', async () => {
    const state = await createState(positions, { seed: 0 });
    const data = Int32Array.from({ length: 2 * n }, (_, i) => (i % 5 === 4 ? -100 : i % 4));
    const scored = { model: positions, data: dataOf({ data, shape: [2] }), threads: 1, batchSize: 4 };
    const { accuracy } = await evaluate(state, { ...scored, loss: crossEntropyLoss({ classesLast: true }) });
    const { logits } = await predict(state, inputs.input.data, { model: positions, threads: 1 });
    const best = Array.from(data, (_, i) => {
      const row = [...logits.subarray(4 * i, 4 * i + 4)];
      return row.indexOf(Math.max(...row));
    });
    const counted = [...data.keys()].filter((i) => data[i] >= 0);
    assert.equal(accuracy, counted.filter((i) => best[i] === data[i]).length / counted.length);
  });

  it('with weights is in evaluate() that of all samples as one batch, whatever the batches', async () => {
    const model = layer(3);
    const state = await createState(model, { seed: 0 });
    const loss = crossEntropyLoss({ weight: [1, 10, 0.5], ignoreIndex: 2 });
    const of = async (batchSize) => evaluate(state, { model, data: dataOf(labels), loss, batchSize, threads: 1 });
    const [one, many] = [await of(n), await of(2)];
    assert.ok(Math.abs(one.loss - many.loss) < 1e-6, `${one.loss} ${many.loss}`);
    assert.equal(one.accuracy, many.accuracy);
  });

  it('without targets is trained by outputs alone', async () => {
    await assert.rejects(train(twins, undefined, 'model'), shape(/Expected the model to return \[\]/));
    const { losses: steps } = await train(twins, labels, modelLoss({ output: 'cost' }), {
      epochs: 20,
      optimizer: sgd({ learningRate: 0.1 }),
    });
    assert.ok(steps.at(-1)[2] < steps[0][2] / 2);
    const ranked = await train(
      twins,
      { ...numbers(3 * n, (i) => (i % 2 ? 1 : -1)), shape: [3] },
      marginRankingLoss({ outputs: ['near', 'far'], margin: 1 }),
    );
    assert.ok(ranked.losses.every(([, , each]) => Number.isFinite(each)));
  });

  it('takes the output that it names, as predict() does', async () => {
    const targets = { ...numbers(3 * n), shape: [3] };
    const state = await createState(twins, { seed: 0 });
    const { data } = inputs.input;
    const far = await predict(state, data, { model: twins, output: 'far', threads: 1 });
    const near = await predict(state, data, { model: twins, threads: 1 });
    assert.notDeepEqual(far.logits, near.logits);
    const { loss } = await evaluate(state, {
      model: twins,
      data: dataOf(targets),
      loss: l1Loss({ output: 1 }),
      threads: 1,
    });
    const mean = far.logits.reduce((sum, one, i) => sum + Math.abs(one - targets.data[i]), 0) / (3 * n);
    assert.ok(Math.abs(loss - mean) < 1e-6);
    await assert.rejects(
      predict(state, data, { model: twins, output: 'fan', threads: 1 }),
      option(/predict\(\) takes the output "fan" .* did you mean "far"/),
    );
  });

  it('is computed in fast mode, but for roundings, also of a model of several outputs', async () => {
    const targets = { ...numbers(3 * n), shape: [3] };
    const exact = await train(twins, targets, l1Loss({ output: 'far' }), { epochs: 3 });
    const fast = await train(twins, targets, l1Loss({ output: 'far' }), { epochs: 3, mode: 'fast' });
    for (const [i, [, , loss]] of fast.losses.entries()) assert.ok(Math.abs(loss - exact.losses[i][2]) < 1e-5);
  });

  it('is computed on devices by the same programs', async () => {
    const targets = { ...numbers(3 * n), shape: [3] };
    const addon = native();
    const { train: start } = addon;
    for (const [model, loss, given] of [
      [layer(3), mseLoss({ reduction: 'sum' }), targets],
      [layer(3), klDivLoss({ reduction: 'batchmean' }), targets],
      [twins, modelLoss({ output: 'cost' }), undefined],
    ]) {
      const expected = await train(model, given, loss, { epochs: 2 });
      addon.train = (plan, ...rest) => start({ ...plan, loop: 'device' }, ...rest);
      try {
        const run = await train(model, given, loss, { epochs: 2 });
        assert.deepEqual(
          run.losses.map(([, , each]) => each),
          expected.losses.map(([, , each]) => each),
        );
        assert.deepEqual(
          run.history.map(({ loss: each }) => each),
          expected.history.map(({ loss: each }) => each),
        );
      } finally {
        addon.train = start;
      }
    }
  });

  describe('in a training checkpoint', () => {
    const path = at('run.ckpt');
    const weighted = crossEntropyLoss({ weight: [1, 2, 0.5], labelSmoothing: 0.1 });

    it('is recorded with its options, and resumed', async () => {
      const whole = await train(layer(3), labels, weighted, { epochs: 3 });
      await train(layer(3), labels, weighted, { epochs: 1, checkpoint: { path } });
      const { metadata } = await loadState(path, { key: 'model' });
      const record = metadata.get('options').get('loss');
      assert.deepEqual([record.get('kind'), record.get('weight')], ['crossEntropyLoss', [1, 2, 0.5]]);
      const data = dataOf(labels);
      const resumed = await recorded('', { model: layer(3), data, resume: path, epochs: 3 });
      assert.deepEqual(resumed.losses, whole.losses.slice(2));
      const other = await recorded('', { model: layer(3), data, resume: path, epochs: 3, loss: crossEntropyLoss() });
      assert.notDeepEqual(other.losses, resumed.losses);
      const kind = trainIncremental('', { model: layer(3), data, resume: path, epochs: 3, loss: nllLoss() });
      await assert.rejects(
        kind,
        option(/begun with the loss crossEntropyLoss\(\), .* nllLoss\(\) cannot continue; give crossEntropyLoss\(\)/),
      );
    });

    it('is recorded where it is one’s own, or takes several outputs', async () => {
      const loss = customLoss({
        nodes: [
          node('sub', 'Tensor', { self: value('output'), other: value('target') }, 'd'),
          node('clamp', '', { self: value('d'), min: -1, max: null }, 'losses'),
        ],
      });
      const targets = { ...numbers(3 * n), shape: [3] };
      await train(layer(3), targets, loss, { checkpoint: { path } });
      const data = dataOf(targets);
      const whole = await train(layer(3), targets, loss, { epochs: 2 });
      const resumed = await recorded('', { model: layer(3), data, resume: path, epochs: 2 });
      assert.deepEqual(resumed.losses, whole.losses.slice(2));
      const pair = cosineEmbeddingLoss({ outputs: ['near', 1] });
      await train(
        twins,
        numbers(n, (i) => (i % 2 ? 1 : -1)),
        pair,
        { checkpoint: { path } },
      );
      const { metadata } = await loadState(path, { key: 'model' });
      assert.deepEqual(metadata.get('options').get('loss').get('outputs'), ['near', 1]);
    });
  });
});
