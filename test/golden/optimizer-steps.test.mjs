// Every optimizer against torch.optim: 39 steps of a CNN with batch norm and of an MLP have the same losses, weights and states to the
// bit, also where the run was continued by the other language on the way.
import assert from 'node:assert/strict';
import { optimizers } from '../../dist/optimizers/index.js';
import { needs, temporaryFolder } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';
import {
  assertAgreement,
  besides,
  cases,
  common,
  lossesOf,
  models,
  nameOfCase,
  options,
  trainedByBoth,
} from './optimizer-cases.mjs';

describe('optimizers beside those of torch.optim', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  let answers, runs;
  const optionsOf = ({ kind, given, model }) => ({
    ...{ ...common, model: models[model], epochs: 3, optimizer: optimizers.makers[kind](given) },
    ...besides({ kind, model }).ours,
  });

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    ({ runs, answers } = await trainedByBoth(at, optionsOf, (each) => besides(each).theirs));
  });

  it('are all of the family', () => assert.deepEqual(Object.keys(options), [...optimizers.words]));

  for (const [i, each] of cases.entries()) {
    const name = nameOfCase(each);
    it(`${name}: losses, weights, groups and state are PyTorch's, and its own after a checkpoint of ours`, () =>
      assertAgreement(runs[i], answers[i], at(`out-${i}.pth`)));

    it(`${name}: continues a checkpoint of PyTorch`, async () => {
      const { model, data, batchSize, shuffle, epochs } = optionsOf(each);
      const given = { model, data, batchSize, shuffle, epochs, threads: 1, ...besides(each).ours };
      const resumed = await recorded('', { ...given, resume: at(`theirs-${i}.ckpt`) });
      assert.deepEqual(lossesOf(resumed), answers[i].losses.slice(13));
      assert.ok(resumed.state.equals(runs[i].state), 'the weights differ');
    });

    // A step of RMSprop begins with signs, and Muon computes in bfloat16: there roundings, which each processor has of its own, grow from step
    // to step. So few are compared, from the beginning and from a checkpoint.
    it(`${name}: fast mode is one pass over memory, with the same bits or but for roundings`, async () => {
      const { losses } = answers[i];
      const assertNear = (found, first) => {
        for (const [k, loss] of found.entries())
          assert.ok(Math.abs(loss - losses[first + k]) < 1e-4 * (1 + losses[first + k]), `step ${first + k}`);
      };
      const fast = await recorded(at(`${each.model}.pth`), { ...optionsOf(each), mode: 'fast' });
      assertNear(lossesOf(fast).slice(0, 3), 0);
      const { model, data, batchSize, shuffle, epochs } = optionsOf(each);
      const given = { model, data, batchSize, shuffle, epochs, threads: 1, mode: 'fast', ...besides(each).ours };
      const resumed = await recorded('', { ...given, resume: at(`theirs-${i}.ckpt`) });
      assertNear(lossesOf(resumed).slice(0, 6), 13);
    });
  }
});
