// Metrics of a learner: of the predictions that are scored anyway, running and windowed, kept through kills and changes of settings.
import assert from 'node:assert/strict';
import {
  accuracy,
  auroc,
  brierScore,
  cohenKappa,
  confusionMatrix,
  createState,
  f1Score,
  linear,
  logLoss,
  meanAbsoluteError,
  OnlineLearner,
  perClassAccuracy,
  r2Score,
  sequential,
  topKAccuracy,
} from 'torch-incremental';
import { metrics as family, sumsOf } from '../../dist/metrics/index.js';
import { entriesOf, RunningMetrics } from '../../dist/metrics/running.js';
import { temporaryFolder } from '../support.mjs';
import { classes, inputsOf, labelsOf, open } from './feedback-support.mjs';
import { tagger, words } from './inputs-support.mjs';
import { copy } from './journal-support.mjs';

const ofClasses = family.words
  .map((word) => family.makers[word]())
  .filter(({ kind }) => family.entryOf({ kind }).targets.includes('class'));

const samples = (first, count) => ({ inputs: inputsOf(first, count), labels: labelsOf(first, count) });

describe('metrics of a learner', function () {
  this.timeout(120_000);
  const at = temporaryFolder();

  it('are those of the predictions of the version that served, and change no other number', async () => {
    const options = { gate: { every: 3 } };
    const learner = await open(at('with'), { ...options, metrics: ofClasses });
    const without = await open(at('without'), options);
    const reference = new RunningMetrics(ofClasses, { kind: 'class', size: classes });
    for (let i = 0; i < 60; i++) {
      const { logits } = await learner.predict(inputsOf(24 * i, 24));
      for (const [k, label] of labelsOf(24 * i, 24).entries()) {
        reference.add(entriesOf(sumsOf(ofClasses), logits.subarray(k * classes, (k + 1) * classes), label));
      }
      assert.deepEqual(await learner.learn(samples(24 * i, 24)), await without.learn(samples(24 * i, 24)));
    }
    const { metrics, windowed, ...others } = learner.metrics().prequential;
    assert.deepEqual(metrics, reference.results);
    assert.deepEqual(windowed.metrics, reference.windowed);
    assert.equal(metrics.accuracy, others.accuracy);
    assert.equal(windowed.metrics.accuracy, windowed.accuracy);
    assert.notEqual(metrics.auroc, windowed.metrics.auroc);
    const plain = without.metrics().prequential;
    assert.deepEqual(
      { ...plain, metrics, windowed: { ...plain.windowed, metrics: windowed.metrics } },
      { ...others, metrics, windowed },
    );
    assert.deepEqual([plain.metrics, plain.windowed.metrics], [{}, {}]);
    await learner.close();
    await without.close();
  });

  it('are the same after a kill, from the journal, and after it was closed, from a snapshot', async () => {
    const list = [accuracy(), f1Score({ average: 'micro' }), auroc({ thresholds: 20 }), logLoss(), confusionMatrix()];
    const dir = at('killed');
    const learner = await open(dir, { metrics: list, gate: { every: 4 } });
    for (let i = 0; i < 10; i++) await learner.learn(samples(20 * i, 20));
    const [{ prequential }, print] = [learner.metrics(), await learner.fingerprint()];
    assert.equal(Object.keys(prequential.metrics).length, list.length);
    copy(dir, at('copy'));
    await learner.close();
    for (const again of [at('copy'), dir]) {
      const resumed = await OnlineLearner.open({ dir: again, maxDelayMs: 0 });
      assert.deepEqual(resumed.metrics().prequential, prequential);
      assert.equal(await resumed.fingerprint(), print);
      await resumed.close();
    }
  });

  it('score a late label by the prediction of its time, also where the journal is replayed', async () => {
    const dir = at('late');
    const learner = await open(dir, { metrics: [accuracy(), logLoss(), auroc()], gate: { every: 1 } });
    const { ids } = await learner.predict(inputsOf(0, 30));
    for (let i = 0; i < 20; i++) await learner.learn(samples(1000 + 30 * i, 30));
    const before = learner.metrics().prequential;
    await learner.feedback(ids, labelsOf(0, 30));
    const { prequential } = learner.metrics();
    const hits = ({ samples: count, accuracy: share }) => Math.round(count * share);
    // The model of the beginning was wrong where today's is right.
    assert.ok(hits(prequential) - hits(before) < 20);
    assert.equal(prequential.metrics.accuracy, prequential.accuracy);
    assert.ok(Math.abs(prequential.metrics.logLoss - prequential.loss) < 1e-12);
    copy(dir, at('late copy'));
    await learner.close();
    const replayed = await OnlineLearner.open({ dir: at('late copy') });
    assert.deepEqual(replayed.metrics().prequential, prequential);
    await replayed.close();
  });

  it('that stay in another list continue, and others begin or end', async () => {
    const dir = at('changed');
    const learner = await open(dir, { metrics: [accuracy(), brierScore()] });
    await learner.learn(samples(0, 40));
    const { prequential: first } = learner.metrics();
    await learner.close();
    const changed = await open(dir, { metrics: [cohenKappa(), perClassAccuracy(), topKAccuracy({ k: 2 })] });
    const { metrics: begun } = changed.metrics().prequential;
    // Kappa and accuracy by class are computed from the counts that accuracy had.
    assert.equal(typeof begun.cohenKappa, 'number');
    assert.deepEqual(Object.keys(begun), ['cohenKappa', 'perClassAccuracy', 'topKAccuracy:k=2']);
    assert.equal(begun['topKAccuracy:k=2'], Number.NaN);
    await changed.learn(samples(40, 40));
    assert.ok(changed.metrics().prequential.metrics['topKAccuracy:k=2'] >= 0);
    await changed.close();
    const ended = await open(dir, { metrics: [] });
    const { prequential } = ended.metrics();
    assert.deepEqual([prequential.metrics, prequential.samples], [{}, 80]);
    assert.equal(first.metrics.accuracy, first.accuracy);
    await ended.close();
    const again = await open(dir, { metrics: [accuracy()] });
    assert.equal(again.metrics().prequential.metrics.accuracy, Number.NaN);
    await again.close();
  });

  it('measure values, and keep fewer of them in a window where they are many', async () => {
    const [wide, n] = [100, 150];
    const model = sequential({ fc: linear(2, wide) }, { input: [2] });
    const options = {
      dir: at('values'),
      model,
      checkpoint: await createState(model),
      target: { kind: 'values', shape: [wide] },
    };
    const list = { metrics: [meanAbsoluteError(), r2Score()] };
    const learner = await OnlineLearner.open({ ...options, ...list, seed: 1, maxDelayMs: 0 });
    const inputs = Float32Array.from({ length: 2 * n }, (_, i) => Math.sin(i));
    const targets = Float32Array.from({ length: wide * n }, (_, i) => Math.abs(Math.cos(i)));
    const errors = [];
    for (let i = 0; i < n; i++) {
      const row = targets.subarray(wide * i, wide * (i + 1));
      const input = inputs.subarray(2 * i, 2 * i + 2);
      const { logits } = await learner.predict(input);
      errors.push(row.reduce((sum, wanted, k) => sum + Math.abs(logits[k] - wanted), 0) / wide);
      await learner.learn({ inputs: input, targets: row });
    }
    const { metrics, windowed } = learner.metrics().prequential;
    const meanOf = (list) => list.reduce((sum, error) => sum + error, 0) / list.length;
    assert.ok(Math.abs(metrics.meanAbsoluteError - meanOf(errors)) < 1e-12);
    // 81 × 200 ≤ 16,384.
    assert.ok(Math.abs(windowed.metrics.meanAbsoluteError - meanOf(errors.slice(-81))) < 1e-12);
    assert.ok(metrics.r2Score < 1);
    await learner.close();
  });

  it('that the targets do not fit, that are too large, or of tokens, are refused by name, and no learner begins', async () => {
    const wide = sequential({ fc: linear(1, 300) }, { input: [1] });
    const wrong = [
      [
        { metrics: [meanAbsoluteError()] },
        /^meanAbsoluteError needs targets of the kind 'values', but these are of the kind 'class'$/,
      ],
      [
        { metrics: [f1Score({ average: 'binary' })] },
        /^f1Score:average=binary needs two classes, or one label, but there are 3$/,
      ],
      [{ metrics: accuracy() }, /^Expected an array for "metrics"/],
      [
        { metrics: [confusionMatrix()], model: wide, checkpoint: await createState(wide) },
        /^confusionMatrix keeps 90000 numbers for predictions of 300, and a learner at most 65536 for a metric; evaluate\(\) computes it/,
      ],
      [
        {
          ...{ metrics: [accuracy()], target: { kind: 'tokens', shape: [words] } },
          ...{ model: tagger, checkpoint: await createState(tagger) },
        },
        /^Expected no "metrics" where the learner's targets are tokens; evaluate\(\) computes them for a data set$/,
      ],
    ];
    for (const [options, message] of wrong) {
      const expected = { name: 'LearnError', code: 'ERR_INVALID_OPTION', message };
      await assert.rejects(open(at('refused'), { transforms: undefined, ...options }), expected);
      await assert.rejects(OnlineLearner.open({ dir: at('refused') }), /checkpoint/);
    }
  });
});
