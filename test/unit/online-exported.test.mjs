// Learners of exported models: inputs by name, sizes that the program fixes, numbers of samples that it takes, and a folder that has the
// model.
import assert from 'node:assert/strict';
import { arrays, evaluate, loadState, OnlineLearner, State, sgd } from 'torch-incremental';
import { looksUp } from '../../dist/online/failing-samples.js';
import { node, ref } from '../pt2/descriptions.mjs';
import { temporaryFolder } from '../support.mjs';
import {
  classes,
  exported,
  learn,
  length,
  openLearner,
  reader,
  sentences,
  weights,
  words,
} from './exported-support.mjs';

describe('a learner of an exported model', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let model;
  let folders = 0;
  const folder = () => at(`learner ${folders++}`);
  const open = (dir, options = {}) => openLearner(dir, { model, ...options });

  before(async () => {
    model = await exported(at('reader.pt2'));
  });

  it('takes several integer inputs by name, predicts the usual output, and learns', async () => {
    const learner = await open(folder(), { replay: { capacity: 8, perUpdate: 2 } });
    const int64 = { dtype: 'int64', shape: [length] };
    assert.deepEqual(learner.sample, {
      inputs: [
        { name: 'input_ids', ...int64 },
        { name: 'attention_mask', ...int64 },
      ],
      ...{ target: { kind: 'class', shape: [] }, classes },
    });
    const asked = sentences(0, 3).inputs;
    const before = await learner.predict(asked);
    assert.deepEqual(before.shape, [3, classes]);
    await learn(learner, 0, 5);
    const after = await learner.predict(asked);
    assert.notDeepEqual(after.logits, before.logits);
    // One sample, of which the program takes no fewer than two.
    const one = await learner.predict(sentences(0, 1).inputs);
    assert.deepEqual([...one.logits], [...after.logits.subarray(0, classes)]);
    const failing = sentences(0, 4);
    failing.inputs.input_ids[1] = BigInt(words);
    const { reasons } = await learner.learn({ ...failing, ids: [100, 101, 102, 103] });
    assert.deepEqual(
      reasons.map(({ index, code }) => [index, code]),
      [[0, 'value']],
    );
    assert.equal(learner.metrics().learned, 23);
    await learner.close();
  });

  it('scores a sample before it is learned as evaluate() does', async () => {
    const learner = await open(folder());
    const { inputs, labels } = sentences(0, 4);
    await learner.learn({ inputs, labels });
    const { loss, accuracy } = learner.metrics().prequential;
    await learner.close();
    const shaped = Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, { data, shape: [length] }]));
    const data = arrays({ inputs: shaped, labels, classes });
    const measured = await evaluate(weights(), { model, data, threads: 1 });
    assert.equal(accuracy, measured.accuracy);
    assert.ok(Math.abs(loss - measured.loss) < 1e-6, `${loss} and ${measured.loss}`);
  });

  it('keeps ties and frozen parameters: all names are saved, and what is frozen stays', async () => {
    const tensors = [
      { name: 'a', dtype: 'float32', shape: [2, 2], stride: [1, 2], ties: ['b'] },
      { name: 'fixed', dtype: 'float32', shape: [2], frozen: true },
    ];
    const nodes = [
      {
        op: 'aten::linear',
        overload: '',
        args: { input: { value: 'x' }, weight: { value: 'a' }, bias: { value: 'fixed' } },
      },
      { op: 'aten::linear', overload: '', args: { input: { value: 'hidden' }, weight: { value: 'a' } } },
    ].map((one, i) => ({ ...one, outputs: [['hidden'], ['output']][i] }));
    const program = {
      ...{
        inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
        parameters: tensors,
        buffers: [],
        nodes,
        outputs: ['output'],
      },
      ...{ batch: { min: 2 }, exported: true },
    };
    const names = ['a', 'fixed', 'b'];
    const shapes = { a: [2, 2], b: [2, 2], fixed: [2] };
    const tied = {
      ...{ name: 'Tied', program, modules: [['', 1]] },
      tensors: names.map((name) => ({ name, dtype: 'float32', shape: shapes[name] })),
    };
    const one = (shape) => ({
      dtype: 'float32',
      shape,
      data: Float32Array.from({ length: shape.length * 2 }, (_, i) => i),
    });
    const checkpoint = State.from({ a: one([2, 2]), fixed: { ...one([2]), data: Float32Array.of(5, 6) } });
    const dir = folder();
    const given = { transforms: [], optimizer: sgd({ learningRate: 0.01, weightDecay: 0.5 }) };
    const learner = await open(dir, { model: tied, checkpoint, ...given });
    for (let i = 0; i < 3; i++)
      await learner.learn({ inputs: Float32Array.of(1, 2, 3, 4), labels: [0, 1], ids: [2 * i, 2 * i + 1] });
    const expected = await learner.fingerprint();
    await learner.close();
    const again = await OnlineLearner.open({ dir });
    assert.equal(await again.fingerprint(), expected);
    await again.save(at('tied.pth'));
    await again.close();
    const saved = await loadState(at('tied.pth'));
    assert.deepEqual(
      saved.tensors.map(({ name }) => name),
      names,
    );
    const values = (name) => [...saved.tensor(name).data];
    assert.deepEqual(values('fixed'), [5, 6]);
    assert.deepEqual(values('a'), values('b'));
    assert.notDeepEqual(values('a'), [0, 1, 2, 3]);
  });

  it('learns by the program that trains, and predicts and scores by the one that evaluates', async () => {
    const evaluating = reader();
    // Without dropout, and twice the logits.
    const { nodes } = evaluating;
    evaluating.nodes = [
      ...nodes.slice(0, -2),
      node(
        'torch.ops.aten.linear.default',
        { input: ref('pooled'), weight: ref('p_fc_weight'), bias: ref('p_fc_bias') },
        'half',
      ),
      node('torch.ops.aten.mul.Tensor', { self: ref('half'), other: { as_float: 2 } }, 'linear'),
    ];
    const pair = await exported(at('pair.pt2'), { train: reader(), eval: evaluating });
    const { inputs } = sentences(0, 4);
    const [learner, other] = [await open(folder(), { model: pair }), await open(folder())];
    const [twice, once] = [await learner.predict(inputs), await other.predict(inputs)];
    assert.deepEqual([...twice.logits], [...once.logits.map((logit) => 2 * logit)]);
    await learn(learner, 0, 3);
    await learn(other, 0, 3);
    await learner.save(at('learner.pth'));
    await other.save(at('other.pth'));
    await learner.close();
    await other.close();
    assert.ok((await loadState(at('learner.pth'))).equals(await loadState(at('other.pth'))));
  });

  it('waits for as many samples as the program takes, and refuses fewer with the reason', async () => {
    const learner = await open(folder(), { batchSize: 2 });
    const alone = await learner.learn(sentences(0, 1));
    assert.deepEqual(
      alone.reasons.map(({ code, message }) => [code, message.slice(0, 63)]),
      [['batch', 'the exported model takes no fewer than 2 samples at a time: let']],
    );
    // Its id is free.
    const { updates, duplicates } = await learner.learn(sentences(0, 2));
    assert.deepEqual([updates, duplicates, learner.metrics().learned], [1, 0, 2]);
    await learner.close();
  });

  it('learns single samples where replay makes up the number', async () => {
    const learner = await open(folder(), { batchSize: 2, replay: { capacity: 4, perUpdate: 1 } });
    await learner.learn(sentences(0, 2));
    const { updates, reasons } = await learner.learn(sentences(2, 1));
    assert.deepEqual([updates, reasons], [1, []]);
    await learner.close();
  });

  it('takes no more samples than the program, those of replay included', async () => {
    const small = await exported(at('small.pt2'), reader({ symbols: { s0: { min_val: 2, max_val: 6 } } }));
    const options = { model: small, batchSize: undefined };
    const learner = await open(folder(), options);
    assert.equal(learner.batchSize, 6);
    const { updates } = await learner.learn(sentences(0, 12));
    assert.equal(updates, 2);
    const { shape } = await learner.predict(sentences(0, 20).inputs);
    assert.deepEqual(shape, [20, classes]);
    await learner.close();
    const refused = { code: 'ERR_SHAPE', message: /^Expected batches of 2 to 6 samples .* one would have 8\./ };
    await assert.rejects(open(folder(), { ...options, batchSize: 8 }), refused);
    await assert.rejects(open(folder(), { ...options, batchSize: 4, replay: { capacity: 9 } }), refused);
  });

  it('learns batches of the only number that a program without a free axis takes', async () => {
    const four = {
      input_ids: { dtype: 'int64', shape: [4, length] },
      attention_mask: { dtype: 'int64', shape: [4, length] },
    };
    const metas = { linear: { shape: [4, classes] }, pooled: { shape: [4, 4] } };
    const fixed = await exported(at('fixed.pt2'), reader({ inputs: four, metas, symbols: {} }));
    const learner = await open(folder(), { model: fixed, batchSize: undefined });
    assert.equal(learner.batchSize, 4);
    assert.equal((await learner.learn(sentences(0, 4))).updates, 1);
    const few = await learner.learn(sentences(4, 3));
    assert.deepEqual(
      few.reasons.map(({ code }) => code),
      ['batch', 'batch', 'batch'],
    );
    assert.deepEqual((await learner.predict(sentences(0, 3).inputs)).shape, [3, classes]);
    await learner.close();
  });

  it('finds the samples on which only one branch of the model would fail', () => {
    const node = (op) => ({ op, overload: '', args: {}, outputs: ['y'] });
    const branch = (op) => ({ inputs: [], nodes: [node(op)], outputs: ['y'] });
    const branches = { whenTrue: branch('aten::neg'), whenFalse: branch('aten::embedding') };
    assert.ok(looksUp({ nodes: [{ ...node('control::condition'), branches }] }));
    assert.ok(!looksUp({ nodes: [node('aten::neg')] }));
  });

  it('is given the sizes that the program leaves free, within their range and equal where it says so', async () => {
    const inputs = Object.fromEntries(
      ['input_ids', 'attention_mask'].map((name) => [name, { dtype: 'int64', shape: ['s0', 's1'] }]),
    );
    const symbols = { s0: { min_val: 2, max_val: null }, s1: { min_val: 2, max_val: 8 } };
    const free = await exported(at('free.pt2'), reader({ inputs, symbols }));
    const of = (ids, mask) => ({ input_ids: { shape: [ids] }, attention_mask: { shape: [mask] } });
    const learner = await open(folder(), { model: free, inputs: of(7, 7) });
    assert.equal((await learner.learn(sentences(0, 4, 7))).updates, 1);
    const { reasons } = await learner.learn(sentences(4, 4, 5));
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['shape', 'shape', 'shape', 'shape'],
    );
    await learner.close();
    const refusals = [
      [undefined, 'ERR_INVALID_OPTION', /^Expected a shape for "inputs.input_ids"/],
      [of(9, 9), 'ERR_SHAPE', /s1 may be from 2 to 8/],
      [of(7, 6), 'ERR_SHAPE', /s1 is 7 in another input/],
    ];
    for (const [given, code, message] of refusals) {
      await assert.rejects(open(folder(), { model: free, ...(given && { inputs: given }) }), { code, message });
    }
  });

  it('is refused where the model cannot evaluate, or remembers what no state has', async () => {
    const { nodes, constants } = model.program;
    const changed = (change) => ({ ...model, program: { ...model.program, ...change } });
    const name = constants[0].name;
    const write = (overload, self, output) => ({
      ...{ op: 'aten::add_', overload, args: { self: { value: self }, other: { float: 1 } }, outputs: [output] },
      only: 'training',
    });
    const view = {
      op: 'aten::view',
      overload: '',
      args: { self: { value: name }, size: [{ int: 4 }] },
      outputs: ['flat'],
    };
    const keeping = {
      code: 'ERR_INVALID_OPTION',
      message: /aten::add_ changes ".+", which is no part of its state\. In Python/,
    };
    const refusals = [
      [
        { trainsOnly: 'aten::randn_like draws random numbers' },
        /needs a program of .* that evaluates.*aten::randn_like draws/,
      ],
      [{ nodes: [write('Scalar', name, 'more'), ...nodes] }, keeping.message],
      [{ nodes: [view, write('Scalar', 'flat', 'more'), ...nodes] }, keeping.message],
    ];
    for (const [change, message] of refusals)
      await assert.rejects(open(folder(), { model: changed(change) }), { code: 'ERR_INVALID_OPTION', message });
  });
});
