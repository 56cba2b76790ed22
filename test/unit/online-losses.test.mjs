// A learner with losses other than cross-entropy: it scores by them, records them, and refuses those that it cannot score by.
import assert from 'node:assert/strict';
import {
  bceWithLogitsLoss,
  cosineEmbeddingLoss,
  createState,
  crossEntropyLoss,
  customLoss,
  gaussianNLLLoss,
  klDivLoss,
  linear,
  modelLoss,
  mseLoss,
  nllLoss,
  node,
  OnlineLearner,
  reproduceVersion,
  sequential,
  tripletMarginLoss,
  value,
} from 'torch-incremental';
import { buildModel } from '../../dist/program/build-model.js';
import { leaf } from '../../dist/program/module.js';
import { temporaryFolder } from '../support.mjs';
import { copy } from './journal-support.mjs';

const layer = (outputs) => sequential({ fc: linear(3, outputs) }, { input: [3] });
const weights = (name) => ({
  ...{ name, role: 'parameter', dtype: 'float32', shape: [2, 3] },
  init: { kind: 'uniform', bound: 0.5 },
});
/** A mean and a variance of two numbers; the variance is below 0 where the first number of the input is above 9. */
const forecast = buildModel(
  'Forecast',
  leaf(
    'Forecast',
    [
      node('linear', '', { input: value('input'), weight: value('wide') }, 'mean'),
      node('linear', '', { input: value('input'), weight: value('narrow') }, 'logarithm'),
      node('softplus', '', { self: value('logarithm') }, 'positive'),
      node('slice', 'Tensor', { self: value('input'), dim: 1, start: 0, end: 1 }, 'first'),
      node('sub', 'Tensor', { self: value('first'), other: 9 }, 'negative'),
      node('neg', '', { self: value('negative') }, 'sign'),
      node('mul', 'Tensor', { self: value('positive'), other: value('sign') }, 'variance'),
    ],
    [weights('wide'), weights('narrow')],
  ),
  [{ name: 'input', dtype: 'float32', shape: [3] }],
  ['variance', 'mean'],
);

const numbers = (count, first) => Float32Array.from({ length: count }, (_, i) => Math.sin(first + i));
const own = customLoss({
  nodes: [
    node('sub', 'Tensor', { self: value('output'), other: value('target') }, 'difference'),
    node('abs', '', { self: value('difference') }, 'losses'),
  ],
});

/** By name: a loss, a model, a target, the targets of samples, and the loss of a sample by its logits. */
const cases = {
  mseLoss: [mseLoss(), layer(2), 'values', [2], numbers, (x, y) => (x - y) ** 2],
  'mseLoss of columns': [mseLoss(), layer(1), 'values', [], numbers, (x, y) => (x - y) ** 2],
  'sums of mseLoss': [mseLoss({ reduction: 'sum' }), layer(2), 'values', [2], numbers, (x, y) => 2 * (x - y) ** 2],
  bceWithLogitsLoss: [
    bceWithLogitsLoss({ posWeight: [2, 3] }),
    layer(2),
    'classes',
    [2],
    (count) => Float32Array.from({ length: count }, (_, i) => i % 2),
    (x, y, i) => (y ? (2 + i) * Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  ],
  gaussianNLLLoss: [gaussianNLLLoss({ outputs: ['mean', 'variance'] }), forecast, 'values', [2], numbers],
  customLoss: [own, layer(2), 'values', [2], numbers, (x, y) => Math.abs(x - y)],
  klDivLoss: [
    klDivLoss({ reduction: 'batchmean' }),
    layer(2),
    'values',
    [2],
    (count) => new Float32Array(count).fill(0.5),
  ],
};

describe('a learner', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const open = async (dir, model, loss, target, more) =>
    OnlineLearner.open({
      ...{ dir, model, loss, target, checkpoint: await createState(model, { seed: 3 }) },
      ...{ inputs: 'float32', threads: 1, seed: 5, maxDelayMs: 0, ...more },
    });

  for (const [name, [loss, model, kind, shape, targetsOf, lossOf]] of Object.entries(cases)) {
    it(`scores by ${name}, and resumes with the same bits`, async () => {
      const dir = at(name);
      const options = { gate: { every: 2 }, journal: { sync: 'always' }, replay: { capacity: 4 } };
      const learner = await open(dir, model, loss, { kind, shape }, options);
      const size = shape[0] ?? 1;
      for (let i = 0; i < 5; i++) {
        const inputs = numbers(6, 10 * i);
        const targets = targetsOf(2 * size, i);
        const { logits } = await learner.predict(inputs);
        const { updates, prequential } = await learner.learn({ inputs, targets });
        assert.equal(updates, 1);
        if (!lossOf) continue;
        const losses = [...logits].map((x, k) => lossOf(x, targets[k], k % size));
        const expected = losses.reduce((sum, each) => sum + each, 0) / losses.length;
        assert.ok(Math.abs(prequential.loss - expected) < 1e-5 * (1 + expected), `${prequential.loss} ${expected}`);
      }
      const { prequential, version } = learner.metrics();
      assert.ok(Number.isFinite(prequential.loss));
      const print = await learner.fingerprint();
      copy(dir, `${dir} killed`);
      await learner.close();
      await reproduceVersion(dir, version);
      for (const again of [`${dir} killed`, dir]) {
        const resumed = await OnlineLearner.open({ dir: again });
        assert.equal(await resumed.fingerprint(), print);
        assert.deepEqual(resumed.metrics().prequential, prequential);
        await resumed.close();
      }
    });
  }

  it('scores classes by a weighted loss, also those that were predicted before', async () => {
    const loss = crossEntropyLoss({ weight: [1, 5] });
    const learner = await open(at('weighted'), layer(2), loss, { kind: 'class' }, { feedback: {} });
    const { ids, logits } = await learner.predict(numbers(3, 1));
    const entropy = (label) => Math.log(Math.exp(logits[0]) + Math.exp(logits[1])) - logits[label];
    const { prequential } = await learner.feedback(ids, [1]);
    assert.ok(Math.abs(prequential.loss - 5 * entropy(1)) < 1e-5, `${prequential.loss}`);
    await learner.close();
  });

  it('leaves out a sample whose variance is below 0, and learns the others', async () => {
    const loss = gaussianNLLLoss({ outputs: ['mean', 'variance'] });
    const learner = await open(at('variance'), forecast, loss, { kind: 'values', shape: [2] });
    const inputs = Float32Array.of(1, 2, 3, 10, 1, 1, 0, 1, 2);
    const { updates, quarantined, reasons } = await learner.learn({ inputs, targets: numbers(6, 0) });
    assert.deepEqual([updates, quarantined, reasons[0].index, reasons[0].code], [1, 1, 1, 'output']);
    await learner.close();
  });

  it('refuses a loss without values of samples, of other outputs, or with another ignored token', async () => {
    const refused = (message) => ({ code: 'ERR_INVALID_OPTION', message });
    const rejects = (name, loss, target, message, model = forecast) =>
      assert.rejects(open(at(name), model, loss, target), refused(message));
    const values = { kind: 'values', shape: [2] };
    await rejects(
      'model',
      modelLoss(),
      values,
      /cannot take the loss modelLoss\(\): it has no loss of a single sample/,
    );
    const pairs = cosineEmbeddingLoss();
    await rejects('cosine', pairs, { kind: 'values' }, /cosineEmbeddingLoss\(\): its outputs are not predictions/);
    await rejects('triplet', tripletMarginLoss(), values, /takes the output 2 but Forecast has 2 outputs/);
    const rows = [node('unflatten', 'int', { self: value('input'), dim: 1, sizes: [2, 2] })];
    const tagger = sequential({ fc: linear(3, 4), rows: leaf('Rows', rows) }, { input: [3] });
    const tokens = { kind: 'tokens', shape: [2] };
    await rejects('tokens', nllLoss({ ignoreIndex: 0 }), tokens, /Expected ignoreIndex: -100.* but it is 0/, tagger);
    await assert.rejects(open(at('floats'), layer(2), nllLoss(), values), {
      code: 'ERR_DATA_FORMAT',
      message: /nllLoss takes targets of the kind 'class' or 'tokens'/,
    });
  });

  it('keeps the loss that it began with, and takes other options of it', async () => {
    const dir = at('kept');
    await (await open(dir, layer(2), mseLoss(), { kind: 'values', shape: [2] })).close();
    const message = /the loss that the learner began with, mseLoss\(\), but received customLoss\(\)/;
    await assert.rejects(OnlineLearner.open({ dir, loss: own }), { code: 'ERR_INVALID_OPTION', message });
    const learner = await OnlineLearner.open({ dir, loss: mseLoss({ reduction: 'sum' }) });
    const targets = numbers(2, 3);
    const { logits } = await learner.predict(numbers(3, 1));
    const { prequential } = await learner.learn({ inputs: numbers(3, 1), targets });
    const expected = (logits[0] - targets[0]) ** 2 + (logits[1] - targets[1]) ** 2;
    assert.ok(Math.abs(prequential.loss - expected) < 1e-5);
    await learner.close();
  });
});
