// The training loop for devices, run on the CPU: the same training as the usual loop's but for the fused optimizer's
// roundings, with the same events, checkpoints and errors.
import assert from 'node:assert/strict';
import {
  arrays,
  conv2d,
  createState,
  exponentialLR,
  flatten,
  linear,
  net,
  oneCycleLR,
  relu,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { closeStates, inDeviceLoop } from './device-support.mjs';
import { assertSameEnd, data, drawing, recorded, stopped } from './resume-support.mjs';

const quick = { data, epochs: 3, batchSize: 16, seed: 1, threads: 1, optimizer: sgd({ learningRate: 0.01 }) };
/** Takes so little time that several steps are asked for at once. */
const small = sequential({
  conv: conv2d(3, 2, 5, { stride: 4 }),
  relu: relu(),
  flatten: flatten(),
  fc: linear(98, 10),
});
const many = arrays(madeUpImages(403));

const close = (a, b) => Math.abs(a - b) <= 2e-6 * Math.abs(a);

describe('the loop for devices', () => {
  const file = temporaryFolder();
  let state;
  before(async () => {
    state = await createState(net(), { seed: 0 });
  });

  it('trains in fast mode as the usual one does: in contracted form, layer by layer and in bfloat16', async () => {
    for (const [way, tolerance] of [
      [{}, 1e-5],
      [{ contractLinear: false }, 1e-5],
      [{ precision: 'bf16' }, 5e-3],
    ]) {
      const options = { ...quick, mode: 'fast', ...way };
      const usual = await trainIncremental(state, options);
      const looped = await inDeviceLoop(() => trainIncremental(state, options));
      assert.deepEqual(looped.contracted, usual.contracted);
      assert.ok(closeStates(usual.state, looped.state, tolerance), JSON.stringify(way));
    }
  });

  it('resumes in fast mode from a checkpoint of exact mode', async () => {
    const path = file('modes.ckpt');
    await inDeviceLoop(async () => {
      const whole = await recorded(state, quick);
      await stopped(state, { ...quick, checkpoint: { path, every: 5 } }, 12);
      const resumed = await trainIncremental('', { data, resume: path, mode: 'fast' });
      assert.ok(closeStates(whole.state, resumed.state, 1e-4));
    });
  });

  for (const [what, options] of Object.entries({
    'the last smaller batch': {},
    'dropLast, weight decay and nesterov': {
      dropLast: true,
      optimizer: sgd({ learningRate: 0.01, weightDecay: 0.01, nesterov: true }),
    },
    'no momentum and no shuffling': { optimizer: sgd({ learningRate: 0.01, momentum: 0 }), shuffle: false },
    'one batch an epoch': { batchSize: 1000 },
    'the draws of two workers': { workers: 2 },
    'rates that move after each epoch': { scheduler: exponentialLR({ gamma: 0.5 }) },
    'rates that move after each step': { scheduler: oneCycleLR({ maxLearningRate: 0.02 }) },
  })) {
    it(`trains as the usual one: ${what}`, async () => {
      const usual = await recorded(state, { ...quick, ...options });
      const looped = await inDeviceLoop(() => recorded(state, { ...quick, ...options }));
      assert.equal(looped.losses.length, usual.losses.length);
      for (const [i, [epoch, step, loss]] of usual.losses.entries()) {
        assert.deepEqual(looped.losses[i].slice(0, 2), [epoch, step]);
        assert.ok(close(looped.losses[i][2], loss), `${epoch}.${step}: ${looped.losses[i][2]}, ${loss}`);
      }
      assert.deepEqual(looped.rates, usual.rates);
      for (const [i, { epoch, steps, samples, loss, learningRates }] of usual.history.entries()) {
        const { seconds, ...summary } = looped.history[i];
        assert.deepEqual({ ...summary, loss }, { epoch, steps, samples, loss, learningRates });
        assert.ok(seconds > 0 && close(summary.loss, loss));
      }
      assert.ok(closeStates(usual.state, looped.state, 1e-6));
    });
  }

  it('gives the same bits however many steps it asks for at once', async () => {
    const begin = await createState(small, { seed: 0 });
    const options = { data: many, model: small, epochs: 3, batchSize: 8, seed: 3, threads: 1 };
    const events = [];
    const onProgress = (event) => event.type !== 'step' && events.push([event.type, event.epoch, event.step]);
    const [single, several] = await inDeviceLoop(async () => [
      await trainIncremental(begin, { ...options, logEvery: 1 }),
      await trainIncremental(begin, { ...options, logEvery: 10, onProgress }),
    ]);
    assert.ok(several.state.equals(single.state));
    assert.deepEqual(
      several.history.map(({ loss }) => loss),
      single.history.map(({ loss }) => loss),
    );
    const expected = [1, 2, 3].flatMap((epoch) => [
      ...[10, 20, 30, 40, 50].map((step) => ['log', epoch, step]),
      ['epoch', epoch, undefined],
    ]);
    assert.deepEqual(events, expected);
    assert.ok(closeStates((await trainIncremental(begin, options)).state, several.state, 1e-6));
  });

  it('trains models with batch norm and dropout, the same again for the same seed', async () => {
    const begin = await createState(drawing, { seed: 0 });
    const run = () => trainIncremental(begin, { ...quick, model: drawing });
    const [a, b] = await inDeviceLoop(async () => [await run(), await run()]);
    assert.ok(a.state.equals(b.state) && !a.state.equals(begin));
    assert.equal(a.state.tensor('bn.num_batches_tracked').data[0], 15n);
  });

  for (const [where, step, workers] of [
    ['within an epoch', 7, 0],
    ['at an epoch’s end', 10, 0],
    ['within an epoch of two workers', 7, 2],
  ]) {
    it(`resumes from a checkpoint of its own ${where} as if there had been no interruption`, async () => {
      const path = file('own.ckpt');
      const options = { ...quick, workers, checkpoint: { path, every: 1 } };
      const [whole, resumed] = await inDeviceLoop(async () => {
        const uninterrupted = await recorded(state, { ...quick, workers });
        await stopped(state, options, step);
        return [uninterrupted, await recorded('', { data, resume: path })];
      });
      assertSameEnd(resumed, whole);
    });
  }

  it('resumes from a checkpoint of the usual loop, and the usual loop from one of its', async () => {
    const whole = await recorded(state, quick);
    for (const [first, second] of [
      [inDeviceLoop, (use) => use()],
      [(use) => use(), inDeviceLoop],
    ]) {
      const path = file('other.ckpt');
      await first(() => stopped(state, { ...quick, checkpoint: { path, every: 2 } }, 7));
      const resumed = await second(() => recorded('', { data, resume: path }));
      assert.ok(resumed.losses.length < whole.losses.length && resumed.losses.length > 0);
      for (const [epoch, step, loss] of resumed.losses) {
        const expected = whole.losses.find(([e, s]) => e === epoch && s === step)[2];
        assert.ok(close(expected, loss), `${epoch}.${step}: ${loss}, ${expected}`);
      }
      assert.ok(closeStates(whole.state, resumed.state, 1e-6));
    }
  });

  it('returns at once from the checkpoint of a finished run, or continues with more epochs', async () => {
    const path = file('finished.ckpt');
    await inDeviceLoop(async () => {
      const done = await recorded(state, { ...quick, checkpoint: { path } });
      const again = await recorded('', { data, resume: path });
      assert.ok(again.state.equals(done.state));
      const whole = await recorded(state, { ...quick, epochs: 5 });
      assertSameEnd(await recorded('', { data, resume: path, epochs: 5 }), whole);
    });
  });

  it('stops at an abort', async () => {
    const controller = new AbortController();
    const run = inDeviceLoop(() =>
      trainIncremental(state, {
        ...quick,
        optimizer: sgd({ learningRate: 1e-6 }),
        epochs: 100_000,
        logEvery: 0,
        signal: controller.signal,
      }),
    );
    setTimeout(() => controller.abort('enough'), 300);
    await assert.rejects(run, (reason) => reason === 'enough');
  });

  it('reports steps now and then where there are no log lines', async () => {
    // As long as it takes: a fast machine has trained for many epochs before it is time to report.
    const controller = new AbortController();
    const events = [];
    const run = inDeviceLoop(() =>
      trainIncremental(state, {
        ...quick,
        data: many,
        optimizer: sgd({ learningRate: 1e-6 }),
        epochs: 100_000,
        logEvery: 0,
        signal: controller.signal,
        onProgress: (event) => {
          events.push(event);
          if (events.filter(({ type }) => type === 'step').length === 3) controller.abort('seen');
        },
      }),
    );
    await assert.rejects(run, (reason) => reason === 'seen');
    assert.ok(events.every(({ type, loss }) => (type === 'step' || type === 'epoch') && loss > 0));
  });

  it('names the step at which the loss stopped being a number, though it looks later', async () => {
    const begin = await createState(small, { seed: 0 });
    const options = {
      data: many,
      model: small,
      epochs: 2,
      batchSize: 8,
      seed: 3,
      optimizer: sgd({ learningRate: 1e30 }),
      logEvery: 40,
    };
    const messageOf = (run) => run.then(assert.fail, (error) => [error.code, error.message]);
    const usual = await messageOf(trainIncremental(begin, options));
    assert.equal(usual[0], 'ERR_NOT_FINITE');
    assert.deepEqual(await inDeviceLoop(() => messageOf(trainIncremental(begin, options))), usual);
  });

  it('refuses labels that the model has no class for', async () => {
    const few = sequential({ flatten: flatten(), fc: linear(3072, 5) });
    const begin = await createState(few, { seed: 0 });
    await assert.rejects(
      inDeviceLoop(() => trainIncremental(begin, { ...quick, model: few })),
      { code: 'ERR_SHAPE' },
    );
  });
});
