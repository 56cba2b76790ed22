// For the tests of exported models: small ones, made without Python, with weights that have a meaning.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadModel, OnlineLearner, State } from 'torch-incremental';
import { archive } from '../pt2/archives.mjs';
import { container, leaf, model, node, ref } from '../pt2/descriptions.mjs';

export const [words, length, classes] = [11, 5, 3];
const flag = (as_bool) => ({ as_bool });

/**
 * Means of the words that a mask keeps, dropped out, and a linear layer: { logits, pooled } of `input_ids` and `attention_mask`. `changes`:
 * of the description.
 */
export const reader = (changes = {}) =>
  model({
    tensors: {
      'words.weight': { role: 'parameter', shape: [words, 4] },
      'fc.weight': { role: 'parameter', shape: [classes, 4] },
      'fc.bias': { role: 'parameter', shape: [classes] },
      shift: { role: 'buffer', shape: [4], persistent: false },
    },
    inputs: {
      input_ids: { dtype: 'int64', shape: ['s0', length] },
      attention_mask: { dtype: 'int64', shape: ['s0', length] },
    },
    kwargs: ['input_ids', 'attention_mask'],
    nodes: [
      node(
        'torch.ops.aten.embedding.default',
        { weight: ref('p_words_weight'), indices: ref('input_ids') },
        'embedding',
      ),
      node('torch.ops.aten.unsqueeze.default', { self: ref('attention_mask'), dim: { as_int: -1 } }, 'column'),
      node('torch.ops.aten.mul.Tensor', { self: ref('embedding'), other: ref('column') }, 'kept'),
      node('torch.ops.aten.sum.dim_IntList', { self: ref('kept'), dim: { as_ints: [1] } }, 'sum_1'),
      node('torch.ops.aten.add.Tensor', { self: ref('sum_1'), other: ref('b_shift') }, 'pooled'),
      node(
        'torch.ops.aten.dropout.default',
        { input: ref('pooled'), p: { as_float: 0.25 }, train: flag(true) },
        'dropped',
      ),
      node(
        'torch.ops.aten.linear.default',
        { input: ref('dropped'), weight: ref('p_fc_weight'), bias: ref('p_fc_bias') },
        'linear',
      ),
    ],
    metas: { linear: { shape: ['s0', classes] }, pooled: { shape: ['s0', 4] } },
    outputs: ['pooled', 'linear'],
    outSpec: container('builtins.dict', ['pooled', 'logits'], leaf, leaf),
    modules: ['', 'words', 'fc'],
    ...changes,
  });

const made = (count, scale) => Float32Array.from({ length: count }, (_, i) => scale * Math.sin(3 * i + 1));

/** Weights of reader(). */
export const weights = () =>
  State.from({
    'words.weight': { dtype: 'float32', shape: [words, 4], data: made(words * 4, 0.5) },
    'fc.weight': { dtype: 'float32', shape: [classes, 4], data: made(classes * 4, 0.3) },
    'fc.bias': { dtype: 'float32', shape: [classes], data: made(classes, 0.1) },
  });

/** Writes an archive of the description, and loads its model. */
export async function exported(file, description = reader()) {
  fs.writeFileSync(file, archive(description));
  return (await loadModel(file)).model;
}

/** Samples of reader(), with the class of each by its first word. */
export function sentences(first, count, size = length) {
  const each = (of) =>
    BigInt64Array.from({ length: count * size }, (_, i) => of(first + Math.floor(i / size), i % size));
  const word = (sample, i) => (sample * 7 + i * 3) % words;
  return {
    inputs: {
      input_ids: each((sample, i) => BigInt(word(sample, i))),
      attention_mask: each((sample, i) => BigInt(i <= sample % size)),
    },
    labels: Array.from({ length: count }, (_, i) => word(first + i, 0) % classes),
    ids: Array.from({ length: count }, (_, i) => first + i),
  };
}

/** Options of the learners of these tests. */
const usual = { batchSize: 4, maxDelayMs: 0, seed: 1, threads: 1 };

/** A learner in `dir`, with the weights of reader() where the options have no other. */
export const openLearner = (dir, options) =>
  OnlineLearner.open({ ...{ dir, checkpoint: weights() }, ...usual, ...options });

/** Learns batches `from` to `to` - 1 of four sentences, an update each. */
export async function learn(learner, from, to) {
  for (let i = from; i < to; i++) assert.equal((await learner.learn(sentences(4 * i, 4))).updates, 1);
}
