// Trainings whose rates are scheduled, against torch.optim: 39 steps have the same losses, rates, weights and states to the bit, also
// where the other language continued on the way. Momentum and betas move too, in groups of parameters.
import assert from 'node:assert/strict';
import path from 'node:path';
import { createState, loadState, saveState } from 'torch-incremental';
import { optimizers } from '../../dist/optimizers/index.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';
import { common, forPython, inputs, labels, lossesOf, models } from './optimizer-cases.mjs';
import { madeFrom, specOf } from './scheduler-cases.mjs';

const oneCycle = (more) => ['oneCycleLR', { maxLearningRate: 0.05, totalSteps: 39, ...more }];
const cyclic = ['cyclicLR', { baseLearningRate: 0.001, maxLearningRate: 0.05, stepSizeUp: 5 }];
const warmUp = ['linearLR', { startFactor: 0.1, totalIters: 7 }];
const warmCosine = (every) => [
  'sequentialLR',
  [warmUp, ['cosineAnnealingLR', { tMax: 25 }]],
  { milestones: [7], every },
];

const plans = [
  ['sgd', { momentum: 0.9 }, ['stepLR', { stepSize: 1, gamma: 0.3 }]],
  [
    'sgd',
    { momentum: 0.9 },
    [
      'sequentialLR',
      [
        ['constantLR', { totalIters: 2 }],
        ['exponentialLR', { gamma: 0.5 }],
      ],
      { milestones: [1] },
    ],
  ],
  ['sgd', { momentum: 0.9, nesterov: true, weightDecay: 0.01 }, warmCosine('step')],
  ['sgd', { momentum: 0.9 }, oneCycle()],
  ['sgd', { momentum: 0 }, cyclic],
  ['sgd', { momentum: 0.9 }, ['chainedScheduler', [['exponentialLR', { gamma: 0.9, every: 'step' }], warmUp]]],
  ['adam', {}, oneCycle({ threePhase: true, pctStart: 0.25 })],
  ['adamW', {}, warmCosine('step')],
  ['adamW', {}, warmCosine('epoch')],
  ['nAdam', {}, oneCycle({ annealStrategy: 'linear' })],
  ['rAdam', {}, cyclic],
  ['adamax', {}, oneCycle()],
  ['rmsprop', { momentum: 0 }, oneCycle({ maxLearningRate: 0.005 })],
  ['adagrad', {}, ['multiStepLR', { milestones: [3, 14, 20], every: 'step' }]],
  ['adadelta', {}, ['polynomialLR', { totalIters: 30, power: 2, every: 'step' }]],
  ['rprop', {}, ['cosineAnnealingWarmRestarts', { t0: 4, tMult: 2, every: 'step' }]],
  ['asgd', {}, ['exponentialLR', { gamma: 0.95, every: 'step' }]],
];

const parameterGroups = [
  { parameters: 'fc2.weight', learningRate: 0.2 },
  { parameters: 'fc1.bias', frozen: true },
];
const layouts = {
  'one group': { ours: {}, theirs: {} },
  'two groups': {
    ours: { parameterGroups },
    theirs: {
      groups: [{ params: ['fc1.weight', 'fc2.bias'] }, { params: ['fc2.weight'], lr: 0.2 }],
      frozen: ['fc1.bias'],
    },
  },
};

const cases = plans.flatMap(([kind, options, scheduler], i) => {
  const names = i < 2 ? Object.keys(layouts) : [Object.keys(layouts)[i % 2]];
  return names.map((layout) => ({ kind, given: { learningRate: 0.05, ...options }, scheduler, layout }));
});

describe('scheduled trainings beside those of torch.optim', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  let answers;
  const runs = [];
  const optionsOf = ({ kind, given, scheduler, layout }) => ({
    ...{ ...common, model: models.mlp, epochs: 3, ...layouts[layout].ours },
    ...{ optimizer: optimizers.makers[kind](given), scheduler: madeFrom(scheduler) },
  });

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    await saveState(await createState(models.mlp, { seed: 1 }), at('mlp.pth'));
    for (const [i, each] of cases.entries()) {
      await recorded(at('mlp.pth'), { ...optionsOf(each), epochs: 1, checkpoint: { path: at(`ours-${i}.ckpt`) } });
      runs.push(await recorded(at('mlp.pth'), { ...optionsOf(each), checkpoint: { path: at(`end-${i}.ckpt`) } }));
    }
    const jobs = cases.map(({ kind, given, scheduler, layout }, i) => ({
      ...{ model: 'mlp', optimizer: optimizers.entryOf({ kind }).torchName, options: forPython(given) },
      ...{ scheduler: specOf(scheduler), every: madeFrom(scheduler).every, ...layouts[layout].theirs },
      ...{ inputs: [...inputs], labels: [...labels], init: at('mlp.pth'), out: at(`out-${i}.pth`) },
      ...{ ours: at(`ours-${i}.ckpt`), end: at(`end-${i}.ckpt`), theirs: at(`theirs-${i}.ckpt`) },
    }));
    const script = path.join(root, 'test/golden/optimizer_steps.py');
    answers = JSON.parse(runPython(script, [], { input: JSON.stringify(jobs) }));
  });

  for (const [i, each] of cases.entries()) {
    const name = `${each.kind}(${JSON.stringify(each.given)}) with ${JSON.stringify(each.scheduler)}, ${each.layout}`;

    it(`${name}: losses, rates, weights and states are PyTorch's, and its own after a checkpoint of ours`, async () => {
      const { losses, rates, continued, done, same } = answers[i];
      assert.deepEqual(lossesOf(runs[i]), losses);
      assert.deepEqual(runs[i].rates, rates);
      assert.deepEqual(
        runs[i].history.map(({ learningRates }) => learningRates),
        [rates[12], rates[25], rates[38]],
      );
      assert.ok(runs[i].state.equals(await loadState(at(`out-${i}.pth`))), 'the weights differ');
      assert.equal(done, 13);
      assert.deepEqual(continued, losses.slice(13));
      for (const [what, isSame] of Object.entries(same)) assert.ok(isSame, what);
    });

    it(`${name}: continues checkpoints of both, with the scheduler given or as it is found`, async () => {
      const { model, data, batchSize, shuffle, epochs, scheduler } = optionsOf(each);
      const given = { model, data, batchSize, shuffle, epochs, threads: 1 };
      const layout = layouts[each.layout].ours;
      for (const [file, more] of [
        ['theirs', { ...layout, scheduler }],
        ['theirs', layout],
        ['ours', {}],
        ['ours', { scheduler }],
      ]) {
        const path = at('again.ckpt');
        const resumed = await recorded('', {
          ...given,
          ...more,
          resume: at(`${file}-${i}.ckpt`),
          checkpoint: { path },
        });
        assert.deepEqual(lossesOf(resumed), answers[i].losses.slice(13));
        assert.deepEqual(resumed.rates, answers[i].rates.slice(13));
        assert.ok(resumed.state.equals(runs[i].state), 'the weights differ');
        if (file === 'ours') assert.deepEqual(await optionsIn(path), await optionsIn(at(`end-${i}.ckpt`)));
      }
    });
  }

  async function optionsIn(path) {
    const { metadata } = await loadState(path, { key: 'model' });
    return metadata.get('options');
  }
});
