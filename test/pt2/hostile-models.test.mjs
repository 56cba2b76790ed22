// Hostile models are refused, or do what they say, with errors of this library alone, while they are loaded, evaluated and trained. The
// states that they are given stay as they are.
import assert from 'node:assert/strict';
import { arrays, evaluate, LearnError, loadModel, predict, trainIncremental } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { archive, written } from './archives.mjs';
import { forms, graphs, pairs } from './hostile-forms.mjs';
import { numbers } from './hostile-numbers.mjs';
import { argumentsOf, operators } from './hostile-operators.mjs';

const samples = 4;
const elements = new Float32Array(3 * samples).fill(1);
/** The most that a model of some kilobytes may take on its way to an error, ten times what is seen. */
const mostTime = 5000;

/** Returns 'ok', or [code, message] of an error of this library. */
async function outcomeOf(work) {
  try {
    await work();
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof LearnError, error.stack);
    assert.ok(error.message.length < 2000, `a message of ${error.message.length} characters`);
    return [error.code, error.message];
  }
}

/** All values of a state, but for those of a tensor that repeats one value without end. */
const valuesOf = (state) =>
  state.tensors.filter(({ shape }) => !shape.includes(2 ** 40)).map(({ name }) => `${name} ${state.tensor(name).data}`);

/** What each step comes to. */
async function outcomesOf(file) {
  let loaded;
  const load = await outcomeOf(async () => {
    loaded = await loadModel(file);
  });
  if (!loaded) return { load };
  const { model, state } = loaded;
  const inputs = Object.fromEntries(
    model.program.inputs.map(({ name }) => [name, { data: elements, shape: [elements.length / samples] }]),
  );
  const data = arrays({ inputs, labels: [0, 1, 0, 1] });
  const options = { model, threads: 1 };
  const before = valuesOf(state);
  const steps = {
    load,
    predict: await outcomeOf(() => predict(state, elements, options)),
    evaluate: await outcomeOf(() => evaluate(state, { ...options, data })),
    train: await outcomeOf(() => trainIncremental(state, { ...options, data, batchSize: samples, epochs: 1, seed: 1 })),
  };
  assert.deepEqual(valuesOf(state), before);
  return steps;
}

/** What a step is expected to come to: evaluation as prediction, and training too where nothing else is said. */
function expectedOf(
  step,
  { load = 'ok', predict: predicted = 'ok', evaluate: evaluated = predicted, train = predicted },
) {
  return { load, predict: predicted, evaluate: evaluated, train }[step];
}

describe('a hostile model', () => {
  const at = temporaryFolder();
  for (const [name, [description, expected]] of Object.entries({
    ...{ ...operators, ...argumentsOf, ...numbers, ...graphs, ...forms, ...pairs },
  }))
    it(`that ${name} is refused, or does so`, async () => {
      const started = performance.now();
      const found = await outcomesOf(written(at('net.pt2'), archive(description)));
      assert.ok(performance.now() - started < mostTime);
      for (const [step, outcome] of Object.entries(found)) {
        const wanted = expectedOf(step, expected);
        if (wanted === 'ok') assert.equal(outcome, 'ok', `${step}: ${outcome}`);
        else {
          assert.equal(outcome[0], wanted[0], `${step}: ${outcome}`);
          assert.match(outcome[1], wanted[1], step);
        }
      }
    });
});
