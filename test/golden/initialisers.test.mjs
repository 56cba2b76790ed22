// Initialisers against torch.nn.init: a state of tensors that are drawn in one order from one generator has PyTorch's bits.
import assert from 'node:assert/strict';
import path from 'node:path';
import { createState, loadState, node, sequential, value } from 'torch-incremental';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const parameter = (name, shape, init) => ({ name, role: 'parameter', dtype: 'float32', shape, init });
const normal = (mean, deviation) => ({ kind: 'normal', mean, deviation });
const truncated = (deviation, low, high, mean = 0) => ({ kind: 'truncatedNormal', mean, deviation, low, high });
const zero = { kind: 'constant', value: 0 };
const table = [
  node('arange', '', { end: 10 }, 'numbers'),
  node('mul', 'Tensor', { self: value('numbers'), other: 0.3 }, 'angles'),
  node('sin', '', { self: value('angles') }, 'sines'),
  node('reshape', '', { self: value('sines'), shape: [2, 5] }),
];
const alias = [node('alias', '', { self: value('input') })];

/** A model whose only layer has these tensors, and draws those of `draws` after them. */
function holder(tensors, draws) {
  const layer = { type: 'Holder', version: 1, tensors, children: [], steps: alias, ...(draws && { draws }) };
  return { ...sequential({ layer }) };
}

const tensors = [
  parameter('normal', [33, 7], normal(0.5, 0.02)),
  parameter('small', [5], normal(0, 1)),
  parameter('uniform', [40], { kind: 'uniform', bound: 0.3 }),
  parameter('inside', [50, 20], truncated(0.02, -2, 2)),
  parameter('cut', [60, 9], truncated(1, -0.5, 2)),
  parameter('density', [60, 9], truncated(2, 2.5, 4, 0.5)),
  parameter('narrow', [17], truncated(3, -0.1, 0.2)),
  parameter('embedding', [6, 4], normal(0, 1)),
  parameter('table', [2, 5], { kind: 'computed', nodes: table }),
  parameter('copied', [33, 7], zero),
  parameter('again', [4], { kind: 'uniform', bound: 1 }),
];
const draws = [
  { tensor: 'embedding', init: { kind: 'constant', value: 0, row: 2 } },
  { tensor: 'copied', init: { kind: 'copy', tensor: 'normal' } },
  { tensor: 'again', init: normal(0, 3) },
];

describe('initialisers', () => {
  const at = temporaryFolder();

  for (const seed of [0, 7, 123456])
    it(`draw what torch.nn.init draws, with seed ${seed}`, async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      runPython(path.join(root, 'test/golden/initialisers.py'), [at('state.pth'), String(seed)]);
      const theirs = await loadState(at('state.pth'));
      const ours = await createState(holder(tensors, draws), { seed });
      for (const { name } of tensors)
        assert.deepEqual(ours.tensor(`layer.${name}`).data, theirs.tensor(name).data, name);
    });

  const wrong = {
    'a deviation of 0': [normal(0, 0), /positive number for "deviation"/],
    'limits in the wrong order': [truncated(1, 2, -2), /Expected limits around the mean/],
    'limits that nothing ever reaches': [truncated(1e-9, 1, 2), /Expected limits around the mean/],
    'a row that the tensor does not have': [{ kind: 'constant', value: 0, row: 4 }, /"layer\.a" has no row 4/],
    'no such kind': [{ kind: 'magic' }, /no initialiser "magic"/],
    'a table of another shape': [{ kind: 'computed', nodes: table }, /A computed tensor is .*\[2, 5\] instead of/],
    'a table that is drawn': [
      { kind: 'computed', nodes: [node('rand', '', { size: [4] })] },
      /aten::rand.*not in the list|draws random numbers/,
    ],
    'operators that do not exist': [{ kind: 'computed', nodes: [node('nonsense', '', {})] }, /nonsense/],
    'a copy of a tensor that does not exist': [
      { kind: 'copy', tensor: 'b' },
      /initialises "layer\.b", which it does not have/,
    ],
  };
  for (const [name, [init, message]] of Object.entries(wrong))
    it(`are refused with ${name}`, async () => {
      const make = async () => createState(holder([parameter('a', [4], init)], [{ tensor: 'a', init }]));
      await assert.rejects(make, { name: 'LearnError', message });
    });

  it('of floats alone are drawn', async () => {
    const integers = [{ ...parameter('a', [4], normal(0, 1)), dtype: 'int64' }];
    await assert.rejects(createState(holder(integers)), { code: 'ERR_INVALID_OPTION', message: /integers/ });
  });
});
