// The everyday of a training loop beside Python's: accumulation, clipping, averages of weights and the statistics of batch norms for them.
// Losses, weights and averages are equal to the bit, also where the other language, or another call, continued on the way.
import assert from 'node:assert/strict';
import path from 'node:path';
import { createState, ema, loadState, saveState, swa } from 'torch-incremental';
import { optimizers } from '../../dist/optimizers/index.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';
import { common, forPython, inputs, labels, lossesOf, models } from './optimizer-cases.mjs';

const adamW = { kind: 'adamW', given: { learningRate: 0.01, weightDecay: 0.1 } };
const sgd = { kind: 'sgd', given: { learningRate: 0.05, momentum: 0.9 } };

/** What is given here, and what it is in Python. */
const cases = [
  {
    name: 'accumulation of 3 batches of 13, whose rest is a step',
    ...sgd,
    ours: { accumulate: 3 },
    theirs: { accumulate: 3 },
  },
  { name: 'a limit of the norm', ...sgd, ours: { maxGradientNorm: 0.5 }, theirs: { maxNorm: 0.5 } },
  { name: 'a limit of the numbers', ...adamW, ours: { maxGradientValue: 0.01 }, theirs: { maxValue: 0.01 } },
  {
    name: 'both limits of accumulated gradients',
    ...{ ...adamW, ours: { accumulate: 2, maxGradientNorm: 0.5, maxGradientValue: 0.05 } },
    theirs: { accumulate: 2, maxNorm: 0.5, maxValue: 0.05 },
  },
  { name: 'a moving average', ...adamW, ours: { average: ema({ decay: 0.9 }) }, theirs: { ema: 0.9 } },
  { name: 'the mean of the weights of epochs', ...sgd, ours: { average: swa({ start: 2 }) }, theirs: { swa: 2 } },
  {
    name: 'the mean of the weights of all epochs, accumulated',
    ...{ ...adamW, ours: { average: swa(), accumulate: 4 }, theirs: { swa: 1, accumulate: 4 } },
  },
];

describe('a training loop beside one in Python', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  let answers;
  const runs = [];
  const optionsOf = ({ kind, given, ours }) => ({
    ...{ ...common, model: models.cnn, epochs: 3, optimizer: optimizers.makers[kind](given), ...ours },
  });

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    await saveState(await createState(models.cnn, { seed: 1 }), at('init.pth'));
    for (const [i, each] of cases.entries()) {
      const middle = { path: at(`ours-${i}.ckpt`), every: 1 };
      const steps = Math.ceil(13 / (each.ours.accumulate ?? 1));
      const first = await recorded(at('init.pth'), { ...optionsOf(each), maxSteps: steps + 2, checkpoint: middle });
      assert.equal(first.steps, steps + 2);
      assert.equal(first.stopped, 'maxSteps');
      runs.push(await recorded(at('init.pth'), optionsOf(each)));
    }
    const jobs = cases.map(({ kind, given, theirs }, i) => ({
      ...{ optimizer: optimizers.entryOf({ kind }).torchName, options: forPython(given), ...theirs },
      ...{ inputs: [...inputs], labels: [...labels], init: at('init.pth'), ours: at(`ours-${i}.ckpt`) },
      ...{ out: at(`out-${i}.pth`), average: at(`average-${i}.pth`) },
    }));
    const script = path.join(root, 'test/golden/training_loop.py');
    answers = JSON.parse(runPython(script, [], { input: JSON.stringify(jobs) }));
  });

  for (const [i, each] of cases.entries()) {
    const isAveraged = 'average' in each.ours;
    const assertEnd = async ({ state, lastState }) => {
      assert.ok((lastState ?? state).equals(await loadState(at(`out-${i}.pth`))), 'the weights differ');
      assert.equal(lastState !== undefined, isAveraged);
      if (isAveraged) assert.ok(state.equals(await loadState(at(`average-${i}.pth`))), 'the averages differ');
    };

    it(`has ${each.name}: losses, weights and averages are PyTorch's, which continues a checkpoint of ours`, async () => {
      const { losses, continued, same } = answers[i];
      assert.deepEqual(lossesOf(runs[i]), losses);
      await assertEnd(runs[i]);
      assert.deepEqual(continued, losses.slice(losses.length - continued.length));
      assert.ok(continued.length > 0 && continued.length < losses.length);
      for (const [what, isSame] of Object.entries(same)) assert.ok(isSame, what);
    });

    it(`has ${each.name}: and is resumed within an epoch`, async () => {
      const { model, data } = optionsOf(each);
      const resumed = await recorded('', { model, data, threads: 1, resume: at(`ours-${i}.ckpt`) });
      const { losses } = answers[i];
      assert.deepEqual(lossesOf(resumed), losses.slice(losses.length - resumed.losses.length));
      await assertEnd(resumed);
    });
  }
});
