// Models of exported programs: what they take, what both modes compute, and what they need a second program for.
import assert from 'node:assert/strict';
import {
  arrays,
  evaluate,
  loadModel,
  loadState,
  mseLoss,
  predict,
  saveState,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { archive, written } from './archives.mjs';
import { model as described, node, ref } from './descriptions.mjs';

const aten = (op, inputs, ...outputs) => node(`torch.ops.aten.${op}`, inputs, ...outputs);
const linear = aten(
  'linear.default',
  { input: ref('x'), weight: ref('p_fc_weight'), bias: ref('p_fc_bias') },
  'linear',
);

/** What a program returns that is the linear layer alone. */
const ofLinear = { metas: { linear: { shape: ['s0', 2] } }, outputs: ['linear'] };

describe('the model of an exported program', () => {
  const temporary = temporaryFolder();
  let count = 0;
  const load = (changes) => loadModel(written(temporary(`${count++}.pt2`), archive(described(changes))));
  const samples = Float32Array.from({ length: 6 }, (_, i) => i - 2.5);
  const data = (count = 2) =>
    arrays({
      inputs: { x: { data: new Float32Array(3 * count).fill(-1), shape: [3] } },
      targets: { kind: 'values', data: new Float32Array(2 * count), shape: [2] },
    });

  it('has the inputs, the outputs, the state and the limits of the program', async () => {
    const { model, state } = await load();
    assert.deepEqual(model.program.inputs, [{ name: 'x', dtype: 'float32', shape: [3] }]);
    assert.deepEqual(model.program.outputs, ['output']);
    assert.deepEqual(model.program.batch, { min: 2 });
    assert.deepEqual(state.names, ['shift', 'fc.weight', 'fc.bias', 'fc.count']);
    assert.deepEqual(
      model.tensors.map(({ name }) => name),
      state.names,
    );
    assert.ok(Object.isFrozen(model.program.nodes[0].args));
  });

  it('trains with full batches that it takes, and says how to get them', async () => {
    const { model, state } = await load();
    const run = (count, batchSize, more) =>
      trainIncremental(state, { model, data: data(count), epochs: 1, batchSize, loss: mseLoss(), threads: 1, ...more });
    await run(4, 2);
    await run(3, 2, { dropLast: true });
    const error = { code: 'ERR_SHAPE', message: /batches of 2 or more samples .* one would have 1.*dropLast: true/ };
    await assert.rejects(run(3, 2), error);
    await assert.rejects(run(1, 2), { code: 'ERR_SHAPE', message: /one would have 1\. Use another batchSize/ });
  });

  it('evaluates fewer samples than it takes as those alone', async () => {
    const { model, state } = await load({ nodes: [linear], ...ofLinear });
    const both = await predict(state, samples, { model, threads: 1 });
    const alone = await predict(state, samples.subarray(3), { model, threads: 1 });
    assert.deepEqual(alone.shape, [1, 2]);
    assert.deepEqual([...alone.logits], [...both.logits.subarray(2)]);
    const { samples: scored } = await evaluate(state, { model, data: data(1), loss: mseLoss(), threads: 1 });
    assert.equal(scored, 1);
  });

  it('counts the batches of a batch norm in training only', async () => {
    const tensors = { ...described().tensors, 'fc.num_batches_tracked': { role: 'buffer', dtype: 'int64', shape: [] } };
    const counted = aten('add_.Tensor', { self: ref('b_fc_num_batches_tracked'), other: { as_int: 1 } }, 'add_');
    const { model, state } = await load({ tensors, nodes: [counted, linear], ...ofLinear });
    await evaluate(state, { model, data: data(), loss: mseLoss(), threads: 1 });
    const run = { model, data: data(4), epochs: 2, batchSize: 2, loss: mseLoss(), threads: 1 };
    const trained = (await trainIncremental(state, run)).state;
    const countOf = (of) => of.tensor('fc.num_batches_tracked').data[0];
    assert.equal(countOf(trained), countOf(state) + 4n);
  });

  it('changes copies of samples where the program changes its input', async () => {
    const nodes = [
      aten('relu_.default', { self: ref('x') }, 'relu_'),
      { ...linear, inputs: [{ ...linear.inputs[0], arg: ref('relu_') }, ...linear.inputs.slice(1)] },
    ];
    const { model } = await load({ nodes, metas: { linear: { shape: ['s0', 2] } }, outputs: ['linear'] });
    const [first, second] = model.program.nodes;
    assert.deepEqual([first.op, first.args], ['aten::clone', { self: { value: 'x' } }]);
    assert.deepEqual(second.args.self, { value: first.outputs[0] });
  });

  it('needs a second program to evaluate where the first draws or writes, and says so', async () => {
    const drawn = aten('randn_like.default', { self: ref('linear') }, 'noise');
    const sum = aten('add.Tensor', { self: ref('linear'), other: ref('noise') }, 'sum');
    const { model, state } = await load({
      nodes: [linear, drawn, sum],
      metas: { sum: { shape: ['s0', 2] } },
      outputs: ['sum'],
    });
    const run = { model, data: data(), loss: mseLoss(), threads: 1 };
    await trainIncremental(state, { ...run, epochs: 1, batchSize: 2 });
    const error = {
      code: 'ERR_INVALID_OPTION',
      message: /aten::randn_like draws random numbers in the module "fc", model\.py:12\. .*package_pt2/,
    };
    await assert.rejects(evaluate(state, run), error);
    await assert.rejects(predict(state, samples, { model, threads: 1 }), error);
    await assert.rejects(trainIncremental(state, { ...run, batchSize: 2, validation: { data: data() } }), error);
  });

  it('takes a state of its own by name', async () => {
    const { model, state } = await load({
      nodes: [linear],
      metas: { linear: { shape: ['s0', 2] } },
      outputs: ['linear'],
    });
    await saveState(state, temporary('own.pth'));
    const loaded = await loadState(temporary('own.pth'));
    const [a, b] = [await predict(state, samples, { model }), await predict(loaded, samples, { model })];
    assert.deepEqual(a.logits, b.logits);
  });

  it('warns where it was exported in evaluation mode', async () => {
    const off = aten(
      'dropout.default',
      { input: ref('linear'), p: { as_float: 0.5 }, train: { as_bool: false } },
      'dropout',
    );
    const warned = new Promise((resolve) => process.once('warning', resolve));
    await load({ nodes: [linear, off], metas: { dropout: { shape: ['s0', 2] } }, outputs: ['dropout'] });
    assert.equal((await warned).code, 'WARN_EVALUATION_MODE');
  });
});
