// Makers of schedulers: the options that they refuse, those that follow from a training, and the rates that scheduledRates() shows of it.
import assert from 'node:assert/strict';
import {
  adagrad,
  adam,
  adamW,
  chainedScheduler,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  exponentialLR,
  linearLR,
  multiStepLR,
  oneCycleLR,
  polynomialLR,
  reduceLROnPlateau,
  scheduledRates,
  sequentialLR,
  sgd,
  stepLR,
} from 'torch-incremental';
import { checkMonitored, schedulers, settledScheduler } from '../../dist/schedulers/index.js';

const refuses = (make, message) => assert.throws(make, { name: 'LearnError', code: 'ERR_INVALID_OPTION', message });

const warmUp = linearLR({ startFactor: 0.1 });

describe('makers of schedulers', () => {
  it('refuse factors that PyTorch refuses, by name', () => {
    for (const factor of [0, -1, 1.5]) {
      refuses(() => constantLR({ factor }), /"factor"/);
      refuses(() => linearLR({ startFactor: factor }), /"startFactor"/);
    }
    refuses(() => linearLR({ endFactor: 1.1 }), /"endFactor"/);
    refuses(() => reduceLROnPlateau({ factor: 1 }), /"factor"/);
    refuses(() => cosineAnnealingWarmRestarts({ t0: 0 }), /"t0"/);
    refuses(() => cosineAnnealingWarmRestarts({ t0: 1, tMult: 0.5 }), /"tMult"/);
    refuses(() => oneCycleLR({ maxLearningRate: 1, pctStart: 1.1 }), /"pctStart"/);
    refuses(() => oneCycleLR({ maxLearningRate: 1, totalSteps: 0 }), /"totalSteps"/);
    refuses(() => oneCycleLR({ maxLearningRate: 1, annealStrategy: 'sine' }), /'cos', 'linear' for "annealStrategy"/);
    refuses(() => cyclicLR({ baseLearningRate: 0.1, maxLearningRate: 1, mode: 'sine' }), /"mode"/);
    refuses(() => reduceLROnPlateau({ mode: 'least' }), /"mode"/);
    refuses(() => reduceLROnPlateau({ every: 'step' }), /"every"/);
  });

  it('refuse to be made without what has no default, and name it', () => {
    for (const given of [undefined, {}]) {
      refuses(() => stepLR(given), /an integer of at least 1 for "stepSize" but received undefined/);
      refuses(() => exponentialLR(given), /"gamma"/);
      refuses(() => cosineAnnealingLR(given), /"tMax"/);
      refuses(() => multiStepLR(given), /"milestones"/);
      refuses(() => cyclicLR(given), /"baseLearningRate"/);
      refuses(() => oneCycleLR(given), /"maxLearningRate"/);
    }
    refuses(() => oneCycleLR({ maxLearningRate: 1, epochs: 3 }), /both "epochs" and "stepsPerEpoch"/);
    assert.equal(oneCycleLR({ maxLearningRate: 1, epochs: 3, stepsPerEpoch: 7 }).totalSteps, 21);
  });

  it('refuse milestones that do not ascend, and as many as do not fit the schedulers', () => {
    refuses(() => multiStepLR({ milestones: [3, 2] }), /ascending order for "milestones"/);
    assert.deepEqual(multiStepLR({ milestones: 30 }).milestones, [30]);
    assert.deepEqual(multiStepLR({ milestones: [3, 3] }).milestones, [3, 3]);
    refuses(() => sequentialLR([warmUp, warmUp, warmUp], { milestones: [4, 4] }), /ascending order/);
    refuses(() => sequentialLR([warmUp, warmUp], { milestones: [0] }), /"milestones\[0\]"/);
    refuses(
      () => sequentialLR([warmUp, warmUp], { milestones: [4, 8] }),
      /Expected 1 milestones for the 2 schedulers .* received 2/,
    );
    refuses(() => sequentialLR([warmUp, warmUp]), /"milestones"/);
  });

  it('refuse what sequentialLR() and chainedScheduler() of PyTorch cannot hold', () => {
    const plateau = reduceLROnPlateau();
    for (const hold of [(list) => sequentialLR(list, { milestones: [] }), (list) => chainedScheduler(list)]) {
      refuses(() => hold([plateau]), /schedulers\[0\] of \w+\(\), but received reduceLROnPlateau\(\)/);
      refuses(() => hold([]), /at least one scheduler for "schedulers"/);
      refuses(() => hold([adam()]), /a scheduler made by stepLR\(\).* for "schedulers\[0\]"/);
      refuses(() => hold(warmUp), /"schedulers"/);
    }
    refuses(
      () => sequentialLR([warmUp, chainedScheduler([warmUp])], { milestones: [3] }),
      /schedulers\[1\].*chainedScheduler\(\)/,
    );
  });

  it('refuse schedulers that hold themselves, or one another more than eight deep', () => {
    const endless = { kind: 'chainedScheduler', every: 'epoch', schedulers: [] };
    endless.schedulers.push(endless);
    refuses(() => schedulers.check(endless, 'scheduler'), /at most 8 schedulers inside one another for "schedulers"/);
    const deep = (depth) => (depth === 0 ? warmUp : chainedScheduler([deep(depth - 1)]));
    assert.equal(deep(8).kind, 'chainedScheduler');
    refuses(() => deep(9), /at most 8/);
  });

  it('give every scheduler in another the same "every": the one given, else that of the first', () => {
    const cycle = cyclicLR({ baseLearningRate: 0.1, maxLearningRate: 1 });
    const everies = ({ every, schedulers: held }) => [every, ...held.map((one) => one.every)];
    assert.deepEqual(everies(chainedScheduler([warmUp, cycle])), ['epoch', 'epoch', 'epoch']);
    assert.deepEqual(everies(chainedScheduler([cycle, warmUp])), ['step', 'step', 'step']);
    assert.deepEqual(everies(sequentialLR([warmUp, cycle], { milestones: [4], every: 'step' })), [
      'step',
      'step',
      'step',
    ]);
    assert.equal(warmUp.every, 'epoch');
  });
});

describe('what follows from a training', () => {
  const run = { epochs: 3, steps: 7 };

  it('is how many steps oneCycleLR() has, also in other schedulers', () => {
    const cycle = oneCycleLR({ maxLearningRate: 1 });
    assert.equal(cycle.totalSteps, null);
    assert.equal(settledScheduler(cycle, run).totalSteps, 21);
    assert.equal(settledScheduler(oneCycleLR({ maxLearningRate: 1, every: 'epoch' }), run).totalSteps, 3);
    assert.equal(settledScheduler(chainedScheduler([cycle, warmUp]), run).schedulers[0].totalSteps, 21);
    assert.equal(settledScheduler(warmUp, run), warmUp);
    const longer = oneCycleLR({ maxLearningRate: 1, totalSteps: 30 });
    assert.equal(settledScheduler(longer, run), longer);
  });

  it('is how many steps oneCycleLR() has where maxSteps end the training before', () => {
    const cycle = oneCycleLR({ maxLearningRate: 1 });
    assert.equal(settledScheduler(cycle, { ...run, maxSteps: 9 }).totalSteps, 9);
    assert.equal(settledScheduler(cycle, { ...run, maxSteps: 90 }).totalSteps, 21);
    assert.equal(settledScheduler(cycle, { ...run, maxSteps: 0 }).totalSteps, 21);
  });

  it('is refused where oneCycleLR() has fewer steps, before the first one', () => {
    const short = oneCycleLR({ maxLearningRate: 1, totalSteps: 20 });
    refuses(
      () => settledScheduler(short, run),
      /takes 21 steps, but received 20; give totalSteps: 21, or leave it out/,
    );
    refuses(() => settledScheduler(chainedScheduler([short]), run), /takes 21 steps/);
    const later = sequentialLR([constantLR({ every: 'step' }), short], { milestones: [10] });
    assert.equal(settledScheduler(later, run), later);
  });

  it('is refused where nothing is monitored that reduceLROnPlateau() could follow', () => {
    const refused = /reduceLROnPlateau\(\) follows .* give it the option "validation"/;
    refuses(() => checkMonitored(reduceLROnPlateau(), undefined), refused);
    checkMonitored(warmUp, undefined);
    checkMonitored(undefined, undefined);
  });

  it('is refused where what is monitored is to move the other way', () => {
    const [loss, accuracy] = [
      { name: 'loss', grows: false },
      { name: 'accuracy', grows: true },
    ];
    checkMonitored(reduceLROnPlateau(), loss);
    checkMonitored(reduceLROnPlateau({ mode: 'max' }), accuracy);
    refuses(
      () => checkMonitored(reduceLROnPlateau(), accuracy),
      /Expected mode: 'max' .* 'accuracy', but received 'min'/,
    );
    refuses(() => checkMonitored(reduceLROnPlateau({ mode: 'max' }), loss), /Expected mode: 'min'/);
  });
});

describe('scheduledRates()', () => {
  const rates = async (scheduler, options) => [...(await scheduledRates(scheduler, options)).learningRate];

  it('shows the rate of each step, after epochs or after steps', async () => {
    const optimizer = sgd({ learningRate: 8 });
    assert.deepEqual(
      await rates(stepLR({ stepSize: 1, gamma: 0.5 }), { optimizer, epochs: 3, steps: 2 }),
      [8, 8, 4, 4, 2, 2],
    );
    assert.deepEqual(
      await rates(stepLR({ stepSize: 1, gamma: 0.5, every: 'step' }), { optimizer, epochs: 2, steps: 2 }),
      [8, 4, 2, 1],
    );
  });

  it('has a momentum or a beta where the optimizer has one', async () => {
    const cycle = oneCycleLR({ maxLearningRate: 1 });
    const keysOf = async (optimizer, scheduler = cycle) => Object.keys(await scheduledRates(scheduler, { optimizer }));
    assert.deepEqual(await keysOf(sgd()), ['learningRate', 'momentum']);
    assert.deepEqual(await keysOf(adamW()), ['learningRate', 'beta1']);
    assert.deepEqual(await keysOf(adagrad(), oneCycleLR({ maxLearningRate: 1, cycleMomentum: false })), [
      'learningRate',
    ]);
    const { momentum } = await scheduledRates(cycle, { epochs: 2, steps: 5 });
    assert.equal(Math.max(...momentum), 0.95);
    assert.equal(Math.min(...momentum), 0.85);
  });

  it('follows what is monitored, and waits where nothing is', async () => {
    const scheduler = reduceLROnPlateau({ patience: 0, factor: 0.5, eps: 0 });
    const optimizer = sgd({ learningRate: 8 });
    assert.deepEqual(await rates(scheduler, { optimizer, epochs: 5, monitored: [1, 2, 0.5] }), [8, 8, 4, 4, 4]);
    assert.deepEqual(await rates(scheduler, { optimizer, epochs: 3 }), [8, 8, 8]);
  });

  it('rejects a momentum that the optimizer does not have, divisions by zero, and schedules without end', async () => {
    const rejects = (scheduler, options, message) =>
      assert.rejects(scheduledRates(scheduler, options), { name: 'LearnError', code: 'ERR_INVALID_OPTION', message });
    const optimizer = adagrad();
    for (const scheduler of [
      cyclicLR({ baseLearningRate: 0.1, maxLearningRate: 1 }),
      oneCycleLR({ maxLearningRate: 1 }),
    ]) {
      await rejects(scheduler, { optimizer }, /neither a momentum nor betas; give it cycleMomentum: false/);
    }
    await rejects(
      oneCycleLR({ maxLearningRate: 1, pctStart: 0.1 }),
      {},
      /phases of oneCycleLR\(\).*pctStart 0\.1 and 10 steps/,
    );
    await rejects(oneCycleLR({ maxLearningRate: 1, pctStart: 1 }), {}, /give another pctStart/);
    await rejects(polynomialLR(), { epochs: 1e6, steps: 1e6 }, /at most 10000000 steps/);
    await rejects(cyclicLR({ baseLearningRate: [1, 2], maxLearningRate: 1 }), {}, /baseLearningRate/);
    await rejects(adam(), {}, /a scheduler made by/);
    await rejects(warmUp, { epochs: 0 }, /"epochs"/);
  });

  it('ends with an error where a schedule in another is stepped beyond its end', async () => {
    const cycle = oneCycleLR({ maxLearningRate: 1, totalSteps: 5 });
    const scheduler = sequentialLR([constantLR({ every: 'step' }), cycle], { milestones: [2] });
    await assert.rejects(scheduledRates(scheduler, { epochs: 20 }), {
      code: 'ERR_INVALID_OPTION',
      message: /Tried to step oneCycleLR\(\) 6 times, but its totalSteps are 5/,
    });
  });
});
