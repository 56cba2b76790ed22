// Beside live PyTorch: the pixels that dropout keeps in every mode, and what is refused.
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  adaptiveAvgPool2d,
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  linear,
  saveState,
  sequential,
  sgd,
  toTensor,
  trainIncremental,
} from 'torch-incremental';
import { needs, runPython, temporaryFolder } from '../support.mjs';

const layers = [conv2d(3, 8, 3, { padding: 1 }), dropout(0.5), flatten(), linear(512, 4)];
const model = sequential(layers, { input: [3, 8, 8] });
const inputs = Uint8Array.from({ length: 192 }, (_, i) => (i * 7919) % 251);
const image = arrays({ inputs, labels: [1], shape: [3, 8, 8], classes: 4 });

describe('PyTorch and this library', () => {
  const folder = temporaryFolder();
  let expected;
  let state;

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    state = await createState(model, { seed: 3 });
    await saveState(state, folder('dropout.pth'));
    const script = path.join(import.meta.dirname, 'dropout_and_refusals.py');
    expected = JSON.parse(runPython(script, [folder('dropout.pth')]));
  });

  for (const options of [{ mode: 'exact' }, { mode: 'fast' }, { mode: 'fast', precision: 'bf16' }]) {
    it(`keep the same elements of an image in dropout: ${Object.values(options).join(', ')}`, async () => {
      const run = { model, data: image, transforms: [toTensor()], epochs: 1, batchSize: 1, threads: 1, seed: 1 };
      const { state: after } = await trainIncremental(state, {
        ...run,
        optimizer: sgd({ learningRate: 1, momentum: 0 }),
        ...options,
      });
      const [old, now] = [state.tensor('3.weight').data, after.tensor('3.weight').data];
      const kept = Array.from({ length: 512 }, (_, i) =>
        [0, 1, 2, 3].some((row) => old[row * 512 + i] !== now[row * 512 + i]),
      );
      assert.deepEqual(kept, expected.kept);
    });
  }

  const train = (options) =>
    trainIncremental(state, { model, data: image, transforms: [toTensor()], epochs: 1, ...options });

  it('refuse one value a channel in the same words', async () => {
    const lone = sequential([adaptiveAvgPool2d(1), batchNorm2d(4), flatten(), linear(4, 2)], { input: [4, 2, 2] });
    const data = arrays({ inputs: new Float32Array(16 * 5).fill(1), labels: [0, 1, 0, 1, 0], shape: [4, 2, 2] });
    const run = trainIncremental(await createState(lone), { model: lone, data, batchSize: 2, epochs: 1, threads: 1 });
    const words = expected.lone.replace(/torch\.Size\((.*)\)/, '$1');
    await assert.rejects(run, ({ message }) => message.startsWith(words));
  });

  it('refuse nesterov without a momentum', async () => {
    assert.match(expected.nesterov, /requires a momentum/);
    await assert.rejects(train({ optimizer: { kind: 'sgd', nesterov: true, momentum: 0 } }), {
      code: 'ERR_INVALID_OPTION',
      message: /requires a momentum/,
    });
  });

  it('take the learning rates that float32 can hold, and no larger ones', async () => {
    assert.match(expected.largeRate, /overflow/);
    assert.match(expected.tooLargeRate, /overflow/);
    assert.equal(expected.largestRate, null);
    for (const learningRate of [1e300, 3.4028236e38]) {
      await assert.rejects(train({ optimizer: { kind: 'sgd', learningRate } }), {
        code: 'ERR_INVALID_OPTION',
        message: /float32.*"learningRate"/,
      });
    }
    // It is taken, and leads where it must.
    await assert.rejects(train({ optimizer: sgd({ learningRate: 3.4028234663852886e38 }) }), {
      code: 'ERR_NOT_FINITE',
    });
  });
});
