// Only loads: an epoch of augmented batches for each line of standard input, through the public iterator. Also evaluates and
// predicts, for the trials: { what: 'load' | 'evaluate' | 'predict', root, checkpoint, samples, model }.
import readline from 'node:readline';
import { batches, cifar10, evaluate, loadState, normalize, predict, subset, toTensor } from 'torch-incremental';
import { modelNamed } from '../models.mjs';
import { allImages } from '../support.mjs';

const { what, root, checkpoint, samples, model: name = 'net' } = JSON.parse(process.argv[2]);
const data = subset(cifar10({ root }), { start: 0, end: samples });
const state = checkpoint && (await loadState(checkpoint));
const model = modelNamed(name);
const pixels = what === 'predict' && allImages(samples);
const works = {
  async load() {
    for await (const _ of batches(data, { seed: 0 }));
  },
  evaluate: () =>
    evaluate(state, { model, data, transforms: [toTensor(), normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])] }),
  predict: () => predict(state, pixels, { model }),
};

for await (const _ of readline.createInterface({ input: process.stdin })) {
  const started = performance.now();
  await works[what]();
  console.log(JSON.stringify({ samples, seconds: (performance.now() - started) / 1000 }));
}
