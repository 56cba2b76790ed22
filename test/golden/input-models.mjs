// Models of several inputs as trees of modules, and their samples, for inputs.test.mjs. inputs.py has the same models.
import { conv2d, linear } from 'torch-incremental';
import { buildModel } from '../../dist/program/build-model.js';
import { leaf, node, value } from '../../dist/program/module.js';

const embedding = (words, size) =>
  leaf(
    'Embedding',
    [node('embedding', '', { weight: value('weight'), indices: value('input') })],
    [
      {
        ...{ name: 'weight', role: 'parameter', dtype: 'float32', shape: [words, size] },
        init: { kind: 'uniform', bound: 1 },
      },
    ],
  );

const root = (type, children, steps) => ({
  ...{ type, version: 1, tensors: [], children: Object.entries(children), steps },
});

const ids = { name: 'ids', dtype: 'int64', shape: [5] };

/** ids [5] int64 and dense [3] float32 to four classes. */
export const text = buildModel(
  'Text',
  root('Text', { embedding: embedding(50, 6), fc: linear(9, 4) }, [
    { module: 'embedding', input: 'ids', output: 'embedded' },
    node('mean', 'dim', { self: value('embedded'), dim: [1] }, 'pooled'),
    node('cat', '', { tensors: [value('pooled'), value('dense')], dim: 1 }, 'joined'),
    { module: 'fc', input: 'joined', output: 'output' },
  ]),
  [ids, { name: 'dense', dtype: 'float32', shape: [3] }],
);

/** ids [5] int64 to one of five classes for each of them: [n, 5 classes, 5]. */
export const tokens = buildModel(
  'Tokens',
  root('Tokens', { embedding: embedding(50, 6), fc: linear(6, 5) }, [
    { module: 'embedding', input: 'ids', output: 'embedded' },
    { module: 'fc', input: 'embedded', output: 'scores' },
    node('transpose', 'int', { self: value('scores'), dim0: 1, dim1: 2 }),
  ]),
  [ids],
);

/** [7] float32 to four classes. */
export const table = buildModel(
  'Table',
  root('Table', { fc: linear(7, 4) }, [{ module: 'fc', input: 'input', output: 'output' }]),
  [{ name: 'input', dtype: 'float32', shape: [7] }],
);

/** Two images through a convolution each, and meta [2] float32, to three classes. */
export const photo = buildModel(
  'Photo',
  root('Photo', { image_conv: conv2d(3, 4, 3), mask_conv: conv2d(1, 4, 3), fc: linear(146, 3) }, [
    { module: 'image_conv', input: 'image', output: 'first' },
    { module: 'mask_conv', input: 'mask', output: 'second' },
    node('add', 'Tensor', { self: value('first'), other: value('second') }, 'both'),
    node('relu', '', { self: value('both') }, 'bright'),
    node('flatten', 'using_ints', { self: value('bright'), start_dim: 1 }, 'flat'),
    node('cat', '', { tensors: [value('flat'), value('meta')], dim: 1 }, 'joined'),
    { module: 'fc', input: 'joined', output: 'output' },
  ]),
  [
    { name: 'image', dtype: 'float32', shape: [3, 8, 8] },
    { name: 'meta', dtype: 'float32', shape: [2] },
    { name: 'mask', dtype: 'float32', shape: [1, 8, 8] },
  ],
);
