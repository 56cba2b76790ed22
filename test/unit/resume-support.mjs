// Shared by the tests of resuming: a model that draws and counts, runs stopped at a chosen step, and runs compared.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  linear,
  loadState,
  maxPool2d,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  relu,
  saveState,
  sequential,
  sgd,
  toTensor,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, root, runPython } from '../support.mjs';

export const data = arrays(madeUpImages(70));

/** Draws in every step (dropout), and has buffers that training changes (batch norm). */
export const drawing = sequential({
  conv: conv2d(3, 4, 3, { padding: 1 }),
  bn: batchNorm2d(4),
  relu: relu(),
  pool: maxPool2d(4),
  flatten: flatten(),
  drop: dropout(0.3),
  fc: linear(256, 10),
});

/** A run that test/golden/resume.py makes too: its data, what a resumed run needs again, and its options. */
export const images = madeUpImages(70, 2);
export const given = {
  model: drawing,
  data: arrays(images),
  transforms: [
    randomCrop(32, { padding: 4 }),
    randomHorizontalFlip(),
    toTensor(),
    normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
  ],
};
export const options = {
  ...given,
  ...{ epochs: 3, batchSize: 16, seed: 5 },
  optimizer: sgd({ learningRate: 0.05, momentum: 0.8, weightDecay: 0.01, nesterov: true }),
};

/** Writes the images and the state to begin with, which it returns, for resume.py. */
export async function written(at) {
  fs.writeFileSync(at('images.u8'), images.inputs);
  fs.writeFileSync(at('labels.u8'), Uint8Array.from(images.labels));
  const init = await createState(drawing, { seed: 0 });
  await saveState(init, at('init.pth'));
  return init;
}

/** Trains in Python from `start` to the end of step `stop` and returns its losses. */
export function trainedInPython(at, start, stop, out, ...flags) {
  const files = ['images', 'labels'].flatMap((name) => [`--${name}`, at(`${name}.u8`)]);
  const run = ['--start', at(start), '--stop', String(stop), '--out', at(out), ...flags];
  const printed = runPython(path.join(root, 'test/golden/resume.py'), [...files, ...run]);
  return printed.trim().split('\n').map(Number);
}

export const lossesOf = ({ losses }) => losses.map(([, , loss]) => loss);

/** A run to its end: its result, and the loss and the learning rates of every step. */
export async function recorded(source, options) {
  const losses = [];
  const rates = [];
  const result = await trainIncremental(source, {
    ...options,
    logEvery: 1,
    onProgress: (event) => {
      if (event.type !== 'log') return;
      losses.push([event.epoch, event.step, event.loss]);
      rates.push(event.learningRates);
    },
  });
  return { ...result, losses, rates };
}

/**
 * The same run, aborted as soon as JavaScript hears of `step`: the checkpoint is of that step or a little later. Where a busy
 * machine lets the run end before, it is run again; with `atEndToo` only where the step was not heard of at all.
 */
export async function stopped(source, options, step, { atEndToo = false } = {}) {
  const before = options.resume && fs.readFileSync(options.resume);
  for (let attempt = 0; attempt < 50; attempt++) {
    if ((await isAborted(source, options, step)) && (atEndToo || !(await isOver(options.checkpoint.path)))) return;
    if (before) fs.writeFileSync(options.resume, before);
  }
  assert.fail(`the run was over each time before step ${step} of it was heard of`);
}

/** Whether a checkpoint is of the end of its run: an abort after the last step comes too late to stop it. */
async function isOver(checkpoint) {
  const { metadata } = await loadState(checkpoint, { key: 'model' });
  return metadata.get('epoch') === metadata.get('options').get('epochs');
}

async function isAborted(source, options, step) {
  const controller = new AbortController();
  let heard = 0;
  try {
    await trainIncremental(source, {
      ...options,
      signal: controller.signal,
      logEvery: 1,
      onProgress: (event) => {
        if (event.type === 'log' && ++heard === step) controller.abort('stopped here');
      },
    });
    return false;
  } catch (reason) {
    if (reason !== 'stopped here') throw reason;
    return true;
  }
}

/** Equal weights, equal losses of the steps that both made, equal history but for its seconds. */
export function assertSameEnd(resumed, whole) {
  assert.ok(resumed.state.equals(whole.state), 'the weights differ');
  assert.deepEqual(resumed.losses, whole.losses.slice(whole.losses.length - resumed.losses.length));
  const withoutSeconds = ({ history }) => history.map(({ seconds: _, ...summary }) => summary);
  assert.deepEqual(withoutSeconds(resumed), withoutSeconds(whole));
  assert.equal(resumed.steps, whole.steps);
}
