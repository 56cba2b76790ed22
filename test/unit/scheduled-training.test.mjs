// Trainings with a scheduler: what events and checkpoints say of it, how it is resumed, and what is refused.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  adagrad,
  adamW,
  chainedScheduler,
  cosineAnnealingLR,
  createState,
  cyclicLR,
  exponentialLR,
  linearLR,
  loadState,
  multiStepLR,
  oneCycleLR,
  reduceLROnPlateau,
  scheduledRates,
  sequentialLR,
  sgd,
  stepLR,
  subset,
  trainIncremental,
} from 'torch-incremental';
import { Opaque, tupleOf } from '../../dist/checkpoint/values.js';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import { treeOf } from '../../dist/state/state.js';
import { temporaryFolder } from '../support.mjs';
import { assertSameEnd, data, drawing, recorded, stopped } from './resume-support.mjs';

const quick = {
  ...{ data, model: drawing, epochs: 4, batchSize: 16, seed: 1, threads: 1, logEvery: 1 },
  optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
};
const warmUp = linearLR({ startFactor: 0.1, totalIters: 2 });
const shapes = {
  'after steps': oneCycleLR({ maxLearningRate: 0.1 }),
  'after epochs': sequentialLR([warmUp, exponentialLR({ gamma: 0.5 })], { milestones: [2] }),
  'at milestones': multiStepLR({ milestones: [3, 9], every: 'step' }),
  'of two at once': chainedScheduler([exponentialLR({ gamma: 0.9, every: 'step' }), cosineAnnealingLR({ tMax: 7 })]),
};

describe('a training with a scheduler', () => {
  const at = temporaryFolder();
  const path = at('run.ckpt');
  let state;
  before(async () => {
    state = await createState(drawing, { seed: 0 });
  });

  /** The checkpoint with other entries in the place of its own. */
  async function rewritten(entries, name = 'other.ckpt') {
    const { root } = treeOf(await loadState(path, { key: 'model' }));
    const kept = [...root, ...Object.entries(entries)].filter(
      ([key]) => !(key in entries) || entries[key] !== undefined,
    );
    await writeCheckpoint(new Map(kept), at(name));
    return at(name);
  }
  const rejects = (options, message, code = 'ERR_INVALID_OPTION') =>
    assert.rejects(trainIncremental(state, { ...quick, ...options }), { name: 'LearnError', code, message });

  it('has the rates that scheduledRates() shows, in events and in its history', async () => {
    for (const scheduler of Object.values(shapes)) {
      const { rates, history } = await recorded(state, { ...quick, scheduler });
      const { learningRate } = await scheduledRates(scheduler, { optimizer: quick.optimizer, epochs: 4, steps: 5 });
      assert.deepEqual(rates.flat(), [...learningRate]);
      const last = [4, 9, 14, 19].map((step) => [learningRate[step]]);
      assert.deepEqual(
        history.map(({ learningRates }) => learningRates),
        last,
      );
    }
  });

  it('says the rates of a training without one too, one for each group', async () => {
    const parameterGroups = [{ parameters: 'fc', learningRate: 0.5 }];
    const { rates, history } = await recorded(state, { ...quick, epochs: 1, parameterGroups });
    for (const each of [...rates, history[0].learningRates]) assert.deepEqual(each, [0.05, 0.5]);
  });

  for (const [name, scheduler] of Object.entries(shapes)) {
    for (const optimizer of [quick.optimizer, adamW({ learningRate: 0.01 })]) {
      it(`that moves rates ${name} is resumed as if it had not been stopped, with ${optimizer.kind}()`, async () => {
        const options = { ...quick, scheduler, optimizer };
        const whole = await recorded(state, { ...options, checkpoint: { path: at('whole.ckpt') } });
        await stopped(state, { ...options, checkpoint: { path } }, 8);
        assertSameEnd(await recorded('', { data, model: drawing, resume: path, checkpoint: { path } }), whole);
        for (const key of ['options', 'scheduler'])
          assert.deepEqual(await entry(path, key), await entry(at('whole.ckpt'), key));
      });
    }
  }

  const entry = async (file, key) => (await loadState(file, { key: 'model' })).metadata.get(key);

  it('keeps given values as they are, and records those that the training settled', async () => {
    const scheduler = oneCycleLR({ maxLearningRate: 0.1 });
    await recorded(state, { ...quick, scheduler, checkpoint: { path } });
    assert.equal(scheduler.totalSteps, null);
    assert.equal((await entry(path, 'options')).get('scheduler').get('totalSteps'), 20);
  });

  it('follows the monitored number of a validation, also where it is resumed', async () => {
    const validation = { data: subset(data, { start: 0, end: 40 }) };
    const scheduler = reduceLROnPlateau({ patience: 0, factor: 0.5, threshold: 0.2 });
    const options = { ...quick, epochs: 8, scheduler, validation };
    const whole = await recorded(state, options);
    const monitored = whole.history.map((summary) => summary.validation.loss);
    const { learningRate } = await scheduledRates(scheduler, {
      optimizer: quick.optimizer,
      epochs: 8,
      steps: 5,
      monitored,
    });
    assert.deepEqual(whole.rates.flat(), [...learningRate]);
    assert.ok(new Set(learningRate).size > 2);
    await recorded(state, { ...options, epochs: 5, checkpoint: { path } });
    assertSameEnd(await recorded('', { data, model: drawing, validation, resume: path, epochs: 8 }), whole);
    await rejects({ scheduler, validation: { ...validation, monitor: 'accuracy' } }, /Expected mode: 'max'/);
  });

  it('steps a cycle of maxSteps', async () => {
    const { rates } = await recorded(state, { ...quick, scheduler: oneCycleLR({ maxLearningRate: 1 }), maxSteps: 7 });
    assert.equal(rates.length, 7);
    assert.deepEqual(rates[6], [0.04 / 1e4]);
  });

  it('is refused where reduceLROnPlateau() would follow a validation that is not there', () =>
    rejects({ scheduler: reduceLROnPlateau() }, /validation, and this training has none/));

  it('is refused where the optimizer has no momentum to move, or fewer steps than the training', async () => {
    const cycle = cyclicLR({ baseLearningRate: 0.1, maxLearningRate: 1 });
    await rejects(
      { scheduler: cycle, optimizer: adagrad() },
      /neither a momentum nor betas; give it cycleMomentum: false/,
    );
    await rejects({ scheduler: oneCycleLR({ maxLearningRate: 1, totalSteps: 19 }) }, /takes 20 steps, but received 19/);
  });

  it('is refused where its groups have optimizers of several kinds', () =>
    rejects(
      { scheduler: warmUp, parameterGroups: [{ parameters: 'fc', optimizer: adamW() }] },
      /one optimizer for "scheduler", but "parameterGroups" have sgd\(\) and adamW\(\)/,
    ));

  describe('refuses to be resumed', () => {
    const scheduler = stepLR({ stepSize: 2, gamma: 0.5 });
    before(() => recorded(state, { ...quick, scheduler, epochs: 3, checkpoint: { path } }));

    it('with another scheduler or other options, and says which it has', async () => {
      for (const other of [
        warmUp,
        stepLR({ stepSize: 3, gamma: 0.5 }),
        stepLR({ stepSize: 2, gamma: 0.5, every: 'step' }),
      ]) {
        await rejects(
          { resume: path, scheduler: other },
          /its scheduler is stepLR\(\{"stepSize":2,"gamma":0\.5,"every":"epoch"\}\)/,
        );
      }
    });

    it('with a scheduler where there was none', async () => {
      await recorded(state, { ...quick, epochs: 3, checkpoint: { path: at('without.ckpt') } });
      await rejects(
        { resume: at('without.ckpt'), scheduler },
        /no state of a scheduler that stepLR\(\)/,
        'ERR_STATE_MISMATCH',
      );
    });

    it('without its state, or without the optimizer whose rates it moves', async () => {
      const lost = await rewritten({ scheduler: undefined });
      await rejects({ resume: lost }, /no state of a scheduler that stepLR\(\) could continue/, 'ERR_STATE_MISMATCH');
      const alone = await rewritten({ optimizer: undefined });
      await rejects({ resume: alone }, /state of a scheduler, but none of one optimizer/, 'ERR_STATE_MISMATCH');
    });

    it('from a state whose values are of another form', async () => {
      const own = await entry(path, 'scheduler');
      for (const [key, value] of [
        ['last_epoch', 1.5],
        ['base_lrs', 'high'],
        ['base_lrs', [0.1, 0.2]],
        ['_step_count', 2 ** 60],
      ]) {
        const resume = await rewritten({ scheduler: new Map([...own, [key, value]]) });
        await assert.rejects(trainIncremental('', { ...quick, resume }), (error) => {
          assert.match(error.code, /^ERR_STATE_(FORMAT|MISMATCH)$/);
          assert.ok(error.message.includes(key), error.message);
          return true;
        });
      }
    });

    it('from groups that are no dicts, and a Counter that has counted without end', async () => {
      const optimizer = new Map([...(await entry(path, 'optimizer')), ['param_groups', [1]]]);
      await rejects({ resume: await rewritten({ optimizer }) }, /none of one optimizer/, 'ERR_STATE_MISMATCH');
      const counter = (counts) => new Opaque('collections.Counter', 'call', tupleOf([counts]));
      const own = new Map([...(await entry(path, 'scheduler'))].filter(([key]) => key !== 'step_size'));
      for (const milestones of [counter(new Map([[1, 2 ** 40]])), counter(new Map([['a', 1]])), new Map([[1, 1]]), 7]) {
        const resume = await rewritten({ scheduler: new Map([['milestones', milestones], ...own]) });
        await rejects({ resume }, /MultiStepLR, cannot be resumed: expected a Counter/, 'ERR_STATE_MISMATCH');
      }
    });

    it('for more steps than oneCycleLR() was made for', async () => {
      const cycled = at('cycled.ckpt');
      await recorded(state, { ...quick, scheduler: shapes['after steps'], checkpoint: { path: cycled } });
      await rejects({ resume: cycled, epochs: 5 }, /takes 25 steps, but received 20/);
    });
  });

  it('continues as Python left it: under any key, with other options than recorded, beside schedulers that are not known', async () => {
    const scheduler = stepLR({ stepSize: 1, gamma: 0.5 });
    const whole = await recorded(state, { ...quick, scheduler });
    await recorded(state, { ...quick, scheduler, epochs: 3, checkpoint: { path } });
    const own = await entry(path, 'scheduler');
    const options = new Map(
      [...(await entry(path, 'options')), ['scheduler', undefined]].filter(([, value]) => value !== undefined),
    );
    options.delete('scheduler');
    const moved = await rewritten({ scheduler: undefined, lr_schedulers: [own], options });
    assertSameEnd(await recorded('', { data, model: drawing, resume: moved, epochs: 4 }), whole);

    const faster = await rewritten({ scheduler: new Map([...own, ['gamma', 0.25]]) });
    const { rates } = await recorded('', { data, model: drawing, resume: faster, epochs: 4 });
    assert.deepEqual(rates[0], [0.05 * 0.5 ** 3]);
    const { rates: next } = await recorded('', { data, model: drawing, resume: faster, epochs: 5 });
    assert.deepEqual(next.at(-1), [0.05 * 0.5 ** 3 * 0.25]);

    const lambda = new Map([...own].filter(([key]) => !/gamma|step_size/.test(key)).concat([['lr_lambdas', [null]]]));
    const beside = await rewritten({ warmup: lambda });
    const warned = once(process, 'warning');
    assertSameEnd(await recorded('', { data, model: drawing, resume: beside, epochs: 4 }), whole);
    const [{ code, message }] = await warned;
    assert.equal(code, 'WARN_NOT_RESUMED');
    assert.match(message, /under warmup, is not resumed: the one that is follows stepLR\(\)/);
  });

  it('reads the milestones of a Counter, and history without rates', async () => {
    const scheduler = multiStepLR({ milestones: [1, 3, 3] });
    const whole = await recorded(state, { ...quick, scheduler });
    await recorded(state, { ...quick, scheduler, epochs: 2, checkpoint: { path } });
    const milestones = (await entry(path, 'scheduler')).get('milestones');
    assert.deepEqual(
      milestones,
      new Opaque(
        'collections.Counter',
        'call',
        tupleOf([
          new Map([
            [1, 1],
            [3, 2],
          ]),
        ]),
      ),
    );
    const history = (await entry(path, 'history')).map(
      (item) => new Map([...item].filter(([key]) => key !== 'learningRates')),
    );
    const resumed = await recorded('', { data, model: drawing, resume: await rewritten({ history }), epochs: 4 });
    assert.deepEqual(resumed.rates, whole.rates.slice(10));
    assert.deepEqual(
      resumed.history.map(({ learningRates }) => learningRates.length),
      [0, 0, 1, 1],
    );
  });

  it('writes nothing of a scheduler if the run has no scheduler', async () => {
    await recorded(state, { ...quick, epochs: 1, checkpoint: { path } });
    assert.equal(await entry(path, 'scheduler'), undefined);
  });
});
