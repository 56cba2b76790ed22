// Schedulers with their variants, for schedulers.test.mjs: what their makers are called with, nested ones as [kind, …arguments], and
// the optimizer whose rates they move. `monitored`: what the validation after each epoch gives.

import { schedulerForm, schedulers } from '../../dist/schedulers/index.js';

/** Options that are integers in Python; JSON has no floats that are whole. */
const integers = new Set(
  [
    'stepSize',
    'milestones',
    'totalIters',
    'tMax',
    't0',
    'tMult',
    'stepSizeUp',
    'stepSizeDown',
    'totalSteps',
    'epochs',
  ].concat(['stepsPerEpoch', 'patience', 'cooldown']),
);
const pythonName = (name) =>
  name
    .replace(/learningRate/i, (word) => (word === 'learningRate' ? 'lr' : 'Lr'))
    .replace(/^t(?=0|Max|Mult)/, 'T_')
    .replace('Max', name.startsWith('tMax') ? 'max' : 'Max')
    .replace('Mult', name.startsWith('tMult') ? 'mult' : 'Mult')
    .replace(/(?<!^)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace('T__', 'T_');
/** Floats that are whole are marked for Python. */
export const forPython = (options) =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([name]) => name !== 'every')
      .map(([name, value]) => [pythonName(name), marked(name, value)]),
  );
const marked = (name, value) => {
  if (Array.isArray(value)) return value.map((item) => marked(name, item));
  return typeof value === 'number' && !integers.has(name) ? { float: String(value) } : value;
};

/** For schedulers.py. */
export const specOf = ([kind, first, second]) => {
  const name = schedulerForm({ kind }).torchName;
  return Array.isArray(first) ? [name, first.map(specOf), forPython(second ?? {})] : [name, forPython(first)];
};
export const madeFrom = ([kind, first, second]) =>
  Array.isArray(first)
    ? schedulers.makers[kind](first.map(madeFrom), ...(second ? [second] : []))
    : schedulers.makers[kind](first);

/** Numbers of a loss that falls, stays, jumps and becomes infinite, and of one below 0. */
const falls = Array.from(
  { length: 50 },
  (_, i) => 2 / (1 + Math.min(i, 12)) + (i % 7 === 3 ? 0.5 : 0) + 0.001 * (i % 3),
);
const bounces = Array.from({ length: 50 }, (_, i) => (i === 20 ? Infinity : Math.sin(i * 1.7) - 0.02 * i));
const rises = falls.map((value) => 1 - value);

const groups = {
  one: [{ learningRate: 0.1 }],
  two: [{ learningRate: 0.1 }, { learningRate: 0.003, momentum: 0.5 }],
  three: [{ learningRate: 0.1 }, { learningRate: 1e-5 }, { learningRate: 7 }],
};
const sgd = (list = groups.two) => ({ kind: 'sgd', options: { momentum: 0.9 }, groups: list });
const adam = (list = groups.three) => ({ kind: 'adam', options: {}, groups: list });
const adagrad = (list = groups.three) => ({ kind: 'adagrad', options: {}, groups: list });

const warmUp = ['linearLR', { startFactor: 0.1, totalIters: 5 }];
const cosine = ['cosineAnnealingLR', { tMax: 45 }];
const cyclic = { baseLearningRate: 0.001, maxLearningRate: 0.1, stepSizeUp: 4 };

const simple = [
  ['stepLR', { stepSize: 7 }],
  ['stepLR', { stepSize: 1, gamma: 0.97 }],
  ['stepLR', { stepSize: 60, gamma: 0.5 }],
  ['multiStepLR', { milestones: [5, 11, 30] }],
  ['multiStepLR', { milestones: [0, 3, 3, 3, 17, 17], gamma: 0.7 }],
  ['multiStepLR', { milestones: [], gamma: 0.7 }],
  ['constantLR', {}],
  ['constantLR', { factor: 0.7, totalIters: 13 }],
  ['constantLR', { factor: 1, totalIters: 1 }],
  ['linearLR', {}],
  ['linearLR', { startFactor: 0.001, totalIters: 40 }],
  ['linearLR', { startFactor: 1, endFactor: 0, totalIters: 30 }],
  ['linearLR', { startFactor: 0.25, endFactor: 0.75, totalIters: 13 }],
  ['exponentialLR', { gamma: 0.9 }],
  ['exponentialLR', { gamma: 1.01 }],
  ['polynomialLR', {}],
  ['polynomialLR', { totalIters: 37, power: 2 }],
  ['polynomialLR', { totalIters: 100, power: 0.9 }],
  ['cosineAnnealingLR', { tMax: 50 }],
  ['cosineAnnealingLR', { tMax: 7, etaMin: 1e-6 }],
  ['cosineAnnealingLR', { tMax: 1, etaMin: 0.01 }],
  ['cosineAnnealingLR', { tMax: 13 }],
  ['cosineAnnealingWarmRestarts', { t0: 10 }],
  ['cosineAnnealingWarmRestarts', { t0: 1, tMult: 2, etaMin: 0.001 }],
  ['cosineAnnealingWarmRestarts', { t0: 3, tMult: 3 }],
];

const nested = [
  ['sequentialLR', [warmUp, cosine], { milestones: [5] }],
  ['sequentialLR', [warmUp, ['exponentialLR', { gamma: 0.9 }], ['stepLR', { stepSize: 3 }]], { milestones: [5, 13] }],
  ['sequentialLR', [warmUp], { milestones: [] }],
  [
    'sequentialLR',
    [
      ['constantLR', {}],
      ['multiStepLR', { milestones: [0, 2, 2, 9] }],
      ['constantLR', {}],
    ],
    { milestones: [1, 20] },
  ],
  [
    'sequentialLR',
    [['exponentialLR', { gamma: 0.9 }], ['polynomialLR', { totalIters: 20, power: 0.7 }], warmUp],
    { milestones: [13, 30] },
  ],
  ['sequentialLR', [warmUp, ['cosineAnnealingWarmRestarts', { t0: 6, tMult: 2 }]], { milestones: [7] }],
  ['sequentialLR', [['cosineAnnealingWarmRestarts', { t0: 6 }], cosine], { milestones: [14] }],
  ['sequentialLR', [cosine, ['cosineAnnealingLR', { tMax: 3, etaMin: 0.01 }]], { milestones: [12] }],
  [
    'sequentialLR',
    [['sequentialLR', [warmUp, ['stepLR', { stepSize: 2 }]], { milestones: [4] }], cosine],
    { milestones: [20] },
  ],
  [
    'sequentialLR',
    [
      ['sequentialLR', [warmUp, cosine], { milestones: [1] }],
      ['linearLR', {}],
    ],
    { milestones: [9] },
  ],
  ['sequentialLR', [['chainedScheduler', [warmUp, ['exponentialLR', { gamma: 0.9 }]]], cosine], { milestones: [20] }],
  [
    'chainedScheduler',
    [
      ['constantLR', { factor: 0.1, totalIters: 4 }],
      ['exponentialLR', { gamma: 0.9 }],
    ],
  ],
  ['chainedScheduler', [warmUp, ['stepLR', { stepSize: 9 }], ['cosineAnnealingLR', { tMax: 11 }]]],
  [
    'chainedScheduler',
    [
      ['sequentialLR', [warmUp, cosine], { milestones: [5] }],
      ['multiStepLR', { milestones: [13, 14] }],
    ],
  ],
  [
    'chainedScheduler',
    [
      ['cosineAnnealingWarmRestarts', { t0: 6 }],
      ['exponentialLR', { gamma: 0.9 }],
    ],
  ],
];

const cycled = [
  ['cyclicLR', cyclic],
  ['cyclicLR', { ...cyclic, stepSizeDown: 9 }],
  ['cyclicLR', { ...cyclic, stepSizeDown: 0 }],
  [
    'cyclicLR',
    { ...cyclic, stepSizeUp: 1, stepSizeDown: 6, mode: 'triangular2', baseMomentum: 0.5, maxMomentum: 0.99 },
  ],
  ['cyclicLR', { ...cyclic, mode: 'triangular2', gamma: 0.5 }],
  ['cyclicLR', { ...cyclic, mode: 'exp_range', gamma: 0.95, stepSizeDown: 3 }],
  ['cyclicLR', { ...cyclic, cycleMomentum: false }],
  ['oneCycleLR', { maxLearningRate: 0.1, totalSteps: 50 }],
  ['oneCycleLR', { maxLearningRate: 0.1, totalSteps: 60, pctStart: 0.17, annealStrategy: 'linear' }],
  ['oneCycleLR', { maxLearningRate: 0.3, totalSteps: 50, threePhase: true, divFactor: 7, finalDivFactor: 33 }],
  ['oneCycleLR', { maxLearningRate: 1, totalSteps: 51, threePhase: true, annealStrategy: 'linear', pctStart: 0.41 }],
  ['oneCycleLR', { maxLearningRate: 0.1, totalSteps: 50, cycleMomentum: false, pctStart: 0 }],
  ['oneCycleLR', { maxLearningRate: 0.1, totalSteps: 50, pctStart: 0.9, baseMomentum: 0.1, maxMomentum: 0.2 }],
  ['oneCycleLR', { maxLearningRate: 0.1, epochs: 10, stepsPerEpoch: 5 }],
  ['sequentialLR', [['cyclicLR', cyclic], cosine], { milestones: [13] }],
  ['sequentialLR', [warmUp, ['cyclicLR', { ...cyclic, mode: 'exp_range', gamma: 0.9 }]], { milestones: [5] }],
  ['sequentialLR', [warmUp, ['oneCycleLR', { maxLearningRate: 0.1, totalSteps: 45 }]], { milestones: [5] }],
  [
    'chainedScheduler',
    [
      ['oneCycleLR', { maxLearningRate: 0.1, totalSteps: 50 }],
      ['exponentialLR', { gamma: 0.9 }],
    ],
  ],
];

const plateaus = [
  [{}, falls],
  [{ patience: 0 }, bounces],
  [{ patience: 2, cooldown: 3, factor: 0.5 }, falls],
  [{ patience: 1, thresholdMode: 'abs', threshold: 0.05 }, falls],
  [{ patience: 1, mode: 'max' }, rises],
  [{ patience: 1, mode: 'max', thresholdMode: 'abs', threshold: 0.2, cooldown: 1 }, bounces],
  [{ patience: 0, minLearningRate: 0.002, factor: 0.3 }, bounces],
  [{ patience: 0, minLearningRate: [0.01, 0.0001], eps: 0.001 }, bounces],
  [{ patience: 0, factor: 0 }, falls],
];

export const cases = [
  ...[...simple, ...nested, ...cycled].map((scheduler) => ({ scheduler, optimizer: sgd() })),
  ...[...nested.slice(0, 3), ...cycled].map((scheduler) => ({ scheduler, optimizer: adam() })),
  ...simple.slice(-3).map((scheduler) => ({ scheduler, optimizer: adagrad() })),
  ...['cyclicLR', 'oneCycleLR'].map((kind) => ({
    scheduler: [
      kind,
      { ...(kind === 'cyclicLR' ? cyclic : { maxLearningRate: 1, totalSteps: 50 }), cycleMomentum: false },
    ],
    optimizer: adagrad(),
  })),
  {
    scheduler: [
      'cyclicLR',
      {
        baseLearningRate: [0.1, 0.2],
        maxLearningRate: [1, 0.3],
        stepSizeUp: 3,
        baseMomentum: [0.1, 0.2],
        maxMomentum: [0.9, 0.8],
      },
    ],
    optimizer: sgd(),
  },
  {
    scheduler: [
      'oneCycleLR',
      { maxLearningRate: [1, 0.3], totalSteps: 50, baseMomentum: [0.1, 0.2], maxMomentum: [0.9, 0.8] },
    ],
    optimizer: sgd(),
  },
  ...plateaus.map(([options, monitored]) => ({
    scheduler: ['reduceLROnPlateau', options],
    optimizer: sgd(),
    monitored,
  })),
];
