import assert from 'node:assert/strict';
import {
  arrays,
  conv2d,
  createState,
  flatten,
  linear,
  net,
  relu,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import native from '../../dist/native/native.js';

describe('the default number of threads', () => {
  const threadsOf = async (model, shape, threads) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const data = arrays({ inputs: new Float32Array(4 * size), labels: [0, 1, 0, 1], shape, classes: 2 });
    const options = { model, data, epochs: 1, seed: 1, device: 'cpu', transforms: [], ...(threads && { threads }) };
    const { state, device } = await trainIncremental(await createState(model), options);
    return { state, threads: device.threads };
  };

  it('is one for a small model, with the weights that two threads give, and an option comes before it', async () => {
    const small = sequential({ a: linear(20, 64), relu: relu(), b: linear(64, 2) });
    const [byDefault, two] = [await threadsOf(small, [20]), await threadsOf(small, [20], 2)];
    assert.deepEqual([byDefault.threads, two.threads], [1, 2]);
    assert.ok(byDefault.state.equals(two.state));
  });

  it('is that of the machine for convolutions and for many parameters', async () => {
    const { threads: machine } = native.native().info();
    const convolutions = sequential({ conv: conv2d(1, 2, 3), flatten: flatten(), fc: linear(72, 2) });
    assert.equal((await threadsOf(convolutions, [1, 8, 8])).threads, machine);
    assert.equal((await threadsOf(sequential({ fc: linear(40_000, 2) }), [40_000])).threads, machine);
    assert.equal((await threadsOf(net(), [3, 32, 32])).threads, machine);
  });
});
