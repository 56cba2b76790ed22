// The cases in which drift detectors are compared with River's, and what ours make of them: for test/unit/detectors.test.mjs,
// detectors.test.mjs and renew-detectors.mjs.
import { createHash } from 'node:crypto';
import { adwin, ddm, eddm, kswin, pageHinkley } from 'torch-incremental';
import { startDetector } from '../../dist/detectors/index.js';

/**
 * The numbers of a stream { values, parts, seed }. A part [count, first, last] has a level that goes from `first` to `last`.
 * 'bits' are 1 with the level's probability; 'reals' lie around it, nearly normal with a variance of 1/3.
 */
export function* numbers({ values, parts, seed }) {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (const [count, first, last] of parts) {
    for (let i = 0; i < count; i++) {
      const level = first + ((last - first) * i) / count;
      if (values === 'bits') yield uniform() < level ? 1 : 0;
      else yield level + (uniform() + uniform() + uniform() + uniform() - 2);
    }
  }
}

/** What our detector makes of a stream, as detectors.py writes what River's does. */
export function outcomeOf({ detector, stream }) {
  const running = startDetector(detector);
  const warnings = [];
  const drifts = [];
  const windows = createHash('sha256');
  const pair = Buffer.alloc(16);
  let i = 0;
  for (const value of numbers(stream)) {
    const said = running.update(value);
    if (said === 'drift') drifts.push(i);
    else if (said === 'warning' && warnings.at(-1)?.[1] === i - 1) warnings.at(-1)[1] = i;
    else if (said === 'warning') warnings.push([i, i]);
    if (detector.kind === 'adwin') {
      const { width, total } = running.toJSON();
      pair.writeDoubleLE(width, 0);
      pair.writeDoubleLE(total / width, 8);
      windows.update(pair);
    }
    i++;
  }
  return { warnings, drifts, ...(detector.kind === 'adwin' && { windows: windows.digest('hex') }) };
}

const streams = {
  'errors that stay as frequent': { values: 'bits', parts: [[4000, 0.2, 0.2]] },
  'errors that jump from .1 to .3 and back': {
    values: 'bits',
    parts: [
      [1500, 0.1, 0.1],
      [1500, 0.3, 0.3],
      [1500, 0.1, 0.1],
    ],
  },
  'errors that slowly become more': {
    values: 'bits',
    parts: [
      [1000, 0.1, 0.1],
      [3000, 0.1, 0.5],
      [500, 0.5, 0.5],
    ],
  },
  'errors all the time, and then none': {
    values: 'bits',
    parts: [
      [500, 1, 1],
      [500, 0, 0],
      [500, 0.5, 0.5],
    ],
  },
};

const realStreams = {
  'numbers that stay': { values: 'reals', parts: [[3000, 0.5, 0.5]] },
  'numbers that jump up and down': {
    values: 'reals',
    parts: [
      [800, 0, 0],
      [800, 1, 1],
      [800, -3, -3],
    ],
  },
  'numbers that slowly change': {
    values: 'reals',
    parts: [
      [500, 10, 10],
      [2000, 10, 13],
      [500, 13, 9],
    ],
  },
};

const forBits = [ddm(), ddm({ warmStart: 100, warningThreshold: 1, driftThreshold: 1.5 }), eddm()];
forBits.push(eddm({ warmStart: 5, alpha: 0.8, beta: 0.75 }));

const forAny = [
  adwin(),
  adwin({ delta: 0.3, clock: 1, maxBuckets: 2, minWindowLength: 1, gracePeriod: 0 }),
  kswin(),
  kswin({ alpha: 0.05, windowSize: 300, statSize: 9, seed: 2 ** 40 + 3 }),
  pageHinkley(),
  ...['up', 'down'].map((mode) => pageHinkley({ minInstances: 10, delta: 0.05, threshold: 8, alpha: 0.99, mode })),
];

/** With other seeds, the same cases on other numbers. */
export const casesFrom = (seed) =>
  [...Object.entries(streams), ...Object.entries(realStreams)].flatMap(([name, stream], i) =>
    (name in streams ? [...forBits, ...forAny] : forAny).map((detector) => ({
      name: `${JSON.stringify(detector)} on ${name}`,
      detector,
      stream: { ...stream, seed: seed + i },
    })),
  );
