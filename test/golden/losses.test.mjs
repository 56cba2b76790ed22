// Every loss against torch.nn: the loss and the gradient of every output have PyTorch's bits, for both reductions and all options, and so
// has a training. A new loss is a line of loss-cases.mjs.
import assert from 'node:assert/strict';
import path from 'node:path';
import { arrays, createState, evaluate, linear, loadState, relu, saveState, sequential, sgd } from 'torch-incremental';
import { losses } from '../../dist/losses/index.js';
import { native } from '../../dist/native/native.js';
import { leaf, node, value } from '../../dist/program/module.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';
import {
  cases,
  dataOf,
  floats,
  integers,
  labels,
  n,
  offsets,
  sizeOf,
  steps,
  tokens,
  values,
  weight,
  yes,
} from './loss-cases.mjs';

const common = { batchSize: n, shuffle: false, threads: 1, seed: 0 };

const trainings = [
  ['bceWithLogitsLoss', { posWeight: [1, 2, 3, 0.5, 4] }, yes],
  ['mseLoss', {}, values([3])],
  ['huberLoss', { delta: 0.5, reduction: 'sum' }, values([3], (u) => u / 10)],
  ['crossEntropyLoss', { labelSmoothing: 0.1 }, labels],
  ['crossEntropyLoss', { weight }, labels],
  ['crossEntropyLoss', { ignoreIndex: 0, weight }, tokens(-100), [7, 4]],
].map(([kind, options, targets, view]) => {
  const own = options.ignoreIndex === 0 ? integers('tokens', [4], 7, 0) : targets;
  return { kind, options, targets: own, view };
});

describe('losses beside those of torch.nn', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  let answers;
  const runs = [];
  const optionsOf = ({ kind, options, outputs }) => ({
    ...{ ...common, model: offsets(outputs), data: dataOf(outputs, undefined) },
    loss: losses.makers[kind](options),
  });
  const features = floats(n * 6, 11);
  const width = (targets, view) => (view ? 28 : targets.kind === 'class' ? 7 : sizeOf(targets.shape));
  const mlp = (targets, view) => {
    const layers = { fc1: linear(6, 16), relu: relu(), fc2: linear(16, width(targets, view)) };
    if (!view) return sequential(layers, { input: [6] });
    const rows = node('unflatten', 'int', { self: value('input'), dim: 1, sizes: view });
    return sequential({ ...layers, view: leaf('Unflatten', [rows]) }, { input: [6] });
  };

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    for (const each of steps) {
      const options = { ...optionsOf(each), data: dataOf(each.outputs, each.targets) };
      const state = await createState(options.model, { seed: 0 });
      const optimizer = sgd({ learningRate: 1, momentum: 0 });
      const evaluation = await evaluate(state, (({ shuffle, seed, ...rest }) => rest)(options));
      runs.push({ ...(await recorded(state, { ...options, epochs: 1, optimizer })), evaluation });
    }
    const trained = [];
    for (const [i, { kind, options, targets, view }] of trainings.entries()) {
      const model = mlp(targets, view);
      await saveState(await createState(model, { seed: 1 }), at(`${i}.pth`));
      const data = arrays({ inputs: { input: { data: features, shape: [6] } }, targets });
      const loss = losses.makers[kind](options);
      const optimizer = sgd({ learningRate: 0.1 });
      const run = { ...common, model, data, loss, optimizer, batchSize: 8, epochs: 3 };
      runs.push(await recorded(at(`${i}.pth`), run));
      trained.push({
        ...{ loss: cases[kind][0], options, targets: forPython(targets) },
        inputs: forPython({ data: features, shape: [6] }),
        train: {
          features: 6,
          outputs: width(targets, view),
          view,
          batch: 8,
          epochs: 3,
          init: at(`${i}.pth`),
          out: at(`out-${i}.pth`),
        },
      });
    }
    const jobs = steps.map(({ torch, options, outputs, targets }) => ({
      ...{ loss: torch, options, outputs: outputs.map(forPython), targets: targets && forPython(targets) },
      squeeze: targets !== null && targets.shape.length === 0 && outputs.every(({ shape }) => String(shape) === '1'),
    }));
    const script = path.join(root, 'test/golden/losses.py');
    answers = JSON.parse(runPython(script, [], { input: JSON.stringify([...jobs, ...trained]) }));
  });

  const forPython = ({ data, shape, kind }) => ({
    ...{ data: [...data], shape: [n, ...shape], integer: kind === 'class' || kind === 'tokens' },
  });

  it('are all of the family, but for those of the model and of one’s own', () => {
    assert.deepEqual([...Object.keys(cases), 'modelLoss', 'customLoss'].sort(), [...losses.words].sort());
  });

  for (const [i, { kind, options, outputs, targets }] of steps.entries()) {
    const shapes = outputs.map(({ shape }) => `[${shape}]`).join(', ');
    it(`${kind}(${JSON.stringify(options)}) of ${shapes} and ${targets?.kind ?? 'no target'} has PyTorch's bits`, () => {
      const { losses: own, state, evaluation } = runs[i];
      const { loss, gradients } = answers[i];
      assert.deepEqual(
        own.map(([, , each]) => each),
        [loss],
      );
      assert.ok(Math.abs(evaluation.loss - (options.reduction === 'sum' ? loss / n : loss)) <= 1e-15 * Math.abs(loss));
      for (const [k, gradient] of gradients.entries()) {
        const bits = new Float32Array(state.tensor(`offset${k}`).data).map((number) => 0 - number);
        assert.deepEqual(
          bits,
          Float32Array.from(gradient, (number) => 0 + number),
          `the gradient of output ${k}`,
        );
      }
    });
  }

  it('are the sums of the losses of single samples, by which learners score', async () => {
    const addon = native();
    const { evaluate: start } = addon;
    addon.evaluate = ({ loss, ...plan }) => {
      const [losses] = loss.each.outputs;
      const nodes = [...loss.each.nodes, node('sum', '', { self: value(losses) }, 'their sum')];
      return start({ ...plan, loss: { ...loss, whole: { ...loss.each, nodes, outputs: ['their sum'] } } });
    };
    try {
      for (const [i, each] of steps.entries()) {
        if (each.options.reduction !== 'sum') continue;
        const options = {
          model: offsets(each.outputs),
          data: dataOf(each.outputs, each.targets),
          batchSize: n,
          threads: 1,
        };
        const loss = losses.makers[each.kind](each.options);
        const { loss: sum } = await evaluate(await createState(options.model, { seed: 0 }), { ...options, loss });
        const expected = runs[i].evaluation.loss;
        assert.ok(Math.abs(sum - expected) <= 1e-5 * Math.abs(expected), `${each.kind} ${sum} ${expected}`);
      }
    } finally {
      addon.evaluate = start;
    }
  });

  for (const [i, { kind, options, targets }] of trainings.entries()) {
    it(`a training with ${kind}(${JSON.stringify(options)}) and ${targets.kind} has PyTorch's losses and weights`, async () => {
      const { losses: own, state } = runs[steps.length + i];
      assert.deepEqual(
        own.map(([, , each]) => each),
        answers[steps.length + i].losses,
      );
      assert.ok(state.equals(await loadState(at(`out-${i}.pth`))), 'the weights differ');
    });
  }
});
