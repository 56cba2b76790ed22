// For the tests of a learner's folder: a small learner, folders as crashes leave them, and bytes to damage.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createState, linear, OnlineLearner, sequential } from 'torch-incremental';

export const model = sequential({ out: linear(3, 2) }, { input: [3] });

/** The same numbers for the same seed. */
export function randomNumbers(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  next();
  return { next, below: (limit) => Math.floor(next() * limit) };
}

/** Learns from samples of three numbers, one an update. */
export async function open(dir, options = {}) {
  return OnlineLearner.open({
    ...{ dir, model, checkpoint: await createState(model, { seed: 1 }) },
    ...{ transforms: [], batchSize: 1, maxDelayMs: 0, seed: 1, threads: 1 },
    ...options,
  });
}

export const sample = (number) => ({
  inputs: Float32Array.of(Math.sin(number), Math.cos(number), number % 3),
  labels: [number % 2],
  ids: [number],
});

export async function learn(learner, from, to) {
  for (let number = from; number < to; number++) await learner.learn(sample(number));
}

/** What a learner in `dir` is, by its fingerprint and its counts. */
export async function stateOf(dir, options = {}) {
  const learner = await open(dir, options);
  try {
    const { learned, updates } = learner.metrics();
    return { learned, updates, fingerprint: await learner.fingerprint() };
  } finally {
    await learner.close();
  }
}

export const copy = (from, to) => {
  fs.rmSync(to, { recursive: true, force: true });
  fs.cpSync(from, to, { recursive: true });
  return to;
};

export const journalsIn = (dir) =>
  fs
    .readdirSync(dir)
    .filter((name) => /^journal-/.test(name))
    .sort();
export const snapshotsIn = (dir) =>
  fs
    .readdirSync(dir)
    .filter((name) => /^snapshot-/.test(name))
    .sort();

/** All files of a folder but its lock, by name. */
export function contents(dir) {
  const names = fs.readdirSync(dir, { recursive: true }).filter((name) => fs.statSync(path.join(dir, name)).isFile());
  return Object.fromEntries(
    names.filter((name) => name !== 'lock').map((name) => [name, fs.readFileSync(path.join(dir, name), 'latin1')]),
  );
}

/** For journals whose folder stays where it is. */
export const anyPlace = { check: async () => {} };

/** Where the records of a journal file begin, and at last where they end. */
export function recordsIn(file) {
  const bytes = fs.readFileSync(file);
  const offsets = [24];
  while (offsets.at(-1) < bytes.length) offsets.push(offsets.at(-1) + 24 + bytes.readUInt32LE(offsets.at(-1)));
  return offsets;
}

/** Leaves a folder its first snapshot and the first file of its journal, and damages record `number` of that, from 1. */
export function damageFirstJournal(dir, number) {
  for (const name of [...snapshotsIn(dir).slice(1), ...journalsIn(dir).slice(1)]) fs.rmSync(path.join(dir, name));
  const file = path.join(dir, journalsIn(dir)[0]);
  const bytes = fs.readFileSync(file);
  bytes[recordsIn(file)[number - 1] + 30] ^= 1;
  fs.writeFileSync(file, bytes);
}

/**
 * Makes in `dir` what a crash leaves of a learner that was opened `lives` times and learned six samples each: a journal of as many
 * files. Of its snapshots the oldest `keep` are there; with one, all of the journal is needed. Returns its state.
 */
export async function makeLearner(dir, { lives = 4, keep = lives, every = 6, seed = 1 } = {}) {
  const all = { gate: { every }, seed };
  const living = `${dir} living`;
  for (let life = 0; life < lives; life++) {
    const learner = await open(living, all);
    await learn(learner, life * 6, life * 6 + 6);
    if (life === lives - 1) copy(living, dir);
    await learner.close();
  }
  fs.rmSync(living, { recursive: true });
  for (const name of snapshotsIn(dir).slice(keep)) fs.rmSync(path.join(dir, name));
  const state = await stateOf(copy(dir, `${dir} living`));
  fs.rmSync(living, { recursive: true });
  return state;
}

/** Opening fails and says at which byte of which file; returns that byte. */
export async function rejectsWithByte(dir, name) {
  let message;
  await assert.rejects(open(dir), (error) => {
    assert.equal(error.name, 'LearnError', error.stack);
    assert.equal(error.code, 'ERR_JOURNAL', error.message);
    ({ message } = error);
    return true;
  });
  const said =
    /^(.*) is damaged at byte (\d+): (.*)\. See what a repair would lose with: npx torch-incremental repair /.exec(
      message,
    );
  assert.ok(said, message);
  assert.equal(said[1], path.join(dir, name), message);
  return { byte: Number(said[2]), reason: said[3] };
}

/** The warnings that `work` emits, by their codes. */
export async function warningsOf(work) {
  const codes = [];
  const note = ({ code }) => codes.push(code);
  process.on('warning', note);
  try {
    await work();
    await new Promise(setImmediate);
  } finally {
    process.off('warning', note);
  }
  return codes;
}
