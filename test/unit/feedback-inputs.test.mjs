// Late labels of samples with several inputs, and late targets of other kinds than classes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createState, OnlineLearner, sgd } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { lossOf } from './feedback-support.mjs';
import { classes, modelWith, samples } from './words-support.mjs';

describe('feedback() of samples with two inputs', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  const open = async (dir, model, options = {}) =>
    OnlineLearner.open({
      ...{ dir, model, checkpoint: await createState(model, { seed: 1 }), optimizer: sgd({ learningRate: 0.1 }) },
      ...{ batchSize: 6, maxDelayMs: 0, seed: 1, threads: 1, gate: { every: 1 } },
      ...options,
    });
  const shasOf = (learner) => learner.versions().map(({ sha256 }) => sha256);

  it('learns them as learn() does, scored by the prediction of that time, after the learner was opened again', async () => {
    const model = modelWith([classes]);
    const direct = await open(at('direct'), model);
    const labels = [0, 1, 2, 0, 1, 2];
    await direct.learn({ inputs: samples(0, 6), labels });
    const expected = shasOf(direct);
    await direct.close();

    const dir = at('late');
    let learner = await open(dir, model);
    const { ids, logits } = await learner.predict(samples(0, 6));
    assert.equal(new Set(ids).size, 6);
    assert.equal(logits.length, 6 * classes);
    await learner.close();
    learner = await open(dir, model);
    assert.equal(learner.metrics().feedback.pending, 6);
    const { prequential, version } = await learner.feedback(ids, labels);
    assert.deepEqual([prequential.samples, version], [6, 1]);
    const losses = labels.map((label, i) => lossOf(logits.slice(classes * i, classes * (i + 1)), label));
    const mean = losses.reduce((sum, loss) => sum + loss) / 6;
    assert.ok(Math.abs(prequential.loss - mean) < 1e-6, `${prequential.loss}, not ${mean}`);
    assert.deepEqual(shasOf(learner), expected);
    assert.equal((await learner.feedback(ids[0], 0)).duplicates, 1);
    assert.deepEqual(learner.metrics().feedback, { pending: 0, joined: 6, expired: 0, lost: 0 });
    await learner.close();
  });

  it('keeps what waits in a sample that its quarantined labels name', async () => {
    const dir = at('quarantined');
    const learner = await open(dir, modelWith([classes]));
    const { ids } = await learner.predict(samples(3, 1));
    assert.equal((await learner.feedback(ids[0], 9)).quarantined, 1);
    assert.equal(learner.metrics().feedback.pending, 1);
    await learner.close();
    assert.match(fs.readFileSync(path.join(dir, 'quarantine.ndjson'), 'utf8'), new RegExp(ids[0]));
  });

  it('refuses inputs that are not those of the model, and remembers nothing of them', async () => {
    const learner = await open(at('refused'), modelWith([classes]));
    const { ids, dense } = samples(0, 2);
    for (const [given, code] of [
      [ids, 'ERR_INVALID_OPTION'],
      [{ ids }, 'ERR_INVALID_OPTION'],
      [{ ids, dense, mask: dense }, 'ERR_INVALID_OPTION'],
      [{ ids: Int32Array.from(ids, Number), dense }, 'ERR_INVALID_OPTION'],
      [{ ids, dense: dense.subarray(1) }, 'ERR_SHAPE'],
      [{ ids, dense: dense.subarray(2) }, 'ERR_SHAPE'],
    ])
      await assert.rejects(learner.predict(given), { code });
    const hostile = {
      get ids() {
        throw new Error('not mine');
      },
    };
    await assert.rejects(learner.predict(hostile), { code: 'ERR_INVALID_OPTION' });
    assert.equal(learner.metrics().feedback.pending, 0);
    await learner.close();
  });

  it('learns late targets in several indices as learn() does, scored by the version that serves then', async () => {
    const model = modelWith([classes, 5]);
    const target = { kind: 'tokens', shape: [5] };
    const targets = Int32Array.from({ length: 30 }, (_, i) => (i % 7 === 0 ? -100 : i % classes));
    const direct = await open(at('direct tokens'), model, { target });
    const learned = await direct.learn({ inputs: samples(0, 6), targets });
    const expected = shasOf(direct);
    await direct.close();

    const dir = at('late tokens');
    let learner = await open(dir, model, { target });
    const { ids, logits, shape } = await learner.predict(samples(0, 6));
    assert.deepEqual(shape, [6, classes, 5]);
    assert.equal(logits.length, 6 * classes * 5);
    await learner.close();
    learner = await open(dir, model, { target });
    const result = await learner.feedback(ids, targets);
    assert.deepEqual(result.prequential, learned.prequential);
    assert.deepEqual(shasOf(learner), expected);
    await learner.close();
  });

  it('learns late targets of values as learn() does, and lets a sample wait after one that is not finite', async () => {
    const model = modelWith([classes]);
    const target = { kind: 'values', shape: [classes] };
    // Probabilities of the classes.
    const targets = Float32Array.from({ length: 6 * classes }, (_, i) => [0.5, 0.25, 0.25][(i * 2) % 3]);
    const direct = await open(at('direct values'), model, { target });
    await direct.learn({ inputs: samples(0, 6), targets });
    const expected = shasOf(direct);
    await direct.close();

    const learner = await open(at('late values'), model, { target });
    const { ids } = await learner.predict(samples(0, 6));
    for (const value of [Number.NaN, 1e39]) {
      const { reasons } = await learner.feedback(ids[5], Float32Array.of(0, 1, value));
      assert.deepEqual([reasons[0].id, reasons[0].code], [ids[5], 'label']);
    }
    assert.equal((await learner.feedback(ids, targets)).updates, 1);
    assert.deepEqual(shasOf(learner), expected);
    assert.equal((await learner.feedback(ids[5], targets.slice(0, classes))).duplicates, 1);
    await learner.close();
  });

  it('lets a sample wait for another target if one is out of range, and refuses those of another form', async () => {
    const target = { kind: 'tokens', shape: [2] };
    const learner = await open(at('wrong tokens'), modelWith([classes, 2]), { target });
    const { ids } = await learner.predict(samples(0, 3));
    const { quarantined, reasons } = await learner.feedback(ids[1], Int32Array.of(0, classes));
    assert.equal(quarantined, 1);
    assert.deepEqual([reasons[0].id, reasons[0].code], [ids[1], 'label']);
    for (const [given, targets] of [
      [ids[0], 1],
      [ids[0], Int32Array.of(1)],
      [ids, Int32Array.of(1, 1)],
      [ids, Int32Array.of(1, 1, 1)],
      [ids, 'xyz'],
      [[], Int32Array.of(1, 1)],
    ])
      await assert.rejects(learner.feedback(given, targets), { code: /^ERR_(INVALID_OPTION|SHAPE)$/ });
    assert.equal(learner.metrics().feedback.pending, 3);
    const both = await learner.feedback([ids[1], 'x', ids[2]], Int32Array.of(0, 1, 0, 1, -100, 2));
    assert.deepEqual([both.updates, both.unknown], [1, 1]);
    assert.equal(learner.metrics().feedback.pending, 1);
    await learner.close();
  });
});
