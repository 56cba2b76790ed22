// Models, options and data of the tests that compare optimizers with torch.optim. A new optimizer is a line of `options`.
import { arrays, batchNorm2d, conv2d, flatten, linear, maxPool2d, relu, sequential } from 'torch-incremental';

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
};

const nameOf = (name) => name.replace('learningRate', 'lr').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
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
