// Validation within a training: it changes nothing of it, stops it, and chooses what it returns; averages and limits beside it.
import assert from 'node:assert/strict';
import {
  adamW,
  arrays,
  confusionMatrix,
  createState,
  ema,
  evaluate,
  f1Score,
  loadState,
  logLoss,
  r2Score,
  subset,
  swa,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { data, drawing, recorded } from './resume-support.mjs';

const other = subset(arrays(madeUpImages(100)), { start: 70, end: 100 });

describe('validation', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let init;
  const common = { model: drawing, data, batchSize: 16, seed: 1, threads: 1, optimizer: adamW({ learningRate: 0.03 }) };
  const run = (options) => recorded(init, { ...common, epochs: 4, ...options });
  before(async () => {
    init = await createState(drawing, { seed: 3 });
  });

  for (const [what, options] of Object.entries({
    'weights, in exact mode': {},
    'weights, in fast mode': { mode: 'fast' },
    averages: { average: ema({ decay: 0.9 }) },
  })) {
    it(`draws nothing and changes nothing: losses and ${what} are those without it`, async () => {
      const without = await run(options);
      const withIt = await run({ ...options, validation: { data: other } });
      assert.deepEqual(withIt.losses, without.losses);
      assert.ok(withIt.state.equals(without.state));
    });
  }

  it('scores the state after each epoch, or after some, as evaluate() does, in history and in events', async () => {
    const events = [];
    const options = { ...common, epochs: 3, average: swa(), validation: { data: other, every: 2 } };
    const { history } = await trainIncremental(init, { ...options, onProgress: (event) => void events.push(event) });
    assert.deepEqual(
      history.map(({ validation }) => validation !== undefined),
      [false, true, false],
    );
    const shown = events.filter(({ type }) => type === 'epoch').map(({ validation }) => validation);
    assert.deepEqual(
      shown,
      history.map(({ validation }) => validation),
    );
    assert.ok(!events.some(({ type }) => type === 'validation'));

    const plain = await trainIncremental(init, { ...common, epochs: 1, validation: { data: other } });
    const { loss, accuracy, samples, metrics } = await evaluate(plain.state, {
      model: drawing,
      data: other,
      threads: 1,
      batchSize: 16,
    });
    assert.deepEqual(plain.history[0].validation, { loss, accuracy, samples, metrics });
  });

  it('ends the training when its patience does, and returns the best state, which the history names', async () => {
    const validation = { data: other, patience: 2, monitor: 'loss' };
    const { state, lastState, history, stopped, steps } = await run({ epochs: 50, validation });
    assert.equal(stopped, 'patience');
    assert.equal(steps, history.length * 5);
    const losses = history.map((epoch) => epoch.validation.loss);
    const best = losses.indexOf(Math.min(...losses));
    assert.equal(losses.length - 1 - best, 2);
    const { loss } = await evaluate(state, { model: drawing, data: other, threads: 1, batchSize: 16 });
    assert.equal(loss, losses[best]);
    const { state: until } = await run({ epochs: best + 1 });
    assert.ok(state.equals(until));
    const { state: last } = await run({ epochs: history.length });
    assert.ok(lastState.equals(last));
    const { state: kept } = await run({ epochs: 50, validation: { ...validation, restoreBest: false } });
    assert.ok(kept.equals(last));
  });

  it('counts only improvements above minDelta, of accuracy upwards', async () => {
    const validation = { data: other, patience: 3, monitor: 'accuracy', minDelta: 1 };
    const { history, stopped } = await run({ epochs: 50, validation });
    assert.equal(stopped, 'patience');
    assert.equal(history.length, 4);
  });

  it('scores by metrics of its own, monitors any of them, and records them', async () => {
    const file = at('metrics.ckpt');
    const metrics = [f1Score({ average: 'micro' }), logLoss(), confusionMatrix()];
    const validation = { data: other, metrics, monitor: 'logLoss', patience: 2 };
    const { history, stopped } = await run({ epochs: 50, validation, checkpoint: { path: file } });
    assert.equal(stopped, 'patience');
    const losses = history.map((epoch) => epoch.validation.metrics.logLoss);
    assert.equal(losses.length - 1 - losses.indexOf(Math.min(...losses)), 2);
    assert.deepEqual(Object.keys(history[0].validation.metrics), [
      'f1Score:average=micro',
      'logLoss',
      'confusionMatrix',
    ]);
    const over = await recorded('', { model: drawing, data, resume: file, validation });
    assert.deepEqual(over.history, history);
    await assert.rejects(run({ validation: { ...validation, monitor: 'confusionMatrix' } }), {
      message: /Expected the name of a result, 'loss', 'f1Score:average=micro' or 'logLoss', for "validation\.monitor"/,
    });
    await assert.rejects(
      run({ validation: { ...validation, metrics: [r2Score()] } }),
      /r2Score needs targets of the kind 'values'/,
    );
  });

  it('is resumed with what it knows, from any epoch and within one, to the same end', async () => {
    const validation = { data: other, patience: 2 };
    const whole = await run({ epochs: 50, validation });
    for (const maxSteps of [3, 5, 12]) {
      const file = at(`${maxSteps}.ckpt`);
      const first = await run({ epochs: 50, validation, maxSteps, checkpoint: { path: file } });
      assert.equal(first.stopped, 'maxSteps');
      const resumed = await recorded('', { model: drawing, data, resume: file, validation });
      assert.deepEqual([resumed.stopped, resumed.steps], [whole.stopped, whole.steps]);
      assert.ok(resumed.state.equals(whole.state));
      assert.ok(resumed.lastState.equals(whole.lastState));
      assert.deepEqual(
        resumed.history.map((epoch) => epoch.validation),
        whole.history.map((epoch) => epoch.validation),
      );
      const again = await recorded('', { model: drawing, data, resume: file, validation, checkpoint: { path: file } });
      assert.ok(again.state.equals(whole.state));
      const over = await recorded('', { model: drawing, data, resume: file, validation });
      assert.deepEqual([over.losses, over.stopped, over.steps], [[], 'patience', whole.steps]);
      assert.ok(over.state.equals(whole.state));
    }
  });

  it('is over at once when the training is aborted while it waits, and frees what it has', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const options = { ...common, epochs: 50, validation: { data: other }, signal: controller.signal };
    const onProgress = ({ type }) => type === 'epoch' && controller.abort(reason);
    await assert.rejects(trainIncremental(init, { ...options, onProgress }), reason);
  });

  for (const [given, message] of [
    [{ patience: 2 }, /Expected a data set for "validation\.data"/],
    [{ data: other, patience: 0 }, /an integer of at least 1 for "patience"/],
    [
      { data: other, monitor: 'f1' },
      /Expected the name of a result, 'loss' or 'accuracy', for "validation\.monitor" but received 'f1'/,
    ],
    [{ data: other, patince: 1 }, /Unknown option "patince" of validation.*did you mean "patience"/],
    [{ data: arrays({ inputs: new Float32Array(12), labels: [0, 1], shape: [6] }) }, /in the layer "conv"/],
  ]) {
    it(`refuses ${JSON.stringify({ ...given, data: given.data && '…' })}, and says what to do`, () =>
      assert.rejects(run({ validation: given, epochs: 1_000_000 }), (error) => {
        assert.match(error.code, /^ERR_(INVALID_OPTION|TORCH)$/);
        assert.match(error.message, message);
        return true;
      }));
  }

  it('refuses another average, or another number of accumulated batches, than the run was begun with', async () => {
    const file = at('averaged.ckpt');
    await run({ epochs: 1, average: ema(), accumulate: 2, checkpoint: { path: file } });
    const resume = (options) => trainIncremental('', { model: drawing, data, resume: file, epochs: 2, ...options });
    await assert.rejects(
      resume({ average: swa() }),
      /begun with the average ema\(\), but the option "average" is now swa\(\)/,
    );
    await assert.rejects(resume({ accumulate: 3 }), /begun with accumulate: 2/);
    const plain = at('plain.ckpt');
    await run({ epochs: 1, checkpoint: { path: plain } });
    await assert.rejects(resume({ resume: plain, average: swa() }), /begun with no average/);
  });

  it('ends after a time, and says so', async () => {
    const { stopped, steps } = await run({ epochs: 100_000, maxSeconds: 0.2 });
    assert.equal(stopped, 'maxSeconds');
    assert.ok(steps > 0 && steps < 500_000);
  });

  it('leaves an average in the checkpoint that loadState() reads', async () => {
    const file = at('average.ckpt');
    const { state, lastState } = await run({ epochs: 1, average: ema({ decay: 0.5 }), checkpoint: { path: file } });
    assert.ok((await loadState(file, { key: 'average', stripPrefix: 'module.' })).equals(state));
    assert.ok((await loadState(file, { key: 'model' })).equals(lastState));
  });
});
