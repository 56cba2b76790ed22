// A run holds what it was given from the call on: disposing the state, or writing to the arrays, changes nothing of it.
import assert from 'node:assert/strict';
import {
  arrays,
  averageStates,
  createState,
  evaluate,
  extendClasses,
  linear,
  loadState,
  OnlineLearner,
  predict,
  saveState,
  sequential,
  sgd,
  subset,
  trainEvents,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

const model = sequential([linear(2, 3)], { input: [2] });
const inputs = () => Float32Array.from([1, 2, -1, 0.5, 3, -2, 0, 1]);
const labels = [0, 1, 2, 0];
const dataOf = (values) => arrays({ inputs: values, labels, shape: [2] });
const run = { model, threads: 1 };
const train = { ...run, epochs: 2, seed: 1, optimizer: sgd({ learningRate: 0.1 }) };

async function drained(events) {
  for (let step = await events.next(); ; step = await events.next()) if (step.done) return step.value;
}

describe('a run', () => {
  const folder = temporaryFolder();
  let learners = 0;
  const begun = {
    trainIncremental: (state) => trainIncremental(state, { ...train, data: dataOf(inputs()) }),
    'trainIncremental with a checkpoint': (state) =>
      trainIncremental(state, { ...train, data: dataOf(inputs()), checkpoint: { path: folder('run.ckpt') } }),
    trainEvents: (state) => drained(trainEvents(state, { ...train, data: dataOf(inputs()) })),
    evaluate: (state) => evaluate(state, { ...run, data: dataOf(inputs()) }),
    predict: (state) => predict(state, inputs(), run),
    saveState: (state) => saveState(state, folder('a.pth')),
    'saveState to safetensors': (state) => saveState(state, folder('a.safetensors')),
    averageStates: (state) => averageStates([state, state]),
    extendClasses: (state) => extendClasses(state, { model, classes: 4 }),
    'OnlineLearner.open': async (state) => {
      const learner = await OnlineLearner.open({
        dir: folder(`learner ${learners++}`),
        checkpoint: state,
        transforms: [],
        ...run,
      });
      await learner.close();
    },
  };

  for (const [name, begin] of Object.entries(begun)) {
    it(`of ${name} finishes though its state is disposed right after the call`, async () => {
      const state = await createState(model, { seed: 4 });
      const result = begin(state);
      state.dispose();
      await result;
      await assert.rejects(Promise.resolve(begin(state)), { code: 'ERR_DISPOSED' });
      assert.throws(() => state.tensor('0.weight'), { code: 'ERR_DISPOSED' });
    });
  }

  it('comes to the same where the state is disposed meanwhile', async () => {
    const [kept, given] = [await createState(model, { seed: 4 }), await createState(model, { seed: 4 })];
    const expected = await trainIncremental(kept, { ...train, data: dataOf(inputs()) });
    const result = trainIncremental(given, { ...train, data: dataOf(inputs()) });
    given.dispose();
    assert.ok((await result).state.equals(expected.state));
    await saveState(kept, folder('kept.pth'));
    assert.ok((await loadState(folder('kept.pth'))).equals(kept));
  });

  it('lets several runs share a state, and the last one free it', async () => {
    const state = await createState(model, { seed: 4 });
    const runs = Array.from({ length: 8 }, () => predict(state, inputs(), run));
    state.dispose();
    const answers = await Promise.all(runs);
    for (const { logits } of answers) assert.deepEqual(logits, answers[0].logits);
  });

  it('is not begun by trainEvents() before the first event is asked for', async () => {
    const state = await createState(model, { seed: 4 });
    const events = trainEvents(state, { ...train, data: dataOf(inputs()) });
    await events.return();
    assert.equal(state.tensor('0.weight').shape.length, 2);
  });

  for (const [name, of] of [
    ['arrays', (values) => dataOf(values)],
    ['a part of arrays', (values) => subset(dataOf(values), { end: 3 })],
  ]) {
    it(`learns ${name} as they were at the call`, async () => {
      const state = await createState(model, { seed: 4 });
      const expected = await trainIncremental(state, { ...train, data: of(inputs()) });
      const values = inputs();
      const result = trainIncremental(state, { ...train, data: of(values) });
      values.fill(Number.NaN);
      assert.ok((await result).state.equals(expected.state));
      const score = await evaluate(state, { ...run, data: of(inputs()) });
      const again = inputs();
      const evaluated = evaluate(state, { ...run, data: of(again) });
      again.fill(Number.NaN);
      assert.deepEqual(await evaluated, score);
    });
  }

  it('predicts inputs as they were at the call, from a file too', async () => {
    const state = await createState(model, { seed: 4 });
    await saveState(state, folder('s.pth'));
    const { logits } = await predict(state, inputs(), run);
    for (const source of [state, folder('s.pth')]) {
      for (const change of [
        (values) => values.fill(9e9),
        (values) => structuredClone(values, { transfer: [values.buffer] }),
      ]) {
        const values = inputs();
        const answer = predict(source, values, run);
        change(values);
        assert.deepEqual((await answer).logits, logits);
      }
    }
  });

  it('takes options as they were at the call', async () => {
    const state = await createState(model, { seed: 4 });
    const expected = await trainIncremental(state, { ...train, data: dataOf(inputs()) });
    const options = { ...train, data: dataOf(inputs()) };
    let reads = 0;
    Object.defineProperty(options, 'batchSize', { enumerable: true, get: () => (reads++ === 0 ? 64 : -5) });
    const result = trainIncremental(state, options);
    Object.assign(options, { epochs: 1e9, model: null, data: null, onProgress: 5 });
    assert.ok((await result).state.equals(expected.state));
    assert.equal(reads, 1);
  });
});

describe('an edited state', () => {
  it('keeps the memory of its own tensors alone, until it is disposed', async () => {
    const megabytes = () => process.memoryUsage.rss() / 2 ** 20;
    // Two tensors of 128 MB.
    const source = await createState(sequential([linear(1, 2 ** 25)]));
    const part = source.select('*.bias');
    const before = megabytes();
    source.dispose();
    const between = megabytes();
    assert.ok(before - between > 100, `the 128 MB of the weight were to be freed, and ${before - between} were`);
    part.dispose();
    assert.ok(
      between - megabytes() > 100,
      `the 128 MB of the bias were to be freed, and ${between - megabytes()} were`,
    );
  });
});
