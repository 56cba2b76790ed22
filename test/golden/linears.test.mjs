// Wide images into few outputs, whose products exact mode may leave to kernels of its own: trained on both sides, every bit
// must agree, whatever libtorch's library does with a shape.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  conv2d,
  flatten,
  linear,
  loadState,
  relu,
  sequential,
  sgd,
  toTensor,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, needs, root, runPython, temporaryFolder } from '../support.mjs';

const kinds = {
  conv: (inputs, outputs) => conv2d(inputs, outputs, 3, { padding: 1 }),
  relu: () => relu(),
  flatten: () => flatten(),
  linear: (inputs, outputs, bias) => linear(inputs, outputs, { bias }),
};
const models = {
  'a classifier after a chain of convolutions': [
    ['conv', 3, 16],
    ['conv', 16, 32],
    ['flatten'],
    ['linear', 32768, 10, true],
  ],
  'one after channels in blocks of 8': [['conv', 3, 8], ['conv', 8, 24], ['flatten'], ['linear', 24576, 11, false]],
  'one after channels that are no block': [['conv', 3, 12], ['conv', 12, 9], ['flatten'], ['linear', 9216, 10, true]],
  'one after a convolution and ReLU': [['conv', 3, 16], ['relu'], ['flatten'], ['linear', 16384, 10, false]],
  'two layers': [['flatten'], ['linear', 3072, 32, true], ['relu'], ['linear', 32, 10, true]],
  'an odd number of inputs and one more output than a block': [
    ['flatten'],
    ['linear', 3072, 1031, true],
    ['relu'],
    ['linear', 1031, 17, true],
  ],
};
const batchSizes = [3, 8, 16, 33, 64, 100];

describe('linear layers in exact mode', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  const data = madeUpImages(131, 5);

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    fs.writeFileSync(at('images.u8'), data.inputs);
    fs.writeFileSync(at('labels.u8'), Uint8Array.from(data.labels));
    const jobs = Object.values(models).flatMap((layers, model) =>
      batchSizes.map((batchSize) => ({
        ...{ layers, batchSize },
        ...{ init: at(`init-${model}-${batchSize}.pth`), out: at(`out-${model}-${batchSize}.pth`) },
      })),
    );
    fs.writeFileSync(at('jobs.json'), JSON.stringify(jobs));
    const files = ['images', 'labels'].flatMap((name) => [`--${name}`, at(`${name}.u8`)]);
    runPython(path.join(root, 'test/golden/linears.py'), [...files, '--jobs', at('jobs.json')]);
  });

  for (const [model, [name, layers]] of Object.entries(models).entries()) {
    it(`${name}: trained as PyTorch does, in batches of ${batchSizes.join(', ')}`, async () => {
      for (const batchSize of batchSizes) {
        const { state } = await trainIncremental(at(`init-${model}-${batchSize}.pth`), {
          model: sequential(layers.map(([kind, ...sizes]) => kinds[kind](...sizes))),
          data: arrays(data),
          transforms: [toTensor()],
          ...{
            batchSize,
            epochs: 2,
            shuffle: false,
            optimizer: sgd({ learningRate: 0.001, momentum: 0.9 }),
            threads: 2,
          },
        });
        const expected = await loadState(at(`out-${model}-${batchSize}.pth`));
        assert.ok(state.equals(expected), `other bits in batches of ${batchSize}`);
      }
    });
  }
});
