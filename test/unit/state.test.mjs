// State as a caller sees it: the description of its tensors, copies, equality, disposal.
import assert from 'node:assert/strict';
import path from 'node:path';
import { inspect } from 'node:util';
import { createState, LearnError, linear, loadState, net, State, saveState, sequential } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';

const golden = (name) => path.join(root, 'test/golden/checkpoints', name);

describe('a State', () => {
  const temporary = temporaryFolder();

  it('lists names, dtypes and shapes in file order, and nobody can change the lists', async () => {
    const state = await loadState(golden('sharing.pth'));
    assert.equal(state.names[0], 'part');
    assert.deepEqual(
      state.tensors.map(({ name }) => name),
      state.names,
    );
    assert.deepEqual(state.tensors[0], { name: 'part', dtype: 'float32', shape: [3, 4] });
    assert.throws(() => state.names.push('more'), TypeError);
    assert.throws(() => state.tensors[0].shape.push(1), TypeError);
  });

  it('gives a tensor in row-major order, whatever its strides are', async () => {
    const state = await loadState(golden('sharing.pth'));
    assert.deepEqual([...state.tensor('part').data], [21, 23, 25, 27, 31, 33, 35, 37, 41, 43, 45, 47]);
    assert.deepEqual([...state.tensor('turned').data.slice(0, 6)], [0, 10, 20, 30, 40, 50]);
    assert.deepEqual([...state.tensor('expanded').data], Array(12).fill(1));
    assert.deepEqual(state.tensor('empty'), { shape: [0, 3], dtype: 'float32', data: new Float32Array() });
    assert.deepEqual(state.tensor('scalar'), { shape: [], dtype: 'int64', data: BigInt64Array.of(7n) });
  });

  it('gives every dtype in a typed array that holds its values or bits', async () => {
    const state = await loadState(golden('dtypes.pth'));
    const arrays = state.tensors.map(({ name, dtype }) => {
      const { data } = state.tensor(name);
      assert.equal(name, dtype);
      return [dtype, data.constructor.name, data.length];
    });
    assert.deepEqual(arrays, [
      ['float64', 'Float64Array', 3],
      ['float32', 'Float32Array', 3],
      ['float16', 'Uint16Array', 3],
      ['bfloat16', 'Uint16Array', 3],
      ['int8', 'Int8Array', 3],
      ['int16', 'Int16Array', 3],
      ['int32', 'Int32Array', 3],
      ['int64', 'BigInt64Array', 3],
      ['uint8', 'Uint8Array', 3],
      ['bool', 'Uint8Array', 3],
      ['complex64', 'Float32Array', 6],
      ['complex128', 'Float64Array', 6],
      ['uint16', 'Uint16Array', 3],
      ['uint32', 'Uint32Array', 3],
      ['uint64', 'BigUint64Array', 3],
      ...['e4m3fn', 'e5m2', 'e4m3fnuz', 'e5m2fnuz', 'e8m0fnu'].map((kind) => [`float8_${kind}`, 'Uint8Array', 3]),
    ]);
    assert.deepEqual([...state.tensor('int16').data], [0x0100, 0x0302, 0x0504]);
    assert.deepEqual([...state.tensor('bool').data], [1, 0, 1]);
  });

  it('gives copies: writing to one changes nothing', async () => {
    const state = await loadState(golden('sharing.pth'));
    state.tensor('out.weight').data.fill(0);
    state.tensor('out.weight').shape.push(1);
    assert.ok(state.equals(await loadState(golden('sharing.pth'))));
  });

  it('takes names for what they are, and refuses those it does not have', async () => {
    const state = await loadState(golden('names.pth'));
    assert.equal(state.tensor('__proto__').data[0], 0);
    assert.equal(state.tensor('constructor').data[0], 1);
    assert.throws(() => state.tensor('hasOwnProperty'), { code: 'ERR_INVALID_OPTION', message: /hasOwnProperty/ });
  });

  it('equals another with the same bits only', async () => {
    const model = sequential({ fc: linear(2, 2) }, { input: [2] });
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => createState(model, { seed })));
    assert.ok(a.equals(b) && b.equals(a));
    assert.ok(!a.equals(c));
    assert.ok(!a.equals(await createState(net(), { seed: 1 })));
    assert.throws(() => a.equals({}), { code: 'ERR_INVALID_OPTION' });
  });

  it('is of use no more after dispose(), which can be called again', async () => {
    const state = await loadState(golden('batch.norm.pth'));
    state.dispose();
    state[Symbol.dispose]();
    const disposed = { code: 'ERR_DISPOSED', name: 'LearnError', message: /disposed/ };
    assert.throws(() => state.tensor('0.weight'), disposed);
    assert.throws(() => state.equals(state), disposed);
    await assert.rejects(saveState(state, temporary('x.pth')), disposed);
    assert.equal(inspect(state), 'State (disposed)');
    assert.equal(state.names[0], '0.weight');
  });

  it('is saved whole although it is disposed while it is being saved', async () => {
    const state = await loadState(golden('batch.norm.pth'));
    const saving = saveState(state, temporary('whole.pth'));
    state.dispose();
    await saving;
    assert.ok((await loadState(temporary('whole.pth'))).equals(await loadState(golden('batch.norm.pth'))));
  });

  it('prints as a short list', async () => {
    const state = await loadState(golden('batch.norm.pth'));
    assert.match(inspect(state), /^State of 9 tensors\n {2}0\.weight: float32 \[4, 3, 3, 3\]\n/);
    assert.ok(inspect(await loadState(golden('names.pth'))).length < 1000);
  });

  it('cannot be made by hand', () => {
    assert.throws(() => new State(), LearnError);
    assert.throws(() => new State({}, new Map()), LearnError);
  });
});
