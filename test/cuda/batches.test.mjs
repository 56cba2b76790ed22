// Batches made on a GPU are bit for bit those made by the transforms for the CPU.
import assert from 'node:assert/strict';
import { arrays, cifar10 } from 'torch-incremental';
import { batches } from '../../dist/datasets/batches.js';
import { batchCases, rotationCases, scriptTransforms } from '../golden/cases.mjs';
import { collect, hashOf, needs, synthetic, syntheticImages } from '../unit/data-support.mjs';
import { madeOn } from '../unit/device-support.mjs';
import { needsCuda } from './support.mjs';

async function assertEqualBatches(dataset, { name, images, folder, limit, ...options }) {
  const usual = await collect(batches(dataset, options));
  const onDevice = await madeOn('cuda:0', () => collect(batches(dataset, options)));
  assert.deepEqual(onDevice.map(hashOf), usual.map(hashOf), name);
}

describe('batches made on a GPU', () => {
  before(async function () {
    await needsCuda(this);
  });

  for (const each of batchCases) {
    it(`are those of the CPU: ${each.name}`, () => assertEqualBatches(syntheticImages(each.images), each));
  }

  it('are those of the CPU for more than 10,000 rotations', async () => {
    for (const each of rotationCases.filter(({ images }) => Math.max(...images.slice(2)) <= 16_384)) {
      await assertEqualBatches(syntheticImages(each.images), each);
    }
  });

  it('are those of the CPU for all real images', async function () {
    const root = needs(this, 'TORCH_INCREMENTAL_CIFAR10', 'a folder with cifar-10-batches-bin');
    await assertEqualBatches(cifar10({ root }), { transforms: scriptTransforms, batchSize: 64, epochs: 2, seed: 1234 });
  });

  it('are those of the CPU for float32 data', async () => {
    const inputs = Float32Array.from(synthetic([30, 2, 5, 7]), (byte) => (byte - 100) / 37);
    const dataset = arrays({ inputs, labels: new Int32Array(30), shape: [2, 5, 7], classes: 1 });
    const transforms = [{ kind: 'normalize', mean: [0.3, -0.1], std: [0.7, 3] }];
    await assertEqualBatches(dataset, { transforms, batchSize: 8, epochs: 2, seed: 0 });
  });
});
