// States of models in which a tensor has several names: a file may leave out all names but one.
import assert from 'node:assert/strict';
import { arrays, mseLoss, predict, State, trainIncremental } from 'torch-incremental';

const tied = {
  name: 'Tied',
  program: {
    inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
    parameters: [{ name: 'a', dtype: 'float32', shape: [2, 2], ties: ['b', 'c'] }],
    buffers: [],
    nodes: [
      {
        ...{ op: 'aten::linear', overload: '', args: { input: { value: 'x' }, weight: { value: 'a' } } },
        outputs: ['output'],
      },
    ],
    ...{ outputs: ['output'], exported: true },
  },
  tensors: ['a', 'b', 'c'].map((name) => ({ name, dtype: 'float32', shape: [2, 2] })),
  modules: [['', 1]],
};
const stateOf = (...names) =>
  State.from(
    Object.fromEntries(
      names.map((name) => [name, { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]),
    ),
  );

describe('a state of a model with a tensor of several names', () => {
  it('fits with any of them, and is returned with all', async () => {
    for (const names of [['a'], ['b'], ['c'], ['b', 'c'], ['a', 'b', 'c']]) {
      const state = stateOf(...names);
      const { logits } = await predict(state, Float32Array.of(1, 1), { model: tied });
      assert.deepEqual([...logits], [3, 7], names.join());
      const data = arrays({
        inputs: { x: { data: Float32Array.of(1, 1), shape: [2] } },
        targets: { kind: 'values', data: new Float32Array(2), shape: [2] },
      });
      const trained = await trainIncremental(state, { model: tied, data, loss: mseLoss(), epochs: 1, batchSize: 1 });
      assert.deepEqual(
        trained.state.tensors.map(({ name }) => name),
        ['a', 'b', 'c'],
      );
    }
  });

  it('is refused without all of them, and where they differ', async () => {
    const code = 'ERR_STATE_MISMATCH';
    const other = { dtype: 'float32', shape: [2, 2], data: new Float32Array(4) };
    const of = (state) => predict(state, Float32Array.of(1, 1), { model: tied });
    await assert.rejects(of(State.from({})), { code, message: /Missing: a \[2, 2\], b \[2, 2\], c \[2, 2\]/ });
    await assert.rejects(of(stateOf('b').with({ c: other })), { code, message: /"a" and "c" are one tensor/ });
  });
});
