// Choosing a device: what is said where a GPU cannot be had, and what of a GPU reaches the result. GPUs are made up
// here; real ones are for test/cuda/.
import assert from 'node:assert/strict';
import { createState, evaluate, net, predict, trainIncremental } from 'torch-incremental';
import { afterTraining, chooseDevice, planDevice } from '../../dist/native/device.js';
import { native } from '../../dist/native/native.js';
import { data } from './resume-support.mjs';

/** As if libtorch had CUDA and found this. */
async function withDevices(found, use) {
  const addon = native();
  const { info, findDevices } = addon;
  addon.info = () => ({ ...info(), cuda: true });
  addon.findDevices = async () => ({ devices: [], problem: '', tf32Convolutions: true, tf32Matmuls: false, ...found });
  try {
    return await use();
  } finally {
    Object.assign(addon, { info, findDevices });
  }
}

const two = { devices: ['A', 'B'].map((name) => ({ name, memoryBytes: 1e9, capability: '9.0' })) };
const noDriver = { problem: 'there is no NVIDIA driver (libcuda.so.1); install it, or give the container its GPUs' };

describe('devices', () => {
  it('are refused, saying how to come by a libtorch with CUDA, where it has none', async function () {
    if (native().info().cuda) this.skip();
    const state = await createState(net(), { seed: 0 });
    const refused = {
      code: 'ERR_DEVICE',
      message:
        /'cuda:1': this libtorch is built without CUDA\. Install a build .*TORCH_INCREMENTAL_LIBTORCH .*'cpu' or 'auto'/s,
    };
    await assert.rejects(trainIncremental(state, { data, device: 'cuda:1' }), refused);
    await assert.rejects(evaluate(state, { data, device: 'cuda:1' }), refused);
    await assert.rejects(predict(state, new Uint8Array(3072), { device: 'cuda:1' }), refused);
    const { device } = await trainIncremental(state, { data, epochs: 1, seed: 0 });
    assert.deepEqual([device.type, device.reason], ['cpu', 'this libtorch is built without CUDA']);
  });

  it('are refused, saying what is wrong, where there is no GPU', async () => {
    await withDevices(noDriver, async () => {
      await assert.rejects(chooseDevice('cuda'), {
        code: 'ERR_DEVICE',
        message: /'cuda': there is no NVIDIA driver .* Until that is mended, use device: 'cpu' or 'auto'/,
      });
      const { type, reason } = await chooseDevice('auto');
      assert.deepEqual([type, reason], ['cpu', noDriver.problem]);
    });
  });

  it('are refused, naming those that are there, where the index is too high', async () => {
    await withDevices(two, () =>
      assert.rejects(chooseDevice('cuda:2'), {
        code: 'ERR_DEVICE',
        message: /'cuda:2': there are cuda:0 \(A\), cuda:1 \(B\)\. CUDA_VISIBLE_DEVICES/,
      }),
    );
  });

  it('that do not work are refused, saying why, and not taken by auto', async () => {
    const problem = 'This libtorch has no code for this kind of GPU: …. libtorch says: CUDA error: no kernel image.';
    await withDevices({ ...two, problem }, async () => {
      await assert.rejects(chooseDevice('cuda'), { code: 'ERR_DEVICE', message: /'cuda': This libtorch has no code/ });
      assert.deepEqual(await chooseDevice('auto').then(({ type, reason }) => [type, reason]), ['cpu', problem]);
    });
  });

  it('are taken by name, or the first one by auto, which says so', async () => {
    await withDevices(two, async () => {
      const named = await chooseDevice('cuda:1', 3);
      assert.deepEqual(
        [named.type, named.index, named.name, named.reason, named.threads],
        ['cuda', 1, 'B', 'asked for', 3],
      );
      assert.deepEqual(named.precision, { convolutions: 'tf32', matmuls: 'fp32' });
      assert.equal(planDevice(named), 'cuda:1');
      const found = await chooseDevice('auto');
      assert.deepEqual([found.index, found.reason], [0, 'the first of 2 that libtorch sees']);
      assert.equal((await chooseDevice('cpu')).type, 'cpu');
    });
  });

  it('say after training whether there were graphs, and why not', async () => {
    const device = await withDevices(two, () => chooseDevice('cuda'));
    assert.deepEqual(afterTraining(device, '').graphs, { captured: true });
    assert.deepEqual(afterTraining(device, 'too odd').graphs, { captured: false, reason: 'too odd' });
  });

  it('that no libtorch has are an ERR_DEVICE of the addon too', async function () {
    if (native().info().cuda) this.skip();
    const state = await createState(net(), { seed: 0 });
    await withDevices(two, async () => {
      const expected = { code: 'ERR_DEVICE', message: /cuda:1 is not: this libtorch is built without CUDA/ };
      await assert.rejects(trainIncremental(state, { data, device: 'cuda:1' }), expected);
      await assert.rejects(evaluate(state, { data, device: 'cuda:1' }), expected);
    });
  });

  it('are looked for by the addon, which says why there are none', async function () {
    if (native().info().cuda) this.skip();
    assert.deepEqual(
      await native()
        .findDevices(0)
        .then(({ devices, problem }) => [devices, problem]),
      [[], 'this libtorch is built without CUDA'],
    );
  });
});
