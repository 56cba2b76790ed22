import assert from 'node:assert/strict';
import { arrays, cifar10, subset, toTensor } from 'torch-incremental';
import { batches } from '../../dist/datasets/batches.js';
import { datasetClasses, openDataset } from '../../dist/datasets/index.js';
import { native } from '../../dist/native/native.js';
import { collect, syntheticImages } from './data-support.mjs';

const info = async (dataset) => native().datasetInfo(await openDataset(dataset));
const labelsOf = async (dataset) => {
  const all = await collect(batches(dataset, { transforms: [toTensor()], shuffle: false }));
  return all.flatMap(({ targets }) => [...targets.data]);
};
const images = (count, labels, classes) =>
  arrays({ inputs: new Uint8Array(count * 12), labels, shape: [3, 2, 2], ...(classes && { classes }) });

describe('arrays', () => {
  it('hold what they are given', async () => {
    const target = { kind: 'class', shape: [] };
    assert.deepEqual(await info(images(3, [0, 4, 2])), {
      ...{ length: 3, inputs: [{ name: 'input', dtype: 'uint8', shape: [3, 2, 2] }], target, classes: 5 },
    });
    const floats = arrays({ inputs: new Float32Array(10), labels: Int32Array.of(0, 0), shape: [5], classes: 7 });
    assert.deepEqual(await info(floats), {
      ...{ length: 2, inputs: [{ name: 'input', dtype: 'float32', shape: [5] }], target, classes: 7 },
    });
    assert.equal(await datasetClasses(floats), undefined);
  });

  it('take a view of a larger buffer, shared memory too', async () => {
    for (const buffer of [new ArrayBuffer(100), new SharedArrayBuffer(100)]) {
      const inputs = new Float32Array(buffer, 8, 4).fill(7);
      const [batch] = await collect(batches(arrays({ inputs, labels: [0, 0], shape: [2] }), { transforms: [] }));
      assert.deepEqual([...batch.inputs.input.data], [7, 7, 7, 7]);
    }
  });

  it('are copied when a run begins', async () => {
    const inputs = new Float32Array(2).fill(1);
    const opening = openDataset(arrays({ inputs, labels: [0], shape: [2] }));
    await new Promise(setImmediate);
    inputs.fill(9);
    const reader = native().makeBatches({
      dataset: await opening,
      transforms: [[]],
      batchSize: 1,
      epochs: 1,
      shuffle: true,
      dropLast: false,
      workers: 0,
      seed: 0,
    });
    assert.deepEqual([...(await native().nextBatch(reader)).inputs[0]], [1, 1]);
    assert.equal(await native().nextBatch(reader), undefined);
  });

  it('name the label that is out of range', async () => {
    const wrong = { name: 'LearnError', code: 'ERR_DATA_FORMAT' };
    await assert.rejects(info(images(2, [0, 3], 3)), { ...wrong, message: /labels from 0 to 2 but labels\[1\] is 3/ });
    await assert.rejects(info(images(2, [-1, 0])), { ...wrong, message: /labels\[0\] is -1/ });
  });

  it('name the label that an int32 does not hold, instead of wrapping it', () => {
    for (const label of [2 ** 31, 2 ** 32, 2 ** 32 + 1, -(2 ** 31) - 1, -(2 ** 32), Number.MAX_SAFE_INTEGER]) {
      assert.throws(() => images(2, [1, label]), {
        ...{ name: 'LearnError', code: 'ERR_DATA_FORMAT' },
        message: `Expected labels from 0 to 2147483647 but labels[1] is ${label}`,
      });
    }
    assert.deepEqual([...images(2, [0, 2 ** 31 - 1]).targets.data], [0, 2 ** 31 - 1]);
  });

  it('need as many values as labels and shape say', () => {
    assert.throws(() => images(2, [0]), {
      code: 'ERR_DATA_FORMAT',
      message: /1 samples of shape \[3, 2, 2\].* inputs has 24/,
    });
  });

  const good = { inputs: new Uint8Array(12), labels: [0], shape: [3, 2, 2] };
  const wrong = {
    'inputs of another type': { ...good, inputs: new Float64Array(12) },
    'no inputs': { ...good, inputs: undefined },
    'labels that are no integers': { ...good, labels: [0.5] },
    'labels that are strings': { ...good, labels: ['0'] },
    'labels with a hole': { ...good, inputs: new Uint8Array(24), labels: Object.assign(new Array(2), [0]) },
    'labels of 64 bits': { ...good, labels: BigInt64Array.of(0n) },
    'labels that are floats': { ...good, labels: Float64Array.of(0) },
    'more classes than labels can be': { ...good, classes: 2 ** 32 },
    'a shape with a 0': { ...good, shape: [0, 2, 2] },
    'no shape': { ...good, shape: undefined },
    'no classes': { ...good, classes: 0 },
    'an unknown option': { ...good, target: [0] },
  };
  for (const [name, options] of Object.entries(wrong)) {
    it(`refuse ${name}`, () => {
      assert.throws(() => arrays(options), { name: 'LearnError', code: 'ERR_INVALID_OPTION' });
    });
  }
});

describe('a subset', () => {
  const whole = syntheticImages([10, 3, 2, 2]);

  it('has the samples from start to before end', async () => {
    assert.deepEqual(await labelsOf(subset(whole, { start: 3, end: 6 })), [3, 4, 5]);
    assert.deepEqual(await labelsOf(subset(whole, { start: 8 })), [8, 9]);
    assert.deepEqual(await labelsOf(subset(whole, { end: 2 })), [0, 1]);
    assert.deepEqual(await labelsOf(subset(subset(whole, { start: 4 }), { start: 1, end: 3 })), [5, 6]);
    assert.deepEqual(await labelsOf(subset(whole, { start: 9, end: 99 })), [9]);
  });

  it('has the pixels of its samples', async () => {
    const options = { transforms: [toTensor()], shuffle: false };
    const [all] = await collect(batches(whole, options));
    const [part] = await collect(batches(subset(whole, { start: 2, end: 4 }), options));
    assert.deepEqual(part.inputs.input.data, all.inputs.input.data.slice(24, 48));
  });

  it('refuses to start past the end', async () => {
    await assert.rejects(openDataset(subset(whole, { start: 11 })), {
      code: 'ERR_INVALID_OPTION',
      message: /start at sample 11: the data set has 10/,
    });
    assert.throws(() => subset(whole, { start: 3, end: 2 }), { code: 'ERR_INVALID_OPTION' });
    assert.throws(() => subset({}, {}), {
      code: 'ERR_INVALID_OPTION',
      message: /made by cifar10\(\), arrays\(\) or subset\(\)/,
    });
  });
});

describe('a data set handle', () => {
  it('can be disposed twice and then only says so', async () => {
    const handle = await openDataset(syntheticImages([2, 3, 2, 2]));
    native().disposeDataset(handle);
    native().disposeDataset(handle);
    assert.throws(() => native().datasetInfo(handle), { code: 'ERR_DISPOSED' });
  });

  it('is not taken for another kind', async () => {
    const handle = await openDataset(syntheticImages([2, 3, 2, 2]));
    assert.throws(() => native().nextBatch(handle), { code: 'ERR_INVALID_OPTION' });
    assert.throws(() => native().datasetInfo({}), { code: 'ERR_INVALID_OPTION' });
  });

  it('keeps its memory while a subset or a reader uses it', async () => {
    const whole = await openDataset(syntheticImages([4, 3, 2, 2]));
    const part = await native().makeDataset({ kind: 'subset', of: whole, start: 1, end: 3 });
    native().disposeDataset(whole);
    assert.equal(native().datasetInfo(part).length, 2);
  });

  it('gives one batch at a time', async () => {
    const dataset = await openDataset(syntheticImages([4, 3, 2, 2]));
    const plan = {
      dataset,
      transforms: [[toTensor()]],
      batchSize: 2,
      epochs: 1,
      shuffle: true,
      dropLast: false,
      workers: 0,
      seed: 0,
    };
    const reader = native().makeBatches(plan);
    const first = native().nextBatch(reader);
    assert.throws(() => native().nextBatch(reader), { code: 'ERR_BUSY' });
    assert.equal((await first).targets.length, 2);
    native().disposeBatches(reader);
    assert.throws(() => native().nextBatch(reader), { code: 'ERR_DISPOSED' });
  });

  it('is not made after an abort', async () => {
    const reason = new Error('no more');
    await assert.rejects(openDataset(cifar10(), AbortSignal.abort(reason)), reason);
  });
});
