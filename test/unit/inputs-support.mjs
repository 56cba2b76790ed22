// A learner of a model with two inputs, for the tests of samples with names and types.
import { createState, OnlineLearner } from 'torch-incremental';
import { buildModel } from '../../dist/program/build-model.js';
import { leaf, node, value } from '../../dist/program/module.js';

export const vocabulary = 10;
export const words = 5;
export const numbers = 3;
export const classes = 2;

const ids = { name: 'ids', dtype: 'int64', shape: [words] };
const dense = { name: 'dense', dtype: 'float32', shape: [numbers] };

const parameter = (name, ...shape) => ({
  ...{ name, role: 'parameter', dtype: 'float32', shape },
  init: { kind: 'uniform', bound: 0.5 },
});

/** Words, each looked up in a table, and numbers, added. */
const steps = [
  node('embedding', '', { weight: value('table'), indices: value('ids') }, 'words'),
  node('linear', '', { input: value('dense'), weight: value('weight'), bias: value('bias') }, 'numbers'),
];
const tensors = [parameter('table', vocabulary, 4), parameter('weight', 4, numbers), parameter('bias', 4)];

/** Classifies the whole. `inputs`: also in another order. */
export const classifier = (inputs = [ids, dense]) =>
  buildModel(
    'Classifier',
    leaf(
      'Classifier',
      [
        ...steps,
        node('mean', 'dim', { self: value('words'), dim: [1] }, 'text'),
        node('add', 'Tensor', { self: value('text'), other: value('numbers') }, 'sum'),
        node('linear', '', { input: value('sum'), weight: value('out') }),
      ],
      [...tensors, parameter('out', classes, 4)],
    ),
    inputs,
  );

export const swapped = classifier([dense, ids]);

/** Labels every word: [samples, classes, words]. */
export const tagger = buildModel(
  'Tagger',
  leaf(
    'Tagger',
    [
      ...steps,
      node('unsqueeze', '', { self: value('numbers'), dim: 1 }, 'wide'),
      node('add', 'Tensor', { self: value('words'), other: value('wide') }, 'sum'),
      node('linear', '', { input: value('sum'), weight: value('out') }, 'tags'),
      node('transpose', 'int', { self: value('tags'), dim0: 1, dim1: 2 }),
    ],
    [...tensors, parameter('out', classes, 4)],
  ),
  [ids, dense],
);

export async function open(dir, options = {}) {
  const model = options.model ?? classifier();
  return OnlineLearner.open({
    ...{ dir, model, checkpoint: await createState(model, { seed: 1 }), maxDelayMs: 0, batchSize: 4 },
    ...{ seed: 3, threads: 1, ...options },
  });
}

/** Inputs of `count` samples, from number `first` on. */
export const inputsOf = (first, count = 1) => ({
  ids: BigInt64Array.from({ length: words * count }, (_, i) => BigInt((first * 31 + i * 7) % vocabulary)),
  dense: Float32Array.from({ length: numbers * count }, (_, i) => Math.sin(first * 5 + i)),
});

export const labelsOf = (first, count = 1) => Array.from({ length: count }, (_, i) => (first + i) % classes);

export const samples = (first, count = 1) => ({ inputs: inputsOf(first, count), labels: labelsOf(first, count) });
