// Batch norm needs more than one value a channel; and no checkpoint or result holds a NaN that the given state did not hold.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  adaptiveAvgPool2d,
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  linear,
  loadState,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { inDeviceLoop } from './device-support.mjs';

/** Batch norm over maps of 1x1 pixels. */
const pooled = (...before) =>
  sequential([conv2d(1, 4, 2), adaptiveAvgPool2d(1), ...before, batchNorm2d(4), flatten(), linear(4, 2)], {
    input: [1, 2, 2],
  });
const samples = (count, shape = [1, 2, 2]) =>
  arrays({
    inputs: Float32Array.from({ length: count * shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
    labels: Array.from({ length: count }, (_, i) => i % 2),
    shape,
  });
const lack = 'Expected more than 1 value per channel when training, got input size [1, 4, 1, 1]';

describe('batch norm with one value a channel', () => {
  const folder = temporaryFolder();

  const usual = (use) => use();
  for (const [what, run, inLoop = usual] of [
    ['exact', {}],
    ['fast', { mode: 'fast' }],
    ['bf16', { mode: 'fast', precision: 'bf16' }],
    ['in the loop for devices', {}, inDeviceLoop],
  ]) {
    it(`is refused before training starts: a lone last sample, ${what}`, async () => {
      const model = pooled();
      const state = await createState(model);
      const path = folder(`${what}.ckpt`);
      let steps = 0;
      const training = inLoop(() =>
        trainIncremental(state, {
          ...{ model, data: samples(65), epochs: 1, threads: 1, checkpoint: { path, every: 1 }, ...run },
          onProgress: () => steps++,
        }),
      );
      await assert.rejects(training, ({ code, message }) => {
        assert.equal(code, 'ERR_SHAPE');
        assert.ok(message.startsWith(lack), message);
        assert.match(message, /\(2\): the last batch of 65 samples in batches of 64 has 1\. Set dropLast: true/);
        return true;
      });
      assert.equal(steps, 0);
      assert.ok(!fs.existsSync(path));
    });
  }

  it('is refused with batches of one, for which dropLast is no remedy', async () => {
    const model = pooled();
    const state = await createState(model);
    for (const [data, batchSize] of [
      [samples(4), 1],
      [samples(1), 64],
    ]) {
      const training = trainIncremental(state, { model, data, batchSize, epochs: 1, threads: 1 });
      await assert.rejects(training, { code: 'ERR_SHAPE', message: /has 1\. Use another batchSize, or larger inputs/ });
    }
  });

  it('is refused after layers that train and evaluate in different ways', async () => {
    const model = pooled(dropout(0.5));
    const training = trainIncremental(await createState(model), { model, data: samples(3), batchSize: 2, epochs: 1 });
    await assert.rejects(training, { code: 'ERR_SHAPE', message: /Set dropLast: true/ });
  });

  it('is refused within a step where only the step can find it', async () => {
    const model = structuredClone(pooled());
    // A value that there is in training alone, which nothing knows before.
    const [at] = [...model.program.nodes.entries()].find(([, { op }]) => op === 'aten::batch_norm');
    const norm = model.program.nodes[at];
    const hidden = {
      op: 'aten::alias',
      overload: '',
      args: { self: norm.args.input },
      outputs: ['hidden'],
      only: 'training',
    };
    const training = { ...norm, args: { ...norm.args, input: { value: 'hidden' } }, only: 'training' };
    model.program.nodes.splice(at, 1, hidden, training, { ...norm, only: 'evaluation' });
    const state = await createState(pooled());
    const path = folder('within.ckpt');
    for (const inLoop of [(use) => use(), inDeviceLoop]) {
      const run = inLoop(() =>
        trainIncremental(state, { model, data: samples(65), epochs: 1, threads: 1, checkpoint: { path } }),
      );
      await assert.rejects(
        run,
        ({ code, message }) => code === 'ERR_SHAPE' && message.startsWith(`${lack} in the layer`),
      );
      assert.ok(!fs.existsSync(path));
    }
  });

  it('does not happen with dropLast, with more pixels, or with two samples', async () => {
    const model = pooled();
    const state = await createState(model);
    const run = { epochs: 1, threads: 1, seed: 1 };
    await trainIncremental(state, { ...run, model, data: samples(65), dropLast: true });
    await trainIncremental(state, { ...run, model, data: samples(66) });
    const wide = sequential([conv2d(1, 4, 1), batchNorm2d(4), flatten(), linear(16, 2)], { input: [1, 2, 2] });
    const { state: trained } = await trainIncremental(await createState(wide), {
      ...run,
      model: wide,
      data: samples(65),
    });
    assert.ok([...trained.tensor('1.running_var').data].every(Number.isFinite));
  });
});

describe('a NaN', () => {
  const folder = temporaryFolder();
  // Its running mean becomes infinite, while what it normalises, and so the loss, stays finite.
  const model = sequential([batchNorm2d(1), flatten(), linear(4, 2)], { input: [1, 2, 2] });
  const data = samples(8);
  const run = { model, data, epochs: 2, batchSize: 4, threads: 1, seed: 1 };

  /** A state whose running mean overflows when a batch is added to it. */
  async function overflowing() {
    const state = await createState(model, { seed: 1 });
    await saveState(state, folder('s.pth'));
    const large = structuredClone(model);
    const norm = large.program.nodes.find(({ op }) => op === 'aten::batch_norm');
    norm.args.momentum = 3e38;
    return { state, large };
  }

  for (const [mode, inLoop] of [
    ['exact', (use) => use()],
    ['fast', (use) => use()],
    ['exact', inDeviceLoop],
  ]) {
    it(`in a buffer ends the training, and reaches no checkpoint: ${mode}${inLoop === inDeviceLoop ? ', in the loop for devices' : ''}`, async () => {
      const { state, large } = await overflowing();
      const path = folder(`${mode}.ckpt`);
      await trainIncremental(state, { ...run, mode, epochs: 1, checkpoint: { path } });
      const good = fs.readFileSync(path);
      const training = inLoop(() => trainIncremental(state, { ...run, mode, model: large, checkpoint: { path } }));
      await assert.rejects(training, {
        code: 'ERR_NOT_FINITE',
        message: /The buffer "0\.running_(mean|var)" became infinite or NaN/,
      });
      assert.ok(fs.readFileSync(path).equals(good));
    });
  }

  it('that the given state holds is no reason to refuse it', async () => {
    const state = await createState(model, { seed: 1 });
    await saveState(state, folder('nan.safetensors'));
    const bytes = fs.readFileSync(folder('nan.safetensors'));
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString());
    const [from] = header['0.running_mean'].data_offsets;
    bytes.writeFloatLE(Number.NaN, 8 + Number(bytes.readBigUInt64LE(0)) + from);
    fs.writeFileSync(folder('nan.safetensors'), bytes);
    const given = await loadState(folder('nan.safetensors'));
    assert.ok(Number.isNaN(given.tensor('0.running_mean').data[0]));
    const path = folder('given.ckpt');
    const { state: trained } = await trainIncremental(given, { ...run, checkpoint: { path } });
    assert.ok(Number.isNaN(trained.tensor('0.running_mean').data[0]));
    const kept = await loadState(path, { key: 'model' });
    assert.ok(kept.equals(trained));
  });
});
