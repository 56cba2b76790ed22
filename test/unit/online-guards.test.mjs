// Bad samples, bad labels and a stream that lies, none of which may harm a learner.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  arrays,
  cifar10,
  createState,
  evaluate,
  linear,
  loadState,
  net,
  OnlineLearner,
  sequential,
  sgd,
  subset,
  trainIncremental,
} from 'torch-incremental';
import native from '../../dist/native/native.js';
import { needs, temporaryFolder } from '../support.mjs';

const model = sequential({ out: linear(4, 3) }, { input: [4] });
const good = (number) => ({
  inputs: Float32Array.of(number % 3 === 0 ? 1 : 0, number % 3 === 1 ? 1 : 0, 0.5, 0.1),
  labels: [number % 3],
});

/** Samples of a data set as they are, for learn(). */
async function rawSamples(dataset) {
  const { openDataset } = await import('../../dist/datasets/index.js');
  const handle = await openDataset(dataset);
  const { length } = native.native().datasetInfo(handle);
  const { inputs, targets } = native.native().datasetSamples(handle, 0, length);
  return { inputs: inputs[0], labels: targets };
}

describe('a learner and what could harm it', function () {
  this.timeout(300_000);
  const at = temporaryFolder();

  const open = async (name, options = {}) =>
    OnlineLearner.open({
      ...{
        dir: at(name),
        checkpoint: await createState(model, { seed: 1 }),
        model,
        transforms: [],
        batchSize: 1,
        maxDelayMs: 0,
      },
      ...{ seed: 1, threads: 1, ...options },
    });

  it('puts samples that cannot be learned into quarantine, with the reason, and leaves the weights as they are', async () => {
    // Every update is a version: what is saved is what the last one left.
    const learner = await open('quarantine', { replay: { capacity: 10, perUpdate: 2 }, gate: { every: 1 } });
    for (let i = 0; i < 20; i++) await learner.learn(good(i));
    const saved = async (name) => {
      await learner.save(at(name));
      return loadState(at(name));
    };
    const before = await saved('before.pth');
    const huge = Float32Array.of(3e38, 3e38, 3e38, 3e38);
    const [right] = (await learner.predict(huge)).labels;
    const bad = [
      [{ inputs: Float32Array.of(0, Number.NaN, 0, 0), labels: [0] }, /not finite/],
      [{ inputs: Float32Array.of(0, Infinity, 0, 0), labels: [0] }, /not finite/],
      [{ inputs: new Float32Array(4), labels: [3] }, /label from 0 to 2/],
      [{ inputs: new Float32Array(4), labels: [-1] }, /label from 0 to 2/],
      [{ inputs: new Float32Array(4), labels: [1.5] }, /label from 0 to 2/],
      [{ inputs: new Float32Array(5), labels: [1] }, /4 values/],
      // Their loss is not finite, which only the update finds.
      [{ inputs: huge, labels: [(right + 1) % 3] }, /not finite/],
    ];
    for (const [i, [samples]] of bad.entries()) {
      const result = await learner.learn({ ...samples, ids: [`bad ${i}`] });
      assert.deepEqual([result.quarantined, result.updates], [1, 0]);
    }
    assert.ok((await saved('after.pth')).equals(before), 'the weights changed');
    const lines = fs.readFileSync(at('quarantine/quarantine.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);
    assert.deepEqual(
      lines.map(({ id }) => id),
      bad.map((_, i) => `bad ${i}`),
    );
    for (const [i, { reason }] of lines.entries()) assert.match(reason, bad[i][1]);
    const kept = Buffer.from(lines[2].input, 'base64');
    assert.deepEqual([...new Float32Array(new Uint8Array(kept).buffer)], [0, 0, 0, 0]);

    const { offered, learned, quarantined, queued } = learner.metrics();
    assert.deepEqual(
      { offered, learned, quarantined, queued },
      { offered: 27, learned: 20, quarantined: 7, queued: 0 },
    );
    // The stream continues.
    const { version } = learner.metrics();
    assert.equal((await learner.learn(good(1))).version, version + 1);
    await learner.close();
  });

  it('rejects values that are no list of samples', async () => {
    const learner = await open('mistakes');
    for (const mistake of [
      { inputs: new Uint8Array(4), labels: [1] },
      { inputs: [1, 2, 3, 4], labels: [1] },
      { inputs: new Float32Array(4), labels: [] },
      { inputs: new Float32Array(4), labels: 1 },
      { inputs: new Float32Array(4), labels: [1], ids: ['a', 'b'] },
    ]) {
      await assert.rejects(learner.learn(mistake), { code: 'ERR_INVALID_OPTION' });
    }
    assert.equal(learner.metrics().offered, 0);
    await learner.close();
    await assert.rejects(learner.learn(good(1)), { code: 'ERR_DISPOSED' });
    await assert.rejects(learner.predict(good(1).inputs), { code: 'ERR_DISPOSED' });
  });

  it('never learns a held-out sample, whatever its label or id', async () => {
    const heldOut = arrays({ inputs: Float32Array.from([1, 0, 0, 0, 0, 1, 0, 0]), labels: [0, 1], shape: [4] });
    const learner = await open('held out', { gate: { heldOut, every: 100 } });
    const result = await learner.learn({
      inputs: Float32Array.from([0, 1, 0, 0, 0, 0, 1, 0]),
      labels: [2, 2],
      ids: [1, 2],
    });
    assert.deepEqual([result.quarantined, result.updates], [1, 1]);
    await learner.learnFrom(heldOut, { sampleSize: 2 });
    assert.equal(learner.metrics().learnedFrom, 0);
    await learner.close();
  });

  it('serves no worse during 500 batches of real images with wrong labels, and collapses without the gate', async function () {
    needs(this, 'TORCH_INCREMENTAL_CIFAR10');
    const root = process.env.TORCH_INCREMENTAL_CIFAR10;
    const train = cifar10({ root });
    const { state: checkpoint } = await trainIncremental(await createState(net(), { seed: 1 }), {
      ...{ model: net(), data: subset(train, { end: 3000 }), epochs: 3, seed: 1, mode: 'fast', logEvery: 0 },
    });
    const images = await rawSamples(subset(train, { start: 3000, end: 7000 }));
    const test = cifar10({ root, train: false });
    const heldOut = subset(test, { end: 500 });
    const seen = subset(test, { start: 500, end: 1000 });
    const accuracies = {};
    for (const [name, gate] of [
      ['gated', { heldOut, every: 10, maxDrop: 0.01 }],
      ['free', { every: 10 }],
    ]) {
      const learner = await OnlineLearner.open({
        ...{
          dir: at(name),
          checkpoint,
          batchSize: 8,
          maxDelayMs: 0,
          optimizer: sgd({ learningRate: 0.001 }),
          seed: 1,
          gate,
        },
      });
      const measured = [];
      const measure = async () => {
        await learner.save(at('served.pth'));
        measured.push((await evaluate(at('served.pth'), { data: seen })).accuracy);
      };
      await measure();
      for (let batch = 0; batch < 500; batch++) {
        const labels = images.labels.subarray(batch * 8, (batch + 1) * 8).map((label) => (label + 1) % 10);
        await learner.learn({ inputs: images.inputs.subarray(batch * 8 * 3072, (batch + 1) * 8 * 3072), labels });
        if (batch % 50 === 49) await measure();
      }
      accuracies[name] = measured;
      const { version, refused } = learner.metrics();
      assert.equal(refused + version, 50);
      await learner.close();
    }
    const [start, ...served] = accuracies.gated;
    assert.ok(start > 0.25, `it begins at ${start}`);
    assert.ok(Math.min(...served) >= start - 0.01, `served ${served}`);
    assert.ok(accuracies.free.at(-1) < start - 0.1, `without the gate ${accuracies.free}`);
  });
});
