// The code that makes batches on devices, run on the CPU, and that of fast mode: bit for bit the usual batches.
import assert from 'node:assert/strict';
import { arrays, cifar10 } from 'torch-incremental';
import { batches } from '../../dist/datasets/batches.js';
import { batchCases, rotationCases, scriptTransforms } from '../golden/cases.mjs';
import { collect, hashOf, needs, synthetic, syntheticImages } from './data-support.mjs';
import { inChannelsLast, madeOn } from './device-support.mjs';

const onDevice = (use) => madeOn('cpu', use);

/** Both ways of making the same batches. */
async function bothWays(dataset, { name, images, folder, limit, ...options }, other = onDevice) {
  const usual = await collect(batches(dataset, options));
  const otherwise = await other(() => collect(batches(dataset, options)));
  return [usual, otherwise].map((list) => list.map((batch) => `${batch.inputs.input.shape} ${hashOf(batch)}`));
}

describe('batches made by the code for devices', () => {
  for (const each of batchCases) {
    it(`are the usual ones: ${each.name}`, async () => {
      const [usual, otherwise] = await bothWays(syntheticImages(each.images), each);
      assert.deepEqual(otherwise, usual);
    });
  }

  it('are the usual ones for more than 10,000 rotations, at and next to quarter turns too', async () => {
    // Those of longer images are refused, below.
    for (const each of rotationCases.filter(({ images }) => Math.max(...images.slice(2)) <= 16_384)) {
      const [usual, otherwise] = await bothWays(syntheticImages(each.images), each);
      assert.deepEqual(otherwise, usual, each.name);
    }
  });

  it('are the usual ones of all real images', async function () {
    const root = needs(this, 'TORCH_INCREMENTAL_CIFAR10', 'a folder with cifar-10-batches-bin');
    const options = { transforms: scriptTransforms, batchSize: 64, epochs: 2, seed: 1234 };
    const [usual, otherwise] = await bothWays(cifar10({ root }), options);
    assert.deepEqual(otherwise, usual);
  });

  it('are the usual ones of a crop far outside the image', async () => {
    const transforms = [{ kind: 'randomCrop', size: [3, 4], padding: 40_000 }, { kind: 'toTensor' }];
    const [usual, otherwise] = await bothWays(syntheticImages([50, 1, 8, 8]), { transforms, batchSize: 20, seed: 3 });
    assert.deepEqual(otherwise, usual);
  });

  it('are the usual ones of float32 data, normalised or not', async () => {
    const bytes = synthetic([30, 2, 5, 7]);
    const inputs = Float32Array.from(bytes, (byte) => (byte - 100) / 37);
    const dataset = arrays({ inputs, labels: new Int32Array(30), shape: [2, 5, 7], classes: 1 });
    for (const transforms of [[], [{ kind: 'normalize', mean: [0.3, -0.1], std: [0.7, 3] }]]) {
      const [usual, otherwise] = await bothWays(dataset, { transforms, batchSize: 8, epochs: 2, seed: 0 });
      assert.deepEqual(otherwise, usual);
    }
  });

  it('are the usual ones of several inputs of all types, in their order and layout', async () => {
    const images = (channels) => ({ data: synthetic([30, channels, 6, 5]), shape: [channels, 6, 5] });
    const inputs = {
      left: images(3),
      ids: { data: BigInt64Array.from(synthetic([90]), BigInt), shape: [3] },
      table: { data: synthetic([60]), shape: [2] },
      right: images(1),
      sizes: { data: Int32Array.from(synthetic([30])), shape: [] },
    };
    const transforms = {
      left: [
        { kind: 'randomHorizontalFlip', p: 0.5 },
        { kind: 'randomRotation', degrees: [-30, 30] },
        { kind: 'toTensor' },
      ],
      right: [{ kind: 'randomCrop', size: [4, 4], padding: 1 }, { kind: 'toTensor' }],
    };
    const tokens = Int32Array.from(synthetic([60]), (byte) => (byte < 50 ? -100 : byte));
    for (const targets of [{ data: tokens, shape: [2] }, { data: new Float32Array(30).fill(0.5) }, undefined]) {
      const dataset = arrays({ inputs, ...(targets && { targets }) });
      const run = () => collect(batches(dataset, { transforms, batchSize: 8, epochs: 2, seed: 4 }));
      const usual = await run();
      assert.equal(usual.length, 8);
      assert.deepEqual(await onDevice(run), usual);
      assert.deepEqual(await inChannelsLast(run), usual);
    }
  });

  it('refuse images that are too large for 16.16 fixed point, and say what to do', async () => {
    const dataset = arrays({ inputs: new Uint8Array(17_000), labels: new Int32Array(1), shape: [1, 1, 17_000] });
    const transforms = [{ kind: 'randomRotation', degrees: [-10, 10] }, { kind: 'toTensor' }];
    await assert.rejects(
      madeOn('cpu', () => collect(batches(dataset, { transforms }))),
      { code: 'ERR_INVALID_OPTION', message: /1x17000 are too large .* use device: 'cpu'/ },
    );
    const [usual, otherwise] = await bothWays(dataset, { transforms: [{ kind: 'toTensor' }] });
    assert.deepEqual(otherwise, usual);
  });
});

describe('batches made in the memory layout of fast mode', () => {
  for (const each of batchCases) {
    it(`are the usual ones: ${each.name}`, async () => {
      const [usual, otherwise] = await bothWays(syntheticImages(each.images), each, inChannelsLast);
      assert.deepEqual(otherwise, usual);
    });
  }

  it('are the usual ones where values are negative zeros, and for a single pixel', async () => {
    const transforms = [
      { kind: 'randomHorizontalFlip', p: 0.5 },
      { kind: 'toTensor' },
      { kind: 'normalize', mean: [0, 0.5, 1], std: [-1, 0.5, -2] },
    ];
    for (const images of [syntheticImages([40, 3, 6, 5]), syntheticImages([40, 3, 1, 1])]) {
      const [usual, otherwise] = await bothWays(images, { transforms, batchSize: 7, seed: 2 }, inChannelsLast);
      assert.deepEqual(otherwise, usual);
    }
  });
});
