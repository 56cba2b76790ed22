// The replay buffer of an online learner, through the addon: the samples that it keeps, and how often it draws them.
import assert from 'node:assert/strict';
import { createState, crossEntropyLoss, linear, sequential, sgd } from 'torch-incremental';
import { lossPlan } from '../../dist/losses/plan.js';
import native from '../../dist/native/native.js';
import { programHandle } from '../../dist/native/programs.js';
import { stateHandle } from '../../dist/state/state.js';

const { native: addon } = native;
const classes = 4;
const model = sequential({ out: linear(1, classes) }, { input: [1] });

/** A learner of samples that are one number each. */
async function learnerWith(replay, seed, state, start) {
  return addon().makeLearner({
    program: await programHandle(model.program),
    state: stateHandle(state),
    ...{ names: state.names, transforms: [[]], scoring: [[]], order: [0], classes },
    ...{ inputs: [{ name: 'input', dtype: 'float32', shape: [1] }], target: { kind: 'class', shape: [] } },
    groups: [{ optimizer: sgd({ learningRate: 0, momentum: 0 }), parameters: [0, 1] }],
    maxGradientNorm: 0,
    loss: lossPlan(crossEntropyLoss(), model),
    ...{ mode: 'exact', precision: 'fp32', contractLinear: true, replay, seed, threads: 1, niceness: 0 },
    ...(start && { start }),
  });
}

/** Shows it numbers `first` to `last` - 1, with labels by `labelOf`. */
async function show(learner, state, first, last, labelOf = () => 0) {
  for (let from = first; from < last; from += 100) {
    const numbers = Array.from({ length: Math.min(100, last - from) }, (_, i) => from + i);
    await addon().learnerUpdate(learner, {
      rules: 1,
      ...{ inputs: [Float32Array.from(numbers)], targets: Int32Array.from(numbers, labelOf) },
      ...{ served: stateHandle(state), replayed: 0, rate: 1, keep: true },
    });
  }
}

/** What it holds: the numbers and their labels. */
async function contents(learner) {
  const { replay } = await addon().learnerState(learner);
  const [inputs, labels] = [
    new Float32Array(addon().stateTensor(replay, 0)),
    new BigInt64Array(addon().stateTensor(replay, 1)),
  ];
  return { inputs, labels: Array.from(labels, Number) };
}

/** The same learner again from its state, as after an interruption. */
async function reopened(learner, replay, state) {
  const { model: weights, rest, replay: kept } = await addon().learnerState(learner);
  addon().disposeLearner(learner);
  assert.equal(addon().stateInfo([weights])[0].length, state.names.length);
  return learnerWith(replay, 0, state, {
    random: { state: rest, index: 0 },
    ...{ slots: [], average: [], averaged: 0 },
    replay: addon()
      .stateInfo([kept])[0]
      .map((_, index) => ({ state: kept, index })),
  });
}

/** Wilson and Hilferty's approximation of the probability of a larger chi-square, by the normal distribution's tail. */
function tailOfChiSquare(value, freedom) {
  const z = (Math.cbrt(value / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
  // Abramowitz and Stegun, 7.1.26.
  const t = 1 / (1 + (0.3275911 * Math.abs(z)) / Math.SQRT2);
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const tail = (poly * Math.exp((-z * z) / 2)) / 2;
  return z > 0 ? tail : 1 - tail;
}

describe('the replay buffer', function () {
  this.timeout(300_000);
  let state;

  before(async () => {
    state = await createState(model, { seed: 1 });
  });

  for (const half of [false, true]) {
    const when = half ? ', also where it is saved and opened again half-way' : '';
    it(`keeps each of 1,000 samples with the same probability: chi-square over 2,000 trials${when}`, async () => {
      const [trials, capacity, count] = [2000, 50, 1000];
      const replay = { policy: 'reservoir', capacity, perUpdate: 0 };
      const kept = new Float64Array(count);
      for (let trial = 0; trial < trials; trial++) {
        let learner = await learnerWith(replay, trial, state);
        if (half) {
          await show(learner, state, 0, count / 2);
          learner = await reopened(learner, replay, state);
        }
        await show(learner, state, half ? count / 2 : 0, count);
        const { inputs } = await contents(learner);
        assert.equal(new Set(inputs).size, capacity);
        for (const number of inputs) kept[number]++;
        addon().disposeLearner(learner);
      }
      // Each trial keeps exactly `capacity`: counts vary less than independent ones by the factor 1 - capacity / count.
      const expected = (trials * capacity) / count;
      const statistic = kept.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0) / (1 - capacity / count);
      const probability = tailOfChiSquare(statistic, count - 1);
      assert.ok(probability > 0.01 && probability < 0.9999, `chi-square ${statistic}, p ${probability}`);
    });
  }

  it('resumes from its state as if there had been no interruption', async () => {
    for (const policy of ['reservoir', 'classBalanced']) {
      const replay = { policy, capacity: 50, perUpdate: 10 };
      const [whole, first] = [await learnerWith(replay, 3, state), await learnerWith(replay, 3, state)];
      const labelOf = (number) => (number % 10 === 0 ? 1 : number % 3 === 0 ? 2 : 0);
      await show(whole, state, 0, 2000, labelOf);
      await show(first, state, 0, 700, labelOf);
      const second = await reopened(first, replay, state);
      await show(second, state, 700, 2000, labelOf);
      assert.deepEqual(await contents(second), await contents(whole));
      for (const learner of [whole, second]) addon().disposeLearner(learner);
    }
  });

  it('keeps rare classes first when it is class-balanced', async () => {
    const learner = await learnerWith({ policy: 'classBalanced', capacity: 60, perUpdate: 0 }, 5, state);
    // One in a hundred of class 3, one in ten of class 1, the others of class 0.
    await show(learner, state, 0, 5000, (number) => (number % 100 === 0 ? 3 : number % 10 === 0 ? 1 : 0));
    const { labels, inputs } = await contents(learner);
    const counts = [0, 1, 2, 3].map((label) => labels.filter((one) => one === label).length);
    assert.deepEqual(counts, [20, 20, 0, 20]);
    // Not only the first or the last of each.
    assert.ok(Math.max(...inputs) > 3500 && Math.min(...inputs) < 1500);
    addon().disposeLearner(learner);
  });

  it('keeps a part when it is restored with less room: each sample with the same probability, rare classes first', async () => {
    const kept = new Map();
    for (let seed = 0; seed < 200; seed++) {
      const learner = await learnerWith({ policy: 'reservoir', capacity: 50, perUpdate: 0 }, seed, state);
      await show(learner, state, 0, 50);
      const smaller = await reopened(learner, { policy: 'reservoir', capacity: 10, perUpdate: 0 }, state);
      const { inputs } = await contents(smaller);
      const numbers = new Set(inputs);
      assert.equal(numbers.size, 10);
      for (const number of numbers) kept.set(number, (kept.get(number) ?? 0) + 1);
      addon().disposeLearner(smaller);
    }
    assert.equal(kept.size, 50);
    // 40 each, with a standard deviation of 5.7.
    for (const [number, count] of kept) assert.ok(count > 15 && count < 65, `sample ${number} was kept ${count} times`);

    const balanced = (capacity) => ({ policy: 'classBalanced', capacity, perUpdate: 0 });
    const learner = await learnerWith(balanced(60), 5, state);
    await show(learner, state, 0, 60, (number) => (number < 5 ? 3 : number < 20 ? 1 : 0));
    const smaller = await reopened(learner, balanced(25), state);
    const { labels } = await contents(smaller);
    assert.deepEqual(
      [0, 1, 3].map((label) => labels.filter((one) => one === label).length),
      [10, 10, 5],
    );
    addon().disposeLearner(smaller);
  });

  it('refuses a state that is not one of such a buffer', async () => {
    const replay = { policy: 'reservoir', capacity: 50, perUpdate: 0 };
    const learner = await learnerWith(replay, 1, state);
    await show(learner, state, 0, 200);
    const { rest, replay: kept } = await addon().learnerState(learner);
    const refs = addon()
      .stateInfo([kept])[0]
      .map((_, index) => ({ state: kept, index }));
    const start = { random: { state: rest, index: 0 }, slots: [], average: [], averaged: 0, replay: refs };
    const refused = { code: 'ERR_STATE_FORMAT' };
    for (const wrong of [refs.slice(1), refs.toReversed(), [refs[0], refs[3], ...refs.slice(2)]]) {
      await assert.rejects(learnerWith(replay, 1, state, { ...start, replay: wrong }), refused);
    }
    addon().disposeLearner(learner);
  });
});
