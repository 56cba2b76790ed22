// Training on a GPU: agrees with the CPU, the same with graphs and without, resumes anywhere, and survives errors.
import assert from 'node:assert/strict';
import {
  adaptiveAvgPool2d,
  arrays,
  conv2d,
  createState,
  dropout,
  evaluate,
  flatten,
  linear,
  net,
  predict,
  relu,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { closeStates } from '../unit/device-support.mjs';
import { drawing, recorded, stopped } from '../unit/resume-support.mjs';
import { needsCuda, tf32Close } from './support.mjs';

const images = madeUpImages(1003);
const data = arrays(images);
const quick = { data, epochs: 3, batchSize: 16, seed: 1 };
const onCpu = { ...quick, device: 'cpu' };
const onCuda = { ...quick, device: 'cuda' };

/** Without convolutions nothing is rounded to TF32. */
const dense = sequential({ flatten: flatten(), hidden: linear(3072, 64), relu: relu(), fc: linear(64, 10) });
/** The same, but PyTorch's dropout draws, so that steps are not captured; with p = 1e-12 it drops nothing. */
const uncaptured = sequential({
  flatten: flatten(),
  hidden: linear(3072, 64),
  relu: relu(),
  drop: dropout(1e-12),
  fc: linear(64, 10),
});

describe('training on a GPU', () => {
  const file = temporaryFolder();
  let state;
  before(async function () {
    await needsCuda(this);
    state = await createState(net(), { seed: 0 });
  });

  it('is what auto takes, and the result says so', async () => {
    const { device } = await trainIncremental(state, { ...quick, epochs: 1 });
    assert.equal(device.type, 'cuda');
    assert.equal(device.index, 0);
    assert.ok(device.name.length > 0 && device.reason.length > 0);
    assert.deepEqual(device.precision, { convolutions: 'tf32', matmuls: 'fp32' });
    assert.deepEqual(device.graphs, { captured: true });
  });

  it('has the losses of the CPU to within TF32, with the last smaller batch, over epochs', async () => {
    const [cpu, cuda] = [await recorded(state, onCpu), await recorded(state, onCuda)];
    assert.equal(cuda.losses.length, cpu.losses.length);
    for (const [i, [epoch, step, loss]] of cpu.losses.entries()) {
      assert.deepEqual(cuda.losses[i].slice(0, 2), [epoch, step]);
      assert.ok(tf32Close(loss, cuda.losses[i][2]), `${epoch}.${step}: ${loss}, ${cuda.losses[i][2]}`);
    }
    assert.ok(closeStates(cpu.state, cuda.state, 5e-3));
  });

  it('has the losses of the CPU to within float32 where there are no convolutions', async () => {
    const begin = await createState(dense, { seed: 0 });
    const [cpu, cuda] = [
      await recorded(begin, { ...onCpu, model: dense }),
      await recorded(begin, { ...onCuda, model: dense }),
    ];
    for (const [i, [, , loss]] of cpu.losses.entries()) {
      assert.ok(Math.abs(loss - cuda.losses[i][2]) <= 1e-4 * Math.abs(loss), `${i}: ${loss}, ${cuda.losses[i][2]}`);
    }
  });

  it('trains in fast mode what the CPU trains in exact mode: in contracted form, layer by layer and in bfloat16', async () => {
    const cpu = await trainIncremental(state, onCpu);
    for (const [way, tolerance] of [
      [{}, 5e-3],
      [{ contractLinear: false }, 5e-3],
      [{ precision: 'bf16' }, 2e-2],
    ]) {
      const { state: trained, device, contracted } = await trainIncremental(state, { ...onCuda, mode: 'fast', ...way });
      assert.deepEqual(device.graphs, { captured: true });
      const chain = ['fc.weight', 'conv2.weight', 'conv1.weight'];
      assert.deepEqual([...contracted].sort(), Object.keys(way).length === 0 ? chain.sort() : []);
      assert.ok(closeStates(cpu.state, trained, tolerance), JSON.stringify(way));
    }
  });

  it('resumes in fast mode from a checkpoint of exact mode, and the other way round', async () => {
    const path = file('modes.ckpt');
    const whole = await trainIncremental(state, onCuda);
    for (const [first, second] of [
      ['exact', 'fast'],
      ['fast', 'exact'],
    ]) {
      await stopped(state, { ...onCuda, mode: first, checkpoint: { path, every: 10 } }, 75);
      const resumed = await trainIncremental('', { data, resume: path, mode: second, device: 'cuda' });
      assert.ok(closeStates(whole.state, resumed.state, 5e-3));
    }
  });

  it('gives the bits with graphs that it gives without', async () => {
    const options = { ...onCuda, logEvery: 20 };
    const begin = await createState(dense, { seed: 0 });
    const graphs = await trainIncremental(begin, { ...options, model: dense });
    const eager = await trainIncremental(begin, { ...options, model: uncaptured });
    assert.deepEqual(graphs.device.graphs, { captured: true });
    assert.deepEqual(eager.device.graphs, { captured: false, reason: 'the model draws random numbers in training' });
    assert.ok(graphs.state.equals(eager.state));
  });

  it('trains batch norm and dropout, the same again for the same seed', async () => {
    const begin = await createState(drawing, { seed: 0 });
    const run = () => trainIncremental(begin, { ...onCuda, model: drawing });
    const [a, b] = [await run(), await run()];
    assert.equal(a.state.tensor('bn.num_batches_tracked').data[0], BigInt(a.steps));
    // Kernels of convolutions may add in any order, so not bit for bit.
    assert.ok(closeStates(a.state, b.state, 1e-3));
  });

  it('resumes from a checkpoint of the GPU on the CPU, and the other way round', async () => {
    for (const [first, second] of [
      [onCuda, 'cpu'],
      [onCpu, 'cuda'],
    ]) {
      const path = file('moved.ckpt');
      const whole = await recorded(state, first);
      await stopped(state, { ...first, checkpoint: { path, every: 10 } }, 75);
      const resumed = await recorded('', { data, resume: path, device: second });
      assert.ok(resumed.losses.length > 0);
      for (const [epoch, step, loss] of resumed.losses) {
        const expected = whole.losses.find(([e, s]) => e === epoch && s === step)[2];
        assert.ok(tf32Close(expected, loss), `${epoch}.${step}: ${expected}, ${loss}`);
      }
    }
  });

  it('returns states of the CPU, which evaluate and predict take on either device', async () => {
    const { state: trained } = await trainIncremental(state, { ...onCuda, epochs: 1 });
    const [cpu, cuda] = [
      await evaluate(trained, { data, device: 'cpu' }),
      await evaluate(trained, { data, device: 'cuda' }),
    ];
    assert.ok(tf32Close(cpu.loss, cuda.loss));
    assert.ok(Math.abs(cpu.accuracy - cuda.accuracy) < 0.02);
    const few = images.inputs.subarray(0, 5 * 3072);
    const logits = await Promise.all(['cpu', 'cuda'].map((device) => predict(trained, few, { device })));
    const largest = Math.max(...logits[0].logits.map(Math.abs));
    for (const [i, value] of logits[0].logits.entries()) {
      assert.ok(Math.abs(value - logits[1].logits[i]) <= 5e-3 * largest);
    }
  });

  it('runs beside other runs', async () => {
    const alone = await trainIncremental(await createState(dense, { seed: 0 }), { ...onCuda, model: dense });
    const begin = await createState(dense, { seed: 0 });
    const together = await Promise.all([1, 2, 3].map(() => trainIncremental(begin, { ...onCuda, model: dense })));
    // cuBLAS promises the same bits only where one stream computes.
    for (const { state: trained } of together) assert.ok(closeStates(trained, alone.state, 1e-4));
  });

  it('stops at an abort within a moment', async () => {
    const controller = new AbortController();
    const run = trainIncremental(state, {
      ...onCuda,
      optimizer: sgd({ learningRate: 1e-6 }),
      epochs: 100_000,
      signal: controller.signal,
    });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const start = performance.now();
    controller.abort('enough');
    await assert.rejects(run, (reason) => reason === 'enough');
    assert.ok(performance.now() - start < 10_000);
  });

  it('names the step at which the loss stopped being a number', async () => {
    await assert.rejects(trainIncremental(state, { ...onCuda, optimizer: sgd({ learningRate: 1e30 }) }), {
      code: 'ERR_NOT_FINITE',
      message: /The loss became .* at epoch 1, step \d+\./,
    });
  });

  it('refuses an index that is too high, naming what is there', async () => {
    await assert.rejects(trainIncremental(state, { ...quick, device: 'cuda:99' }), {
      code: 'ERR_DEVICE',
      message: /'cuda:99': there are cuda:0 \(/,
    });
  });

  it('survives running out of the memory of the GPU', async () => {
    const huge = sequential({
      conv: conv2d(3, 60_000, 1),
      pool: adaptiveAvgPool2d(1),
      flat: flatten(),
      fc: linear(60_000, 10),
    });
    const begin = await createState(huge, { seed: 0 });
    await assert.rejects(trainIncremental(begin, { ...onCuda, model: huge, batchSize: 1000 }), {
      code: 'ERR_OUT_OF_MEMORY',
      message: /too little free memory\. Use a smaller batchSize/,
    });
    const { device } = await trainIncremental(state, { ...onCuda, epochs: 1 });
    assert.equal(device.type, 'cuda');
  });
});
