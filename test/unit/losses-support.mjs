// Shared by the tests of losses: models of several outputs, data, and a training.
import assert from 'node:assert/strict';
import { arrays, createState, evaluate, linear, node, sequential, value } from 'torch-incremental';
import { buildModel } from '../../dist/program/build-model.js';
import { leaf } from '../../dist/program/module.js';
import { recorded } from './resume-support.mjs';

export const shape = (message) => ({ name: 'LearnError', code: 'ERR_SHAPE', message });
export const option = (message) => ({ name: 'LearnError', code: 'ERR_INVALID_OPTION', message });
export const format = (message) => ({ name: 'LearnError', code: 'ERR_DATA_FORMAT', message });

const rows = { name: 'input', dtype: 'float32', shape: [3] };
const parameter = (name, ...sizes) => ({
  ...{ name, role: 'parameter', dtype: 'float32', shape: sizes },
  init: { kind: 'uniform', bound: 0.5 },
});
const product = (weight, output) => node('linear', '', { input: value('input'), weight: value(weight) }, output);

/** Two outputs of three numbers, and the mean of the first one's squares, which is one number. */
export const twins = buildModel(
  'Twins',
  leaf(
    'Twins',
    [
      product('left', 'near'),
      product('right', 'far'),
      node('square', '', { self: value('near') }, 'squares'),
      node('mean', '', { self: value('squares') }, 'cost'),
    ],
    [parameter('left', 3, 3), parameter('right', 3, 3)],
  ),
  [rows],
  ['near', 'far', 'cost'],
);
/** One number for each sample: [samples]. */
export const scalar = buildModel(
  'Scalar',
  leaf(
    'Scalar',
    [product('weight', 'wide'), node('sum', 'dim_IntList', { self: value('wide'), dim: [1] })],
    [parameter('weight', 2, 3)],
  ),
  [rows],
);
/** Four classes at each of two positions, [samples, 2, 4], as language models return them. */
export const positions = sequential(
  {
    fc: linear(3, 8),
    view: leaf('Unflatten', [node('unflatten', 'int', { self: value('input'), dim: 1, sizes: [2, 4] })]),
  },
  { input: [3] },
);
export const layer = (outputs) => sequential({ fc: linear(3, outputs) }, { input: [3] });

export const n = 6;
export const inputs = { input: { data: Float32Array.from({ length: 3 * n }, (_, i) => Math.sin(i)), shape: [3] } };
export const dataOf = (targets) => arrays({ inputs, ...(targets && { targets }) });
export const numbers = (length, of = (i) => i / 4) => ({ data: Float32Array.from({ length }, (_, i) => of(i)) });
export const labels = { data: Int32Array.from({ length: n }, (_, i) => i % 3) };
export const common = { batchSize: 4, epochs: 1, shuffle: false, threads: 1, seed: 0 };

/** Trains a new state of the model: the loss of every step, and what a training returns. */
export const train = async (model, targets, loss, more) =>
  recorded(await createState(model, { seed: 0 }), { ...common, model, data: dataOf(targets), loss, ...more });
/** Training and evaluating reject alike. */
export const bothReject = async (model, targets, loss, expected) => {
  await assert.rejects(train(model, targets, loss), expected);
  const state = await createState(model, { seed: 0 });
  await assert.rejects(evaluate(state, { model, data: dataOf(targets), loss, threads: 1 }), expected);
};
