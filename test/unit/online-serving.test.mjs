// Serving while learning: every answer is that of one version; predicting and measuring change nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  linear,
  loadState,
  OnlineLearner,
  predict,
  relu,
  reproduceVersion,
  sequential,
  sgd,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

const size = 16;
const small = sequential({ hidden: linear(size, 16), relu: relu(), out: linear(16, 3) }, { input: [size] });

/** Samples by their numbers: three classes around three centres. */
function samples(first, count, shape = [size]) {
  const values = shape.reduce((product, side) => product * side, 1);
  const inputs = Float32Array.from({ length: count * values }, (_, i) => {
    const index = first + Math.floor(i / values);
    return (index % 3 === i % 3 ? 1 : 0) + Math.sin(index * 12.9898 + i * 78.233) / 2;
  });
  return { inputs, labels: Int32Array.from({ length: count }, (_, i) => (first + i) % 3) };
}

describe('a learner that serves', function () {
  this.timeout(300_000);
  const at = temporaryFolder();

  it('answers 32 predictors during 1,000 promotions with the bits of the version that each answer names', async () => {
    const learner = await OnlineLearner.open({
      ...{ dir: at('promotions'), checkpoint: await createState(small, { seed: 1 }), model: small, transforms: [] },
      ...{
        optimizer: sgd({ learningRate: 0.05 }),
        batchSize: 4,
        maxDelayMs: 0,
        seed: 1,
        threads: 1,
        keepVersions: 2000,
        gate: { every: 1 },
      },
    });
    const question = samples(5_000, 3).inputs;
    const answers = new Map();
    let asked = 0;
    let learning = true;
    const predictors = Array.from({ length: 32 }, async () => {
      while (learning) {
        const { version, logits } = await learner.predict(question);
        const bits = Buffer.from(logits.buffer).toString('hex');
        const { durable, updates } = version;
        assert.equal(durable, updates);
        assert.equal(answers.get(durable) ?? bits, bits, `two answers of version ${durable}`);
        answers.set(durable, bits);
        asked++;
      }
    });
    for (let update = 0; update < 1000; update++) await learner.learn(samples(4 * update, 4));
    learning = false;
    await Promise.all(predictors);
    assert.equal(learner.metrics().version, 1000);
    await learner.close();

    assert.ok(answers.size > 200 && asked > 1000, `${asked} answers of ${answers.size} versions`);
    for (const [version, bits] of answers) {
      const file = path.join(at('promotions'), 'versions', `version-${String(version).padStart(9, '0')}.pth`);
      const { logits } = await predict(file, question, { model: small, transforms: [], threads: 1 });
      assert.equal(Buffer.from(logits.buffer).toString('hex'), bits, `version ${version}`);
    }
  });

  it('is changed by none of these: predictions, metrics, versions, saving', async () => {
    const shape = [1, 4, 4];
    const model = sequential(
      {
        conv: conv2d(1, 4, 3, { padding: 1 }),
        bn: batchNorm2d(4),
        relu: relu(),
        flatten: flatten(),
        drop: dropout(0.5),
        out: linear(64, 3),
      },
      { input: shape },
    );
    const checkpoint = await createState(model, { seed: 2 });
    const ends = [];
    for (const asks of [false, true]) {
      const learner = await OnlineLearner.open({
        ...{
          dir: at(`asked ${asks}`),
          checkpoint,
          model,
          transforms: [],
          batchSize: 6,
          maxDelayMs: 0,
          seed: 3,
          threads: 1,
        },
        ...{
          replay: { capacity: 50, perUpdate: 6 },
          gate: { every: 10, heldOut: arrays({ ...samples(900, 60, shape), shape }) },
        },
      });
      for (let update = 0; update < 50; update++) {
        await learner.learn(samples(6 * update, 6, shape));
        if (!asks) continue;
        const before = await learner.fingerprint();
        for (let i = 0; i < 20; i++) await learner.predict(samples(i, 1 + (i % 5), shape).inputs);
        learner.metrics();
        learner.versions();
        await learner.save(at('saved.pth'));
        assert.equal(await learner.fingerprint(), before);
      }
      ends.push(await learner.fingerprint());
      await learner.close();
    }
    assert.equal(ends[0], ends[1]);
  });

  it('goes back to an earlier version, with its bits, also after it was opened again', async () => {
    const options = {
      ...{ dir: at('rollback'), checkpoint: await createState(small, { seed: 1 }), model: small, transforms: [] },
      ...{
        optimizer: sgd({ learningRate: 0.05 }),
        batchSize: 4,
        maxDelayMs: 0,
        seed: 1,
        threads: 1,
        keepVersions: 4,
        gate: { every: 5 },
      },
    };
    let learner = await OnlineLearner.open(options);
    const question = samples(5_000, 3).inputs;
    const answers = [(await learner.predict(question)).logits];
    for (let update = 0; update < 30; update++) {
      await learner.learn(samples(4 * update, 4));
      const { version, logits } = await learner.predict(question);
      if (version.updates % 5 === 0) answers[version.durable] = logits;
    }
    assert.deepEqual(
      learner.versions().map(({ version }) => version),
      [3, 4, 5, 6],
    );
    await assert.rejects(learner.rollback(2), { code: 'ERR_INVALID_OPTION' });
    assert.equal((await learner.rollback()).version, 5);
    assert.deepEqual((await learner.predict(question)).logits, answers[5]);
    await learner.rollback(3);
    assert.deepEqual((await learner.predict(question)).logits, answers[3]);
    const fingerprint = await learner.fingerprint();
    await learner.close();

    learner = await OnlineLearner.open(options);
    assert.equal(learner.metrics().version, 3);
    assert.equal(await learner.fingerprint(), fingerprint);
    assert.deepEqual((await learner.predict(question)).logits, answers[3]);
    // It resumes from there, and the next version has its own number.
    for (let update = 0; update < 5; update++) await learner.learn(samples(4 * update, 4));
    const { version, parent } = learner.versions().at(-1);
    assert.deepEqual([version, parent], [7, 3]);
    await learner.close();
  });

  it('has versions that can be reproduced from the journal, and reports a journal that was changed', async () => {
    const shape = { shape: [size] };
    const options = {
      dir: at('reproduced'),
      checkpoint: await createState(small, { seed: 1 }),
      model: small,
      transforms: [],
    };
    const gate = { every: 4, heldOut: arrays({ ...samples(900, 60), ...shape }), maxDrop: 0.2, perClassMaxDrop: 1 };
    for (const from of [0, 40]) {
      const learner = await OnlineLearner.open({ ...options, batchSize: 4, maxDelayMs: 0, seed: 9, gate });
      for (let update = from; update < from + 40; update++) await learner.learn(samples(4 * update, 4));
      await assert.rejects(reproduceVersion(options.dir, 1), { code: 'ERR_BUSY' });
      await learner.close();
    }
    const [before, last] = fs
      .readdirSync(path.join(options.dir, 'versions'))
      .filter((name) => name.endsWith('.json'))
      .slice(-2)
      .map((name) => JSON.parse(fs.readFileSync(path.join(options.dir, 'versions', name), 'utf8')));
    const listed = fs.readdirSync(options.dir);
    for (const { version, sha256, records } of [before, last]) {
      const made = await reproduceVersion(options.dir, version, { model: small });
      assert.equal(made.version.sha256, sha256);
      assert.ok(made.from < records.from && made.from + made.records === records.to);
    }
    assert.deepEqual(fs.readdirSync(options.dir), listed, 'it changed something');
    await assert.rejects(reproduceVersion(options.dir, 999, { model: small }), { code: 'ERR_INVALID_OPTION' });

    const manifest = path.join(options.dir, 'versions', `version-${String(last.version).padStart(9, '0')}.json`);
    fs.writeFileSync(manifest, JSON.stringify({ ...last, sha256: before.sha256 }));
    await assert.rejects(reproduceVersion(options.dir, last.version, { model: small }), { code: 'ERR_JOURNAL' });
  });

  it('writes a manifest for each version, and the version itself to a file that any loader reads', async () => {
    const options = {
      dir: at('manifest'),
      checkpoint: await createState(small, { seed: 1 }),
      model: small,
      transforms: [],
    };
    const learner = await OnlineLearner.open({ ...options, batchSize: 4, maxDelayMs: 0, seed: 9, gate: { every: 3 } });
    for (let update = 0; update < 6; update++) await learner.learn(samples(4 * update, 4));
    await learner.save(at('served.pth'));
    await learner.close();
    const manifest = JSON.parse(fs.readFileSync(path.join(options.dir, 'versions/version-000000002.json'), 'utf8'));
    const { version, parent, updates, records, sha256, settings } = manifest;
    assert.deepEqual({ version, parent, updates }, { version: 2, parent: 1, updates: 6 });
    // Three batches and a verdict each.
    assert.deepEqual(records, { from: 5, to: 8 });
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.equal(settings.seed, 9);
    const [saved, kept] = await Promise.all(
      [at('served.pth'), path.join(options.dir, 'versions/version-000000002.pth')].map((file) => loadState(file)),
    );
    assert.ok(saved.equals(kept));
  });
});
