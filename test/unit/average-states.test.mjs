// The mean of states.
import assert from 'node:assert/strict';
import { averageStates, batchNorm2d, conv2d, createState, linear, merge, State, sequential } from 'torch-incremental';

const model = sequential({ conv: conv2d(3, 4, 3), bn: batchNorm2d(4), fc: linear(4, 2) }, { input: [3, 8, 8] });
const modulesOf = (state) => [...state.metadata.get('_metadata').keys()];
const floats = (...values) => ({ dtype: 'float32', shape: [values.length], data: Float32Array.from(values) });

describe('averageStates', () => {
  it('is the mean in float64, rounded once, for states in any order of names', async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map((seed) => createState(model, { seed })));
    const turned = merge(b.select('fc'), b.without('fc'));
    const mean = await averageStates([a, turned, c]);
    assert.deepEqual(mean.names, a.names);
    for (const name of ['conv.weight', 'fc.bias', 'bn.running_var']) {
      const [x, y, z] = [a, b, c].map((state) => state.tensor(name).data);
      assert.deepEqual(
        mean.tensor(name).data,
        Float32Array.from(x, (value, i) => (value + y[i] + z[i]) / 3),
      );
    }
    assert.deepEqual(modulesOf(mean), modulesOf(a));
  });

  it('takes integers from the last, and averages halves', async () => {
    const at = (count, half) =>
      State.from({
        n: { dtype: 'int64', shape: [], data: BigInt64Array.of(count) },
        h: { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(half) },
      });
    const mean = await averageStates([at(5n, 0x3f80), at(7n, 0x4040)]);
    assert.equal(mean.tensor('n').data[0], 7n);
    assert.equal(mean.tensor('h').data[0], 0x4000, '(1 + 3) / 2');
  });

  it('refuses states of other names, shapes or dtypes by name, and none', async () => {
    const one = State.from({ a: floats(1) });
    const refused = (message, ...others) =>
      assert.rejects(averageStates([one, ...others]), { code: 'ERR_STATE_MISMATCH', message });
    await refused(/states\[1\] has no a,/, State.from({}));
    await refused(/states\[2\] has b, which/, one, State.from({ a: floats(1), b: floats(1) }));
    await refused(/a as float32 \[2\], and the first one as float32 \[1\]/, State.from({ a: floats(1, 2) }));
    await refused(/float64/, State.from({ a: { dtype: 'float64', shape: [1], data: Float64Array.of(1) } }));
    await assert.rejects(averageStates([]), { code: 'ERR_INVALID_OPTION', message: /at least one State/ });
    const gone = State.from({ a: floats(1) });
    gone.dispose();
    await assert.rejects(averageStates([one, gone]), { code: 'ERR_DISPOSED' });
  });
});
