// Transforms for scoring and serving: they draw nothing, and yield the size that the model takes.
import assert from 'node:assert/strict';
import {
  centerCrop,
  createState,
  flatten,
  linear,
  normalize,
  OnlineLearner,
  predict,
  randomCrop,
  randomHorizontalFlip,
  sequential,
  toTensor,
} from 'torch-incremental';
import { withoutDraws } from '../../dist/transforms/index.js';
import { temporaryFolder } from '../support.mjs';

describe('scoring of a learner', () => {
  const at = temporaryFolder();

  it('crops the centre if learning crops at random, and draws nothing', () => {
    const scale = normalize(0.5, 0.5);
    const shape = [3, 8, 10];
    const of = (...transforms) => withoutDraws(transforms, shape);
    assert.deepEqual(of(randomHorizontalFlip(), toTensor(), scale), [toTensor(), scale]);
    assert.deepEqual(of(randomCrop([6, 10]), toTensor()), [centerCrop([6, 10]), toTensor()]);
    // Of the same size, wherever it is taken from a border.
    assert.deepEqual(of(randomCrop([8, 10], { padding: 2 }), toTensor()), [toTensor()]);
    assert.deepEqual(of(randomCrop(12, { padding: 2 }), randomCrop(6), toTensor()), [
      centerCrop(12),
      centerCrop(6),
      toTensor(),
    ]);
    assert.deepEqual(of(centerCrop(6), randomCrop(6), toTensor()), [centerCrop(6), toTensor()]);
  });

  it('serves images that a crop makes smaller, as predict() with a crop of the centre does', async () => {
    const model = sequential([flatten(), linear(108, 3)], { input: [3, 6, 6] });
    const checkpoint = await createState(model, { seed: 1 });
    const options = { dir: at('crop'), checkpoint, model, shape: [3, 8, 8], threads: 1, seed: 1 };
    const learner = await OnlineLearner.open({ ...options, transforms: [randomCrop(6), toTensor()], maxDelayMs: 0 });
    const inputs = Uint8Array.from({ length: 192 * 4 }, (_, i) => (i * 7919) % 256);
    const { logits } = await learner.predict(inputs);
    const transforms = [centerCrop(6), toTensor()];
    assert.deepEqual(logits, (await predict(checkpoint, inputs, { model, shape: [3, 8, 8], transforms })).logits);
    const { prequential } = await learner.learn({ inputs, labels: [0, 1, 2, 0] });
    assert.equal(prequential.samples, 4);
    await learner.close();
  });

  it('needs no transforms for samples that are not images, nor for float32', async () => {
    const model = sequential([linear(2, 3)], { input: [2] });
    const checkpoint = await createState(model, { seed: 1 });
    for (const [name, given] of Object.entries({
      none: {},
      float32: { inputs: 'float32' },
      empty: { transforms: [] },
    })) {
      const learner = await OnlineLearner.open({ dir: at(name), checkpoint, model, threads: 1, ...given });
      assert.deepEqual(learner.sample.inputs, [{ name: 'input', dtype: 'float32', shape: [2] }]);
      assert.equal(learner.sample.classes, 3);
      assert.equal((await learner.learn({ inputs: Float32Array.of(1, 2), labels: [1] })).updates, 1);
      await learner.close();
    }
    // The advice in the error works.
    const bytes = { dir: at('bytes'), checkpoint, model, threads: 1 };
    await assert.rejects(OnlineLearner.open({ ...bytes, inputs: 'uint8' }), {
      code: 'ERR_INVALID_OPTION',
      message: /float32/,
    });
    await (await OnlineLearner.open({ ...bytes, inputs: 'float32' })).close();
    const images = sequential([flatten(), linear(16, 2)], { input: [1, 4, 4] });
    const float = { dir: at('float images'), checkpoint: await createState(images), model: images, inputs: 'float32' };
    await (await OnlineLearner.open({ ...float, threads: 1 })).close();
  });
});
