// Models, options, data and the run of the tests that compare optimizers with torch.optim. A new optimizer is a line of `options`.
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  adamW,
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
import { root, runPython } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';

export const models = {
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
export const options = {
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
  adafactor: [
    {},
    { weightDecay: 0.5, eps: [0.0001, 0.1], learningRate: 0.5 },
    { maximize: true, beta2Decay: -0.5, d: 2, learningRate: 0.01 },
  ],
  // At a higher rate, bfloat16 makes differences of fast mode's roundings too large to compare.
  muon: [
    { learningRate: 0.01 },
    { weightDecay: 0, momentum: 0.5, nesterov: false, nsSteps: 3 },
    { adjustLearningRateFn: 'match_rms_adamw', nsCoefficients: [3, -4, 2], eps: 0.1, weightDecay: 1 },
  ],
};

/** Muon takes matrices alone: other parameters of these models go to AdamW, here and in Python. */
const others = {
  cnn: ['conv.weight', 'conv.bias', 'bn.weight', 'bn.bias', 'fc.bias'],
  mlp: ['fc1.bias', 'fc2.bias'],
};
const restOf = {
  muon: (model) => ({
    ours: { parameterGroups: [{ parameters: others[model], optimizer: adamW({ learningRate: 0.01 }) }] },
    theirs: { rest: { optimizer: 'AdamW', options: { lr: 0.01 }, params: others[model] } },
  }),
};
/** What a run with such an optimizer needs besides: options of the run, and of its job in Python. */
export const besides = ({ kind, model }) => restOf[kind]?.(model) ?? { ours: {}, theirs: {} };

const nameOf = (name) =>
  name
    .replace(/learningRate/i, (word) => (word[0] === 'L' ? 'Lr' : 'lr'))
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
export const forPython = (given) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [nameOf(name), value]));

const n = 104;
export const inputs = Float32Array.from(
  { length: n * 192 },
  (_, i) => ((Math.imul(i, 2654435761) >>> 8) % 2001) / 1000 - 1,
);
export const labels = Int32Array.from({ length: n }, (_, i) => (i * 7) % 5);
export const common = {
  data: arrays({ inputs, labels, shape: [3, 8, 8] }),
  batchSize: 8,
  shuffle: false,
  threads: 1,
  seed: 0,
};

export const lossesOf = ({ losses }) => losses.map(([, , loss]) => loss);

/** Every optimizer's options on each model. */
export const cases = Object.entries(options).flatMap(([kind, list]) =>
  list.flatMap((given) =>
    Object.keys(models).map((model) => ({ kind, given: { learningRate: 0.05, ...given }, model })),
  ),
);

export const nameOfCase = ({ kind, given, model }) => `${kind}(${JSON.stringify(given)}) on the ${model}`;

/**
 * Runs all cases here and in Python, in files of the folder: `out-<i>.pth` of Python, the checkpoints `ours-<i>.ckpt` and
 * `theirs-<i>.ckpt` after 13 steps. `optionsOf`: of a run; `moreOf`: of its job in Python.
 */
export async function trainedByBoth(at, optionsOf, moreOf = () => ({})) {
  for (const [name, model] of Object.entries(models)) {
    await saveState(await createState(model, { seed: 1 }), at(`${name}.pth`));
  }
  const runs = [];
  for (const [i, each] of cases.entries()) {
    const init = at(`${each.model}.pth`);
    await recorded(init, { ...optionsOf(each), epochs: 1, checkpoint: { path: at(`ours-${i}.ckpt`) } });
    runs.push(await recorded(init, { ...optionsOf(each), checkpoint: { path: at(`end-${i}.ckpt`) } }));
  }
  const jobs = cases.map((each, i) => ({
    ...{ model: each.model, optimizer: optimizers.entryOf(each).torchName, options: forPython(each.given) },
    ...{ inputs: [...inputs], labels: [...labels], init: at(`${each.model}.pth`), out: at(`out-${i}.pth`) },
    ...{ ours: at(`ours-${i}.ckpt`), end: at(`end-${i}.ckpt`), theirs: at(`theirs-${i}.ckpt`) },
    ...moreOf(each),
  }));
  const script = path.join(root, 'test/golden/optimizer_steps.py');
  return { runs, answers: JSON.parse(runPython(script, [], { input: JSON.stringify(jobs) })) };
}

/** A run is Python's to the bit, and so is Python's own after the checkpoint `ours`. */
export async function assertAgreement(run, { losses, continued, done, same }, out) {
  assert.deepEqual(lossesOf(run), losses);
  assert.ok(run.state.equals(await loadState(out)), 'the weights differ');
  assert.equal(done, 13);
  assert.deepEqual(continued, losses.slice(13));
  for (const [what, isSame] of Object.entries(same)) assert.ok(isSame, what);
}
