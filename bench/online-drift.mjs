// An abrupt drift: in the middle of a stream of made-up samples, the classes change places. Share of samples that a learner predicts
// rightly before it learns them, by its answer to the drift, and without replay.
import fs from 'node:fs';
import path from 'node:path';
import { createState, ddm, linear, OnlineLearner, relu, sequential, sgd } from 'torch-incremental';
import { report } from './report.mjs';
import { settings, workFolder } from './support.mjs';

const { seeds, samples, size, classes, capacity, perUpdate, batchSize } = settings({
  ...{ seeds: [1, 2, 3], samples: 12_000, size: 24, classes: 4, capacity: 2000, perUpdate: 16, batchSize: 8 },
});
const model = sequential({ hidden: linear(size, 32), relu: relu(), out: linear(32, classes) }, { input: [size] });
const change = samples / 2;
const folder = workFolder();

/** Numbers around the centre of a class; from the middle of the stream on, the label is that of the class after it. */
function* batches(seed) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let first = 0; first < samples; first += batchSize) {
    const inputs = new Float32Array(batchSize * size);
    const labels = Array.from({ length: batchSize }, (_, i) => {
      const centre = Math.floor(random() * classes);
      for (let k = 0; k < size; k++) {
        inputs[i * size + k] = random() * 2 - 1 + (k % classes === centre ? 0.7 : 0);
      }
      return first < change ? centre : (centre + 1) % classes;
    });
    yield { inputs, labels };
  }
}

const replay = { capacity, perUpdate };
const ways = {
  'no replay': {},
  'replay, report': { replay, onDrift: 'report' },
  'replay, boostReplay': { replay, onDrift: 'boostReplay' },
  'replay, resetReplay': { replay, onDrift: 'resetReplay' },
  'replay, raiseLearningRate': { replay, onDrift: 'raiseLearningRate' },
  'replay, rollback': { replay, onDrift: 'rollback' },
};

/** Right predictions of the last 1,000 samples before the change, the first 2,000 after it, and the last 1,000; and drifts. */
async function learn(name, { replay, onDrift }, seed) {
  const dir = path.join(folder, `${name} ${seed}`);
  const learner = await OnlineLearner.open({
    ...{ dir, model, checkpoint: await createState(model, { seed }), seed, batchSize, maxDelayMs: 0, threads: 1 },
    ...{ optimizer: sgd({ learningRate: 0.02, momentum: 0 }), ...(replay && { replay }) },
    ...{ drift: { detector: ddm(), ...(onDrift && { onDrift }) } },
  });
  const right = [];
  for (const batch of batches(seed)) right.push((await learner.learn(batch)).prequential.correct / batchSize);
  const { drifts } = learner.metrics();
  await learner.close();
  fs.rmSync(dir, { recursive: true });
  const share = (from, to) => {
    const some = right.slice(from / batchSize, to / batchSize);
    return some.reduce((sum, one) => sum + one, 0) / some.length;
  };
  return [share(change - 1000, change), share(change, change + 2000), share(samples - 1000, samples), drifts];
}

const results = {};
for (const [name, way] of Object.entries(ways)) {
  const runs = [];
  for (const seed of seeds) runs.push(await learn(name, way, seed));
  results[name] = runs[0].map((_, i) => runs.reduce((sum, run) => sum + run[i], 0) / runs.length);
}
const last = (name) => (100 * results[name][2]).toFixed(1);
report('Answers to an abrupt drift', {
  sentence:
    `where classes change places, the last 1,000 samples are predicted rightly to ${last('no replay')} % without replay, to ` +
    `${last('replay, boostReplay')} % with boostReplay, which teaches what was true before, and to ${last('replay, resetReplay')} % with resetReplay; means ` +
    `of ${seeds.length} seeds`,
  figures: { results, seeds },
  tables: [
    {
      columns: ['', 'before the change, %', '2,000 samples after it', 'last 1,000', 'drifts'],
      rows: Object.entries(results).map(([name, [before, after, end, drifts]]) => [
        name,
        ...[before, after, end].map((value) => (100 * value).toFixed(1)),
        drifts.toFixed(1),
      ]),
    },
  ],
});
