// More classes for a trained model: weights and slots are those of PyTorch's recipe in docs/api.md, its logits are PyTorch's, and both
// languages continue to the same bits. Any order of additions leads to the same shapes.
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  extendClasses,
  flatten,
  linear,
  loadState,
  maxPool2d,
  predict,
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
      ...{ flatten: flatten(), fc: linear(64, 4) },
    },
    { input: [3, 8, 8] },
  ),
  mlp: sequential(
    { flatten: flatten(), fc1: linear(192, 16), relu: relu(), fc: linear(16, 4, { bias: false }) },
    { input: [3, 8, 8] },
  ),
};
const [old, classes, seed] = [4, 7, 11];
const cases = Object.keys(models).flatMap((model) => [
  { model, kind: 'sgd', given: { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 } },
  { model, kind: 'adam', given: { learningRate: 0.01, amsgrad: true } },
  { model, kind: 'adamW', given: { learningRate: 0.01 } },
  { model, kind: 'adafactor', given: { learningRate: 0.05 } },
]);
// Batch norm's weights have the shape of the bias here, so that only the groups say which slots are the layer's.
cases.push({
  ...{ model: 'cnn', kind: 'adam', given: { learningRate: 0.01, amsgrad: true } },
  groups: [
    { parameters: 'conv', frozen: true },
    { parameters: ['fc'], learningRate: 0.05 },
  ],
});
const options = {
  sgd: { lr: 0.05, momentum: 0.9, weight_decay: 0.01 },
  adam: { lr: 0.01, amsgrad: true },
  adamW: { lr: 0.01 },
  adafactor: { lr: 0.05 },
};

const n = 104;
const inputs = Float32Array.from({ length: n * 192 }, (_, i) => ((Math.imul(i, 2654435761) >>> 8) % 2001) / 1000 - 1);
const labelsOf = (count) => Int32Array.from({ length: n }, (_, i) => (i * 7) % count);
const dataOf = (count) => arrays({ inputs, labels: labelsOf(count), shape: [3, 8, 8], classes: count });
const run = { batchSize: 8, shuffle: false, threads: 1 };

/** All orders of the items. */
const permutations = (items) =>
  items.length < 2
    ? [items]
    : items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
const orders = permutations([1, 2, 3, 5]);
const rows = (state, name, count) => {
  const { shape, data } = state.tensor(name);
  return data.slice(0, (data.length / shape[0]) * count);
};

describe('more classes for a model', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  const grown = [];
  let answers;

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    for (const [i, { model, kind, given, groups }] of cases.entries()) {
      const optimizer = optimizers.makers[kind](given);
      const init = await createState(models[model], { seed: 1 });
      const checkpoint = { path: at(`ours-${i}.ckpt`) };
      await recorded(init, {
        ...run,
        model: models[model],
        data: dataOf(old),
        epochs: 1,
        seed: 0,
        optimizer,
        checkpoint,
        ...(groups && { parameterGroups: groups }),
      });
      const state = await loadState(checkpoint.path, { key: 'model' });
      grown.push(await extendClasses(state, { model: models[model], classes, seed }));
      await saveState(grown[i].state, at(`grown-${i}.ckpt`));
    }
    const start = await loadState(at('ours-1.ckpt'), { key: 'model' });
    for (const [i, additions] of orders.entries()) {
      let now = { model: models.cnn, state: start };
      for (const [k, addition] of additions.entries()) {
        const before = now;
        const count = before.model.program.parameters.at(-1).shape[0];
        now = await extendClasses(before.state, { model: before.model, classes: count + addition, seed: k });
        for (const name of ['fc.weight', 'fc.bias'])
          assert.deepEqual(rows(now.state, name, count), before.state.tensor(name).data, `${additions}: ${name}`);
      }
      await saveState(now.state, at(`order-${i}.ckpt`));
    }
    const job = {
      inputs: [...inputs],
      labels: [...labelsOf(classes)],
      cases: cases.map(({ model, kind, groups }, i) => ({
        groups: groups !== undefined,
        ...{ model, optimizer: optimizers.entryOf({ kind }).torchName, options: options[kind], old, classes, seed },
        ...{ ours: at(`ours-${i}.ckpt`), grown: at(`grown-${i}.ckpt`), out: at(`out-${i}.pth`), steps: 26 },
      })),
      orders: orders.map((_, i) => ({
        ...{ model: 'cnn', optimizer: 'Adam', options: options.adam, classes: 15, grown: at(`order-${i}.ckpt`) },
      })),
    };
    const script = path.join(root, 'test/golden/extend_classes.py');
    answers = JSON.parse(runPython(script, [], { input: JSON.stringify(job) }));
  });

  for (const [i, { model, kind, groups }] of cases.entries()) {
    const name = `the ${model} after training with ${kind}()${groups ? ' in groups' : ''}`;
    it(`${name}: weights are those of PyTorch's recipe, slots have their rows and zeros, steps are kept`, () => {
      for (const [what, isSame] of Object.entries(answers.cases[i].same)) assert.ok(isSame, what);
    });

    it(`${name}: logits are PyTorch's of the grown layer`, async () => {
      const { logits } = await predict(grown[i].state, inputs, {
        ...{ threads: 1, batchSize: 8 },
        model: grown[i].model,
      });
      assert.deepEqual([...logits], answers.cases[i].logits);
    });

    it(`${name}: Python and Node continue to the same bits`, async () => {
      const resumed = await recorded('', {
        ...{ batchSize: 8, shuffle: false, threads: 1, model: grown[i].model, data: dataOf(classes), epochs: 3 },
        resume: at(`grown-${i}.ckpt`),
      });
      assert.deepEqual(
        resumed.losses.map(([, , loss]) => loss),
        answers.cases[i].losses,
      );
      assert.ok(resumed.state.equals(await loadState(at(`out-${i}.pth`))), 'the weights differ');
    });
  }

  it('in all orders of four additions has the same shapes, the old rows and what else the file held; Python loads it and trains', async () => {
    const start = await loadState(at('ours-1.ckpt'), { key: 'model' });
    const shapes = [];
    for (const i of orders.keys()) {
      const state = await loadState(at(`order-${i}.ckpt`), { key: 'model' });
      shapes.push(JSON.stringify(state.tensors));
      for (const name of ['fc.weight', 'fc.bias'])
        assert.deepEqual(rows(state, name, old), start.tensor(name).data, `${orders[i]}: ${name}`);
      for (const name of start.names.filter((one) => !one.startsWith('fc.')))
        assert.deepEqual(state.tensor(name), start.tensor(name));
    }
    assert.equal(orders.length, 24);
    assert.equal(new Set(shapes).size, 1);
    assert.ok(shapes[0].includes('[15,64]'));
    assert.deepEqual(answers.orders, Array(24).fill(true));
  });
});
