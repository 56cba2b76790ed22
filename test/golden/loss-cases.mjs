// The cases of losses.test.mjs: options, outputs and targets of every loss, and models whose outputs are inputs.
import { arrays } from 'torch-incremental';
import { buildModel } from '../../dist/program/build-model.js';
import { leaf, node, value } from '../../dist/program/module.js';

export const n = 33;
const random = (seed) => {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
};
export const floats = (count, seed, of = (u) => 6 * u - 3) =>
  Float32Array.from(
    { length: count },
    (
      (next) => () =>
        of(next())
    )(random(seed)),
  );
export const sizeOf = (shape) => shape.reduce((product, side) => product * side, 1);

/** An output of random numbers of one shape; `of`: from numbers between 0 and 1. */
const output = (shape, seed = 1, of = undefined) => ({ shape, data: floats(n * sizeOf(shape), seed, of) });
/** Logarithms of probabilities along the first axis. */
const logs = (shape, seed = 1) => output(shape, seed, (u) => Math.log(u * 0.9 + 0.05) - 1);
const target = (kind, shape, seed, of) => ({ kind, shape, data: floats(n * sizeOf(shape), seed, of) });
export const values = (shape, of) => target('values', shape, 7, of);
export const integers = (kind, shape, classes, ignored = undefined) => {
  const next = random(9);
  const data = Int32Array.from({ length: n * sizeOf(shape) }, (_, i) =>
    ignored !== undefined && i % 4 === 1 ? ignored : Math.floor(next() * classes),
  );
  return { kind, shape, data };
};
export const labels = integers('class', [], 7);
export const tokens = (ignored) => integers('tokens', [4], 7, ignored);
const mask = integers('tokens', [3, 2], 7, -100);
const probabilities = values([7], (u) => u / 3.5);
const signs = values([], (u) => (u < 0.5 ? -1 : 1));
export const yes = target('classes', [5], 3, (u) => (u < 0.3 ? 1 : 0));
export const weight = [0.5, 2, 1, 0.25, 3, 1, 0.1];
const [fine, unequal] = [{}, { weight, labelSmoothing: 0.1 }];

/** For each kind: its class, and lists of options, outputs and targets. */
export const cases = {
  crossEntropyLoss: [
    'CrossEntropyLoss',
    ...[fine, { weight }, { labelSmoothing: 0.2 }, { ignoreIndex: 2 }, unequal, { ...unequal, ignoreIndex: 3 }].map(
      (options) => [options, [output([7])], labels],
    ),
    ...[fine, { weight }, unequal].map((options) => [options, [output([7, 4])], tokens(-100)]),
    ...[{ ignoreIndex: 6 }, { ...unequal, ignoreIndex: 255 }].map((options) => [
      options,
      [output([7, 4])],
      tokens(options.ignoreIndex),
    ]),
    [unequal, [output([7, 3, 2])], mask],
    ...[fine, unequal, { reduction: 'sum' }].map((options) => [
      { ...options, classesLast: true },
      [output([4, 7])],
      tokens(-100),
    ]),
    [{ ...unequal, classesLast: true }, [output([3, 2, 7])], mask],
    [{ classesLast: true }, [output([7])], labels],
    ...[fine, { weight }, { labelSmoothing: 0.2 }, unequal].map((options) => [options, [output([7])], probabilities]),
    [fine, [output([7, 4])], values([7, 4], (u) => u)],
  ],
  bceWithLogitsLoss: [
    'BCEWithLogitsLoss',
    ...[fine, { posWeight: [1, 2, 3, 0.5, 4] }, { weight: [1, 2, 3, 0.5, 4] }, { weight: [2], posWeight: 3 }].map(
      (options) => [options, [output([5])], yes],
    ),
    [{ posWeight: [1, 2, 3, 0.5, 4], weight: [1, 0, 3, 0.5, 4] }, [output([5])], values([5], (u) => u)],
    [{ posWeight: 2.5 }, [output([])], values([], (u) => (u < 0.5 ? 0 : 1))],
    [{ posWeight: 2.5 }, [output([1])], values([], (u) => (u < 0.5 ? 0 : 1))],
  ],
  mseLoss: [
    'MSELoss',
    [fine, [output([5])], values([5])],
    [fine, [output([])], values([])],
    [fine, [output([1])], values([])],
  ],
  l1Loss: ['L1Loss', [fine, [output([5])], values([5])], [fine, [output([2, 3, 2])], values([2, 3, 2])]],
  smoothL1Loss: [
    'SmoothL1Loss',
    ...[fine, { beta: 0.3 }, { beta: 0 }].map((options) => [options, [output([5])], values([5])]),
  ],
  huberLoss: ['HuberLoss', ...[fine, { delta: 0.4 }].map((options) => [options, [output([5])], values([5])])],
  nllLoss: [
    'NLLLoss',
    ...[fine, { weight }, { ignoreIndex: 2, weight }].map((options) => [options, [logs([7])], labels]),
    ...[fine, { weight }].map((options) => [options, [logs([7, 4])], tokens(-100)]),
    [{ weight }, [logs([7, 3, 2])], mask],
  ],
  klDivLoss: [
    'KLDivLoss',
    [fine, [logs([7])], probabilities],
    [{ logTarget: true }, [logs([7])], values([7], (u) => Math.log(u + 0.01))],
    [{ reduction: 'batchmean' }, [logs([7])], probabilities],
    [{ reduction: 'batchmean', logTarget: true }, [logs([7])], values([7], (u) => -3 * u)],
  ],
  gaussianNLLLoss: [
    'GaussianNLLLoss',
    ...[fine, { full: true }, { eps: 0.05, full: true }].map((options) => [
      options,
      [output([5]), output([5], 2, (u) => Math.max(0, u - 0.2))],
      values([5]),
    ]),
    [fine, [output([1]), output([1], 2, (u) => u + 0.1)], values([])],
  ],
  poissonNLLLoss: [
    'PoissonNLLLoss',
    ...[fine, { full: true }, { logInput: false, eps: 0.01 }, { logInput: false, full: true }].map((options) => [
      options,
      [output([5], 1, (u) => 2 * u + 0.1)],
      values([5], (u) => Math.floor(6 * u)),
    ]),
  ],
  cosineEmbeddingLoss: [
    'CosineEmbeddingLoss',
    ...[fine, { margin: 0.3 }].map((options) => [options, [output([6]), output([6], 2)], signs]),
  ],
  tripletMarginLoss: [
    'TripletMarginLoss',
    ...[fine, { margin: 2.5, swap: true }, { p: 1, eps: 0 }, { p: 3, eps: 0.01, swap: true }].map((options) => [
      options,
      [output([6]), output([6], 2), output([6], 3)],
      null,
    ]),
  ],
  marginRankingLoss: [
    'MarginRankingLoss',
    ...[fine, { margin: 0.5 }].map((options) => [options, [output([]), output([], 2)], signs]),
    [{ margin: 0.5 }, [output([1]), output([1], 2)], signs],
  ],
};

export const steps = Object.entries(cases).flatMap(([kind, [torch, ...list]]) =>
  list.flatMap(([options, outputs, targets]) =>
    (options.reduction ? [options.reduction] : ['mean', 'sum']).map((reduction) => ({
      ...{ kind, torch, options: { ...options, reduction }, outputs, targets },
    })),
  ),
);

export const nameOf = (i) => `output ${i}`;

/** A model whose outputs are its inputs plus parameters that begin as 0: one step of 1 leaves the gradients in them, with a minus. */
export function offsets(outputs) {
  const parameter = (i, shape) => ({
    ...{ name: `offset${i}`, role: 'parameter', dtype: 'float32', shape: [n, ...shape] },
    init: { kind: 'constant', value: 0 },
  });
  const nodes = outputs.map((_, i) =>
    node('add', 'Tensor', { self: value(`input${i}`), other: value(`offset${i}`) }, nameOf(i)),
  );
  return buildModel(
    'Offsets',
    leaf(
      'Offsets',
      nodes,
      outputs.map(({ shape }, i) => parameter(i, shape)),
    ),
    outputs.map(({ shape }, i) => ({ name: `input${i}`, dtype: 'float32', shape })),
    outputs.map((_, i) => nameOf(i)),
  );
}

export const dataOf = (outputs, targets) =>
  arrays({
    inputs: Object.fromEntries(outputs.map(({ data, shape }, i) => [`input${i}`, { data, shape }])),
    ...(targets && { targets }),
  });
