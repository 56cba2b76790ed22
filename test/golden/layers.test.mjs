// Layers, initialisation, optimizer and random draws against PyTorch itself: a network with every kind of layer is
// made, trained and evaluated on both sides, and every bit must agree.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  adaptiveAvgPool2d,
  arrays,
  avgPool2d,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  linear,
  loadState,
  maxPool2d,
  normalize,
  predict,
  randomCrop,
  randomHorizontalFlip,
  relu,
  residual,
  sequential,
  sgd,
  toTensor,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, needs, root, runPython, temporaryFolder } from '../support.mjs';

const cnn = sequential({
  conv: conv2d(3, 8, [3, 5], { padding: [1, 2] }),
  bn: batchNorm2d(8),
  relu: relu(),
  pool: maxPool2d(2),
  block: residual(
    {
      conv1: conv2d(8, 16, 3, { stride: 2, padding: 1, bias: false }),
      bn1: batchNorm2d(16),
      relu: relu(),
      conv2: conv2d(16, 16, 3, { padding: 1, groups: 2 }),
      bn2: batchNorm2d(16, { eps: 1e-4, momentum: 0.2 }),
    },
    { shortcut: { downsample: conv2d(8, 16, 1, { stride: 2 }) } },
  ),
  mean: avgPool2d(2, { padding: 1 }),
  squeeze: adaptiveAvgPool2d(3),
  flatten: flatten(),
  drop: dropout(0.3),
  fc: linear(16 * 9, 10, { bias: false }),
});
const toInput = [toTensor(), normalize([0.4, 0.5, 0.6], [0.2, 0.25, 0.3])];
const augment = [randomCrop(32, { padding: 4 }), randomHorizontalFlip()];

describe('a network with every kind of layer', () => {
  const at = temporaryFolder();

  for (const { seed, optimizer, flags } of [
    { seed: 3, optimizer: { momentum: 0.9 }, flags: [] },
    { seed: 4, optimizer: { momentum: 0 }, flags: ['--momentum', '0'] },
    {
      seed: 5,
      optimizer: { momentum: 0.8, nesterov: true, weightDecay: 0.01 },
      flags: ['--momentum', '0.8', '--nesterov', '--weight-decay', '0.01'],
    },
  ]) {
    it(`is made, trained and evaluated as PyTorch does with seed ${seed} and SGD(${flags.join(' ') || 'momentum'})`, async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      const data = madeUpImages(70, seed);
      fs.writeFileSync(at('images.u8'), data.inputs);
      fs.writeFileSync(at('labels.u8'), Uint8Array.from(data.labels));
      const files = ['images', 'labels'].flatMap((name) => [`--${name}`, at(`${name}.u8`)]);
      const results = ['--init', at('init.pth'), '--out', at('trained.pth'), '--logits', at('logits.f32')];
      const printed = runPython(path.join(root, 'test/golden/cnn_job.py'), [
        ...files,
        ...results,
        '--seed',
        String(seed),
        ...flags,
      ]);

      const init = await createState(cnn, { seed });
      assert.ok(init.equals(await loadState(at('init.pth'))), 'the untrained states differ');

      const losses = [];
      const { state } = await trainIncremental(init, {
        model: cnn,
        data: arrays(data),
        transforms: [...augment, ...toInput],
        epochs: 2,
        batchSize: 16,
        optimizer: sgd({ learningRate: 0.05, ...optimizer }),
        seed,
        logEvery: 1,
        onProgress: (event) => event.type === 'log' && losses.push(event.loss),
      });
      assert.deepEqual(losses, printed.trim().split('\n').map(Number));
      const trained = await loadState(at('trained.pth'));
      assert.ok(state.equals(trained), 'the trained states differ');
      assert.deepEqual(state.metadata, trained.metadata);

      const { logits } = await predict(state, data.inputs, {
        model: cnn,
        transforms: toInput,
        shape: [3, 32, 32],
        batchSize: 16,
      });
      assert.deepEqual(Buffer.from(logits.buffer), fs.readFileSync(at('logits.f32')));
    });
  }
});
