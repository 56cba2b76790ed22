// Five tasks of two classes each, as one stream of real images that is seen once: what a learner knows at the end with a replay
// buffer of 500 images, and without one. Accuracy on the test images of all ten classes.
import fs from 'node:fs';
import path from 'node:path';
import {
  cifar10,
  createState,
  evaluate,
  normalize,
  OnlineLearner,
  randomCrop,
  randomHorizontalFlip,
  sgd,
  toTensor,
} from 'torch-incremental';
import { modelNamed } from './models.mjs';
import { report } from './report.mjs';
import { allImages, allLabels, images, settings, workFolder } from './support.mjs';

const { seeds, batchSize, learningRate, capacity, perUpdate } = settings({
  ...{ seeds: [1, 2, 3], batchSize: 10, learningRate: 0.05, capacity: 500, perUpdate: 30 },
});
const model = modelNamed('cnn');
const toInput = [toTensor(), normalize([0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616])];
const labels = allLabels();
const pixels = allImages(labels.length);
/** Task by task; within one as in the files. */
const order = Array.from(labels.keys()).sort((a, b) => Math.floor(labels[a] / 2) - Math.floor(labels[b] / 2) || a - b);
const ways = {
  'fine-tuning': { capacity: 0, perUpdate: 0 },
  reservoir: { capacity, perUpdate, policy: 'reservoir' },
  classBalanced: { capacity, perUpdate, policy: 'classBalanced' },
};
const folder = workFolder();

async function learn(name, replay, seed) {
  const dir = path.join(folder, `${name} ${seed}`);
  const learner = await OnlineLearner.open({
    ...{ dir, model, checkpoint: await createState(model, { seed }), seed, batchSize, maxDelayMs: 0, mode: 'fast' },
    ...{ optimizer: sgd({ learningRate, momentum: 0 }), replay, gate: { every: Math.ceil(order.length / batchSize) } },
    transforms: [randomCrop(32, { padding: 4 }), randomHorizontalFlip(), ...toInput],
  });
  for (let first = 0; first < order.length; first += batchSize) {
    const batch = order.slice(first, first + batchSize);
    const inputs = new Uint8Array(batch.length * 3072);
    for (const [i, index] of batch.entries()) inputs.set(pixels.subarray(index * 3072, (index + 1) * 3072), i * 3072);
    await learner.learn({ inputs, labels: batch.map((index) => labels[index]) });
  }
  await learner.save(path.join(folder, 'served.pth'));
  await learner.close();
  fs.rmSync(dir, { recursive: true });
  const data = cifar10({ root: images(), train: false });
  const { accuracy, perClass } = await evaluate(path.join(folder, 'served.pth'), { model, data, transforms: toInput });
  const tasks = [0, 1, 2, 3, 4].map((task) => {
    const both = perClass.slice(2 * task, 2 * task + 2);
    const sum = (key) => both.reduce((total, one) => total + one[key], 0);
    return sum('correct') / sum('samples');
  });
  return [accuracy, ...tasks];
}

const percents = {};
for (const [name, replay] of Object.entries(ways)) {
  const runs = [];
  for (const seed of seeds) runs.push(await learn(name, replay, seed));
  percents[name] = runs[0].map((_, i) => (100 * runs.reduce((sum, run) => sum + run[i], 0)) / runs.length);
}
const gain = Object.fromEntries(
  Object.keys(ways).map((name) => [name, percents[name][0] - percents['fine-tuning'][0]]),
);
report('Five tasks as one stream', {
  sentence:
    `fine-tuning ends at ${percents['fine-tuning'][0].toFixed(1)} % on all ten classes, with a replay buffer of ${capacity} images ` +
    `at ${percents.reservoir[0].toFixed(1)} % (reservoir) and ${percents.classBalanced[0].toFixed(1)} % (class-balanced), ` +
    `means of ${seeds.length} seeds`,
  figures: { percents, gain, seeds },
  tables: [
    {
      columns: ['', 'all classes, %', 'task 1', 'task 2', 'task 3', 'task 4', 'task 5'],
      rows: Object.entries(percents).map(([name, values]) => [name, ...values.map((value) => value.toFixed(1))]),
    },
  ],
});
