// Shared by the tests of late labels: a small learner, samples by their numbers, a clock that they set themselves, and a store of
// large samples.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createState, linear, OnlineLearner, relu, sequential, sgd } from 'torch-incremental';
import { headerBytesOf } from '../../dist/online/feedback/form.js';

export const size = 16;
export const classes = 3;
export const model = sequential(
  { hidden: linear(size, 16), relu: relu(), out: linear(16, classes) },
  { input: [size] },
);

/** `count` samples from number `first` on: three classes around three centres. */
export function inputsOf(first, count = 1) {
  return Float32Array.from({ length: count * size }, (_, i) => {
    const index = first + Math.floor(i / size);
    return (index % classes === i % classes ? 1 : 0) + Math.sin(index * 12.9898 + i * 78.233) / 2;
  });
}

export const labelOf = (index) => index % classes;
export const labelsOf = (first, count) => Int32Array.from({ length: count }, (_, i) => labelOf(first + i));

export async function open(dir, options = {}) {
  return OnlineLearner.open({
    ...{
      dir,
      checkpoint: await createState(model, { seed: 1 }),
      model,
      transforms: [],
      optimizer: sgd({ learningRate: 0.05 }),
    },
    ...{ batchSize: 64, maxDelayMs: 0, seed: 1, threads: 1, gate: { every: 1000 } },
    ...options,
  });
}

/** Cross-entropy of logits, in nats. */
export function lossOf(logits, label) {
  const largest = Math.max(...logits);
  return Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0)) + largest - logits[label];
}

/** Runs `use` with a clock that stands still until it is set: Date's, or performance's. */
export async function withClock(use, { of = Date, time = 1_700_000_000_000 } = {}) {
  const { now } = of;
  const clock = { time };
  of.now = () => clock.time;
  try {
    return await use(clock);
  } finally {
    of.now = now;
  }
}

/** What `use` resolves with, and the warnings of lost predictions meanwhile, which are not printed; `use` sees them come. */
export async function warningsDuring(use) {
  const warnings = [];
  const others = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.code === 'WARN_FEEDBACK_LOST') warnings.push(warning.message);
    else for (const listener of others) listener(warning);
  });
  try {
    const result = await use(warnings);
    // They come at a later tick.
    await new Promise(setImmediate);
    return { result, warnings };
  } finally {
    process.removeAllListeners('warning');
    for (const listener of others) process.on('warning', listener);
  }
}

/** The form of records of samples with one input. */
export const formOf = (dtype, values, outputs) => ({ inputs: [{ name: 'input', dtype, values }], outputs });

/** Bytes of the header of this learner's files. */
export const headerBytes = headerBytesOf(formOf('float32', size, classes));

/** The form of samples of 1,000 numbers, and the bytes of a record. */
export const large = formOf('float32', 1000, 2);
export const largeBytes = 16 + 4 * 1002;
export const limits = { ttlMs: 3_600_000, maxBytes: 2 ** 30, memoryBytes: 2 ** 20 };
export const knowsNone = () => false;
/** Of a store whose folder is where it was. */
export const inPlace = { check: async () => {} };

/** Puts large samples, distinct by their numbers from `first` on, into a store. */
export async function rememberLarge(store, first, count) {
  const ids = [];
  for (let i = first; i < first + count; i++) {
    ids.push(...(await store.remember([new Float32Array(1000).fill(i)], Float32Array.of(i, -i))));
  }
  return ids;
}

/** Settles one, and returns its number; undefined where it does not wait. */
export async function joinLarge(store, id) {
  const taken = store.take(id);
  const remembered = taken && (await store.read(taken));
  if (!remembered) return undefined;
  store.settle(taken);
  const [[number]] = remembered.inputs;
  assert.deepEqual(remembered, {
    inputs: [new Float32Array(1000).fill(number)],
    logits: Float32Array.of(number, -number),
  });
  return number;
}

export const filesOf = (dir) => fs.readdirSync(dir).filter((name) => /^(pending|joined)-\d+\.log$/.test(name));
export const bytesOf = (dir) => filesOf(dir).reduce((sum, name) => sum + fs.statSync(path.join(dir, name)).size, 0);

export async function until(condition) {
  while (!condition()) await sleep(1);
}
