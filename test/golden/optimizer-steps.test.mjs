// Every optimizer against torch.optim: 39 steps of a CNN with batch norm and of an MLP have the same losses, weights and states to the
// bit, also where the run was continued by the other language on the way. A new optimizer is a line of `options`.
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  flatten,
  linear,
  loadState,
  maxPool2d,
  relu,
  saveState,
  sequential,
} from 'torch-incremental';
import { optimizers } from '../../dist/optimizers/index.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';

const models = {
  cnn: sequential(
    {
      ...{ conv: conv2d(3, 4, 3, { padding: 1 }), bn: batchNorm2d(4), relu: relu(), pool: maxPool2d(2) },
      ...{ flatten: flatten(), fc: linear(64, 5) },
    },
    { input: [3, 8, 8] },
  ),
  mlp: sequential({ flatten: flatten(), fc1: linear(192, 16), relu: relu(), fc2: linear(16, 5) }, { input: [3, 8, 8] }),
};

/** For each optimizer: defaults, then its main options. */
const options = {
  sgd: [
    { momentum: 0.9 },
    { momentum: 0.9, weightDecay: 0.01, nesterov: true },
    { momentum: 0.9, dampening: 0.5, weightDecay: 0.1 },
    { momentum: 0, maximize: true, learningRate: 0.001 },
  ],
  adam: [
    {},
    { weightDecay: 0.01 },
    { amsgrad: true, betas: [0.8, 0.9], learningRate: 0.01 },
    { betas: [0.5, 0.99], eps: 0.001 },
    { betas: [0, 0], eps: 0.01 },
    { maximize: true, weightDecay: 0.1 },
  ],
  adamW: [
    {},
    { weightDecay: 0.5, learningRate: 0.01 },
    { amsgrad: true, betas: [0.4, 0.9] },
    { weightDecay: 0, maximize: true },
  ],
  nAdam: [
    {},
    { weightDecay: 0.1, momentumDecay: 0.1 },
    { weightDecay: 0.1, decoupledWeightDecay: true, maximize: true },
  ],
  rAdam: [
    {},
    { weightDecay: 0.1, betas: [0.8, 0.9] },
    { weightDecay: 0.1, decoupledWeightDecay: true, maximize: true },
  ],
  adamax: [{}, { weightDecay: 0.1, betas: [0.5, 0.9] }, { maximize: true, eps: 0.01 }],
  adagrad: [
    {},
    { weightDecay: 0.1, learningRateDecay: 0.1 },
    { initialAccumulatorValue: 0.5, eps: 0.001, maximize: true },
  ],
  adadelta: [{ learningRate: 1 }, { weightDecay: 0.1, rho: 0.5, learningRate: 2 }, { maximize: true, eps: 0.001 }],
  rmsprop: [
    {},
    { weightDecay: 0.1, momentum: 0.9, learningRate: 0.001 },
    { centered: true, alpha: 0.8 },
    { centered: true, momentum: 0.5, maximize: true, learningRate: 0.001 },
  ],
  rprop: [{}, { etas: [0.3, 1.5], stepSizes: [0.001, 0.1] }, { maximize: true, learningRate: 0.001 }],
  asgd: [{}, { weightDecay: 0.1, lambd: 0.01, alpha: 0.5 }, { t0: 10, maximize: true, learningRate: 0.001 }],
};

const nameOf = (name) => name.replace('learningRate', 'lr').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const forPython = (given) => Object.fromEntries(Object.entries(given).map(([name, value]) => [nameOf(name), value]));

const n = 104;
const inputs = Float32Array.from({ length: n * 192 }, (_, i) => ((Math.imul(i, 2654435761) >>> 8) % 2001) / 1000 - 1);
const labels = Int32Array.from({ length: n }, (_, i) => (i * 7) % 5);
const common = {
  data: arrays({ inputs, labels, shape: [3, 8, 8] }),
  batchSize: 8,
  shuffle: false,
  threads: 1,
  seed: 0,
};

const cases = Object.entries(options).flatMap(([kind, list]) =>
  list.flatMap((given) =>
    Object.keys(models).map((model) => ({ kind, given: { learningRate: 0.05, ...given }, model })),
  ),
);
const lossesOf = ({ losses }) => losses.map(([, , loss]) => loss);

describe('optimizers beside those of torch.optim', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  let answers;
  const runs = [];
  const optionsOf = ({ kind, given, model }) => ({
    ...{ ...common, model: models[model], epochs: 3, optimizer: optimizers.makers[kind](given) },
  });

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    for (const [name, model] of Object.entries(models)) {
      await saveState(await createState(model, { seed: 1 }), at(`${name}.pth`));
    }
    for (const [i, each] of cases.entries()) {
      const init = at(`${each.model}.pth`);
      await recorded(init, { ...optionsOf(each), epochs: 1, checkpoint: { path: at(`ours-${i}.ckpt`) } });
      runs.push(await recorded(init, { ...optionsOf(each), checkpoint: { path: at(`end-${i}.ckpt`) } }));
    }
    const jobs = cases.map(({ kind, given, model }, i) => ({
      ...{ model, optimizer: optimizers.entryOf({ kind }).torchName, options: forPython(given) },
      ...{ inputs: [...inputs], labels: [...labels], init: at(`${model}.pth`), out: at(`out-${i}.pth`) },
      ...{ ours: at(`ours-${i}.ckpt`), end: at(`end-${i}.ckpt`), theirs: at(`theirs-${i}.ckpt`) },
    }));
    const script = path.join(root, 'test/golden/optimizer_steps.py');
    answers = JSON.parse(runPython(script, [], { input: JSON.stringify(jobs) }));
  });

  it('are all of the family', () => assert.deepEqual(Object.keys(options), [...optimizers.words]));

  for (const [i, each] of cases.entries()) {
    const name = `${each.kind}(${JSON.stringify(each.given)}) on the ${each.model}`;
    it(`${name}: losses, weights, groups and state are PyTorch's, and its own after a checkpoint of ours`, async () => {
      const { losses, continued, done, same } = answers[i];
      assert.deepEqual(lossesOf(runs[i]), losses);
      assert.ok(runs[i].state.equals(await loadState(at(`out-${i}.pth`))), 'the weights differ');
      assert.equal(done, 13);
      assert.deepEqual(continued, losses.slice(13));
      for (const [what, isSame] of Object.entries(same)) assert.ok(isSame, what);
    });

    it(`${name}: continues a checkpoint of PyTorch`, async () => {
      const { model, data, batchSize, shuffle, epochs } = optionsOf(each);
      const given = { model, data, batchSize, shuffle, epochs, threads: 1 };
      const resumed = await recorded('', { ...given, resume: at(`theirs-${i}.ckpt`) });
      assert.deepEqual(lossesOf(resumed), answers[i].losses.slice(13));
      assert.ok(resumed.state.equals(runs[i].state), 'the weights differ');
    });

    it(`${name}: fast mode is one pass over memory, with the same bits or but for roundings`, async () => {
      const fast = await recorded(at(`${each.model}.pth`), { ...optionsOf(each), mode: 'fast' });
      const { losses } = answers[i];
      for (const [k, loss] of lossesOf(fast).entries()) assert.ok(Math.abs(loss - losses[k]) < 1e-3 * (1 + losses[k]));
    });
  }
});
