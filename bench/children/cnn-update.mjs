// For each line of standard input: the time of a step of trainIncremental, of a forward pass and of an update of an online
// learner, in milliseconds, for a CNN of two 3x3 convolutions. The plan is JSON: { mode, threads, fresh, repeats }; an update
// has `fresh` new samples and replays as many, a step has all of them, a forward pass the new ones. And what is left where there is
// next to nothing to compute, after pauses as long as an update: one of a model of two weights (`least`), and a file's facts from
// libuv's pool (`call`).

import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import * as incremental from 'torch-incremental';
import { median, workFolder } from '../support.mjs';

const { mode, threads, fresh, repeats } = JSON.parse(process.argv[2]);
const { arrays, conv2d, createState, flatten, linear, maxPool2d, OnlineLearner, predict, relu } = incremental;
const { saveState, sequential, toTensor, trainIncremental } = incremental;

const shape = [3, 32, 32];
const layers = {
  ...{ conv1: conv2d(3, 16, 3, { padding: 1 }), relu1: relu(), pool1: maxPool2d(2) },
  ...{ conv2: conv2d(16, 32, 3, { padding: 1 }), relu2: relu(), pool2: maxPool2d(2) },
  ...{ flatten: flatten(), classifier: linear(32 * 8 * 8, 10) },
};
const model = sequential(layers, { input: shape });
const common = { model, threads, transforms: [toTensor()] };

/** Images of noise, and labels by their numbers. */
function samples(count) {
  const inputs = Uint8Array.from({ length: count * 3072 }, (_, i) => ((i * 2654435761) >>> 13) & 255);
  return { inputs, labels: Int32Array.from({ length: count }, (_, i) => i % 10) };
}

const folder = workFolder();
const state = await createState(model, { seed: 1 });
const checkpoint = path.join(folder, 'cnn.pt');
await saveState(state, checkpoint);
const data = arrays({ ...samples(2 * fresh * repeats), shape });
const several = samples(fresh * repeats).inputs;
const learner = await OnlineLearner.open({
  ...{ dir: path.join(folder, 'learner'), checkpoint, ...common, mode, shape, seed: 0 },
  ...{ batchSize: fresh, maxDelayMs: 0, gate: { every: 1e9 }, replay: { capacity: 20 * fresh, perUpdate: fresh } },
});
const next = samples(fresh);
const least = sequential({ fc: linear(1, 2) }, { input: [1] });
const small = await OnlineLearner.open({
  ...{
    dir: path.join(folder, 'small'),
    checkpoint: await createState(least, { seed: 1 }),
    model: least,
    threads,
    mode,
  },
  ...{ shape: [1], transforms: [], seed: 0, batchSize: 1, maxDelayMs: 0, gate: { every: 1e9 } },
});

async function step() {
  const options = { ...common, mode, data, batchSize: 2 * fresh, epochs: 2, logEvery: 0, seed: 0 };
  const { history } = await trainIncremental(state, options);
  return (history.at(-1).seconds * 1000) / repeats;
}

async function forward() {
  const started = performance.now();
  await predict(state, several, { ...common, shape, batchSize: fresh });
  return (performance.now() - started) / repeats;
}

async function update() {
  const times = [];
  for (let i = 0; i < repeats; i++) {
    const started = performance.now();
    await learner.learn(next);
    times.push(performance.now() - started);
  }
  return median(times);
}

/** The median of `call`, in milliseconds, each after a pause. */
async function afterPauses(call) {
  const times = [];
  for (let i = 0; i < repeats; i++) {
    await pause(6);
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return median(times);
}

const one = { inputs: Float32Array.of(1), labels: [1] };
for await (const _ of readline.createInterface({ input: process.stdin })) {
  const times = { step: await step(), forward: await forward(), update: await update() };
  const floor = {
    least: await afterPauses(() => small.learn(one)),
    call: await afterPauses(() => fs.promises.stat(folder)),
  };
  console.log(JSON.stringify({ ...times, ...floor }));
}
await learner.close();
await small.close();
fs.rmSync(folder, { recursive: true, force: true });
