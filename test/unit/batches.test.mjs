import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { arrays, cifar10, normalize, randomHorizontalFlip, subset, toTensor } from 'torch-incremental';
import { batches } from '../../dist/datasets/batches.js';
import { batchCases, rotationCases, scriptTransforms } from '../golden/cases.mjs';
import { collect, golden, hashOf, needs, needsAvx, needsPython, runPython, syntheticImages } from './data-support.mjs';

const { hashes } = JSON.parse(fs.readFileSync(path.join(golden, 'batches.json'), 'utf8'));

async function hashesOf(dataset, { name, images, folder, limit, ...options }) {
  return (await collect(batches(dataset, options))).map(hashOf);
}

/** They were rounded as PyTorch's kernels for AVX2 and above round them (src/core/random.h). */
const angles = 'golden values are';

describe('batches', () => {
  for (const batchCase of batchCases) {
    it(`equal those of torchvision and DataLoader: ${batchCase.name}`, async function () {
      needsAvx(this, angles);
      assert.equal((await hashesOf(syntheticImages(batchCase.images), batchCase)).join(' '), hashes[batchCase.name]);
    });
  }

  it('rotate more than 10,000 pairs of image and angle as PIL does, at and next to quarter turns too', async function () {
    needsAvx(this, angles);
    let pairs = 0;
    for (const rotation of rotationCases) {
      const images = syntheticImages(rotation.images);
      assert.equal((await hashesOf(images, rotation)).join(' '), hashes[rotation.name], rotation.name);
      pairs += rotation.images[0];
    }
    assert.ok(pairs > 10_000, `${pairs}`);
  });

  it('equal those that Python makes now', async function () {
    const python = needsPython(this);
    const cases = [...batchCases, ...rotationCases];
    const live = runPython(python, 'batches.py', cases);
    for (const [i, each] of cases.entries()) {
      assert.deepEqual(await hashesOf(syntheticImages(each.images), each), live[i], each.name);
    }
  });

  it('equal those that Python makes of all real images, for three seeds', async function () {
    const python = needsPython(this);
    const root = needs(this, 'TORCH_INCREMENTAL_CIFAR10', 'a folder with cifar-10-batches-bin');
    const limit = 8000;
    const options = { transforms: scriptTransforms, batchSize: 64, shuffle: true, dropLast: false, epochs: 1 };
    const cases = [0, 1234, 2 ** 33 + 7].map((seed) => ({ ...options, seed }));
    const folder = path.join(root, 'cifar-10-batches-bin');
    const live = runPython(
      python,
      'batches.py',
      cases.map((each) => ({ ...each, folder, limit })),
    );
    for (const [i, each] of cases.entries()) {
      assert.deepEqual(await hashesOf(subset(cifar10({ root }), { end: limit }), each), live[i]);
    }
  });

  it('have a last one that is not full, unless dropLast', async () => {
    const sizes = async (options) =>
      (await collect(batches(syntheticImages([10, 3, 4, 4]), options))).map(({ inputs }) => inputs.input.shape);
    assert.deepEqual(await sizes({ batchSize: 4 }), [
      [4, 3, 4, 4],
      [4, 3, 4, 4],
      [2, 3, 4, 4],
    ]);
    assert.equal((await sizes({ batchSize: 4, dropLast: true })).length, 2);
    assert.deepEqual(await sizes({ batchSize: 2 ** 53 - 1 }), [[10, 3, 4, 4]]);
  });

  it('of float32 data are the data, normalized where that is asked for', async () => {
    const inputs = Float32Array.from({ length: 24 }, (_, i) => i / 7);
    const data = arrays({ inputs, labels: [0, 1, 2], shape: [2, 2, 2] });
    const [plain] = await collect(batches(data, { shuffle: false }));
    assert.deepEqual(plain, {
      length: 3,
      inputs: { input: { data: inputs, shape: [3, 2, 2, 2] } },
      targets: { data: Int32Array.of(0, 1, 2), shape: [3] },
    });
    const [scaled] = await collect(batches(data, { shuffle: false, transforms: [normalize([1, 2], [3, 4])] }));
    const f = Math.fround;
    assert.deepEqual(
      scaled.inputs.input.data,
      inputs.map((value, i) => (i % 8 < 4 ? f(f(value - 1) / 3) : f(f(value - 2) / 4))),
    );
  });

  it('differ between epochs and repeat with the seed', async () => {
    const run = (seed) => hashesOf(syntheticImages([20, 3, 8, 8]), { batchSize: 20, epochs: 2, seed });
    const [first, second] = await run(5);
    assert.notEqual(first, second);
    assert.deepEqual(await run(5), [first, second]);
    assert.notEqual((await run(6))[0], first);
    assert.notEqual((await run())[0], (await run())[0]);
  });

  it('can be left early, also before the first', async () => {
    const images = syntheticImages([64, 3, 32, 32]);
    for (let i = 0; i < 20; i++) {
      for await (const { length } of batches(images, { batchSize: 2, epochs: 1000 })) {
        assert.equal(length, 2);
        break;
      }
    }
    await batches(images).return();
  });

  it('end with the reason of an abort', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const run = async () => {
      for await (const _ of batches(syntheticImages([8, 3, 4, 4]), { batchSize: 1, signal: controller.signal })) {
        controller.abort(reason);
      }
    };
    await assert.rejects(run, reason);
    await assert.rejects(run, reason);
  });

  const refused = [
    ['no toTensor', [randomHorizontalFlip()], /toTensor is missing/],
    [
      'pixels moved after toTensor',
      [toTensor(), randomHorizontalFlip()],
      /randomHorizontalFlip must stand before toTensor/,
    ],
    ['normalize before toTensor', [normalize(0.5, 0.5), toTensor()], /normalize must come after toTensor/],
    ['toTensor twice', [toTensor(), toTensor()], /only once/],
    ['other channels', [toTensor(), normalize([1, 2], [1, 2])], /2 means and 2 standard deviations, but .* 3 channels/],
    ['a crop that is too large', [{ kind: 'randomCrop', size: [9, 3], padding: 2 }, toTensor()], /does not fit/],
    ['an unknown transform', [{ kind: 'blur' }, toTensor()], /a transform made by .* for "transforms\[0\]"/],
    ['a transform without its numbers', [{ kind: 'randomRotation' }, toTensor()], /"randomRotation: degrees"/],
  ];
  for (const [name, transforms, message] of refused) {
    it(`refuse ${name}`, async () => {
      const run = collect(batches(syntheticImages([4, 3, 4, 4]), { transforms }));
      await assert.rejects(run, { name: 'LearnError', code: 'ERR_INVALID_OPTION', message });
    });
  }

  it('refuse transforms of pixels for float32 data', async () => {
    const data = arrays({ inputs: new Float32Array(12), labels: [0], shape: [3, 2, 2] });
    const run = (transforms) => collect(batches(data, { transforms }));
    await assert.rejects(run([toTensor()]), { code: 'ERR_INVALID_OPTION', message: /toTensor works on uint8 images/ });
    await assert.rejects(run([randomHorizontalFlip()]), {
      code: 'ERR_INVALID_OPTION',
      message: /randomHorizontalFlip/,
    });
  });

  it('of uint8 data other than images are the data, which only a model casts, and take no transforms', async () => {
    const inputs = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
    const data = arrays({ inputs, labels: [0, 1], shape: [6] });
    const [batch] = await collect(batches(data, { shuffle: false }));
    assert.deepEqual(batch.inputs.input, { data: inputs, shape: [2, 6] });
    await assert.rejects(collect(batches(data, { transforms: [toTensor()] })), {
      code: 'ERR_INVALID_OPTION',
      message: /\[channels, height, width\]/,
    });
  });

  it('refuse a dropLast that leaves nothing, and an empty set', async () => {
    const images = syntheticImages([3, 3, 4, 4]);
    await assert.rejects(collect(batches(images, { dropLast: true })), {
      code: 'ERR_INVALID_OPTION',
      message: /only 3 samples/,
    });
    await assert.rejects(collect(batches(subset(images, { end: 0 }))), { code: 'ERR_DATA_FORMAT', message: /empty/ });
  });

  it('refuse wrong options before reading anything', async () => {
    const data = cifar10({ root: '/nowhere' });
    const bad = [
      { batchSize: 0 },
      { epochs: 1.5 },
      { seed: -1 },
      { shuffle: 1 },
      { batchsize: 3 },
      { transforms: ['flip'] },
    ];
    for (const options of bad) {
      await assert.rejects(collect(batches(data, options)), { code: 'ERR_INVALID_OPTION' });
    }
    await assert.rejects(collect(batches({ kind: 'mnist' })), { code: 'ERR_INVALID_OPTION' });
  });
});
