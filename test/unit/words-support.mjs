// Shared by tests of samples with two inputs: a model of words and numbers, and samples for it.
import { buildModel } from '../../dist/program/build-model.js';
import { leaf, node, value } from '../../dist/program/module.js';

export const classes = 3;
const uniform = { kind: 'uniform', bound: 0.5 };
const parameter = (name, shape) => ({ name, role: 'parameter', dtype: 'float32', shape, init: uniform });
const inputs = [
  { name: 'ids', dtype: 'int64', shape: [4] },
  { name: 'dense', dtype: 'float32', shape: [2] },
];

/** Embeds four words, appends two numbers, and has an output for each of `outputs`, in that shape. */
export function modelWith(outputs) {
  const size = outputs.reduce((product, side) => product * side, 1);
  const steps = [
    node('embedding', '', { weight: value('words'), indices: value('ids') }, 'embedded'),
    node('flatten', 'using_ints', { self: value('embedded'), start_dim: 1 }, 'flat'),
    node('cat', '', { tensors: [value('flat'), value('dense')], dim: 1 }, 'features'),
    node('linear', '', { input: value('features'), weight: value('weight'), bias: value('bias') }, 'flatOutput'),
    node('reshape', '', { self: value('flatOutput'), shape: [-1, ...outputs] }),
  ];
  const tensors = [parameter('words', [10, 3]), parameter('weight', [size, 14]), parameter('bias', [size])];
  return buildModel('Words', leaf('Words', steps, tensors), inputs);
}

/** `count` samples from number `first` on. */
export const samples = (first, count) => ({
  ids: BigInt64Array.from({ length: 4 * count }, (_, i) => BigInt((7 * (4 * first + i)) % 10)),
  dense: Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(2 * first + i)),
});
