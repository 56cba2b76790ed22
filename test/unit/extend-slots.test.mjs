// Training checkpoints that get more classes: averages, the best weights, slots of optimizers, and layers of models that are not given.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  ema,
  extendClasses,
  flatten,
  identity,
  linear,
  loadState,
  relu,
  saveState,
  sequential,
  TensorValue,
  trainIncremental,
} from 'torch-incremental';
import { extendLayer } from '../../dist/training/extend-classes.js';
import { grownSlots } from '../../dist/training/grown-slots.js';
import { temporaryFolder } from '../support.mjs';

const model = sequential(
  { fc1: linear(4, 6), relu: relu(), fc2: linear(6, 3), drop: dropout(0.5), end: identity() },
  { input: [4] },
);
const invalid = (message) => ({ code: 'ERR_INVALID_OPTION', message });

describe('a training checkpoint that gets more classes', () => {
  const at = temporaryFolder();

  it('has the same rows in its average and its best weights as in its model, and is resumed', async () => {
    const dataOf = (classes) =>
      arrays({ inputs: new Float32Array(64).map((_, i) => i % 7), labels: new Int32Array(16), shape: [4], classes });
    const kept = { average: ema({ decay: 0.5 }), validation: { data: dataOf(3), patience: 9 } };
    const options = { model, data: dataOf(3), epochs: 1, checkpoint: { path: at('kept.ckpt') }, ...kept };
    await trainIncremental(await createState(model, { seed: 1 }), options);
    const source = await loadState(at('kept.ckpt'), { key: 'model' });
    const { state: extended, model: grown } = await extendClasses(source, { model, classes: 5 });
    const [average, best] = ['average', 'best'].map((name) => extended.metadata.get(name));
    const rows = extended.tensor('fc2.weight').data.slice(18);
    assert.deepEqual(average.get('module.fc2.weight').data.slice(18), rows);
    assert.deepEqual(best.get('fc2.weight').data.slice(18), rows);
    assert.deepEqual(best.get('fc2.weight').data.slice(0, 18), source.metadata.get('best').get('fc2.weight').data);
    await saveState(extended, at('grown.ckpt'));
    const more = { ...kept, validation: { data: dataOf(5), patience: 9 } };
    await trainIncremental('', { ...more, model: grown, data: dataOf(5), epochs: 2, resume: at('grown.ckpt') });
  });

  it('is extended by the path of a layer where the model is not given, as by extendClasses()', async () => {
    const normed = sequential({ conv: conv2d(1, 3, 1), bn: batchNorm2d(3), flatten: flatten(), fc: linear(12, 3) });
    const data = arrays({
      ...{ inputs: new Float32Array(32).map((_, i) => i % 5), labels: new Int32Array(8), shape: [1, 2, 2], classes: 3 },
    });
    const init = await createState(normed, { seed: 1 });
    await trainIncremental(init, { model: normed, data, epochs: 1, checkpoint: { path: at('run.ckpt') } });
    const state = await loadState(at('run.ckpt'), { key: 'model' });
    for (const name of ['a', 'b']) fs.mkdirSync(at(name));
    await saveState((await extendClasses(state, { model: normed, classes: 5, seed: 2 })).state, at('a/run.ckpt'));
    await saveState((await extendLayer(state, 'fc', { classes: 5 }, 2)).state, at('b/run.ckpt'));
    assert.deepEqual(fs.readFileSync(at('b/run.ckpt')), fs.readFileSync(at('a/run.ckpt')));
    for (const layer of ['conv', 'bn', 'head'])
      await assert.rejects(
        extendLayer(state, layer, { classes: 5 }),
        invalid(/path of a linear layer in the state.*nearest are fc/),
      );
  });
});

describe('the slots of a layer', () => {
  const first = { name: 'a.weight', shape: [5, 3] };
  const own = [
    { name: 'b.weight', shape: [2, 3] },
    { name: 'b.bias', shape: [2] },
  ];
  /** An optimizer's state_dict() as it is loaded, with tensors of these shapes by the keys of parameters. */
  const rootOf = (groups, shapes) => {
    const slot = ([key, shape]) => new TensorValue({ handle: {} }, Number(key), { dtype: 'float32', shape });
    const state = new Map(
      Object.entries(shapes).map((entry) => [Number(entry[0]), new Map([['momentum_buffer', slot(entry)]])]),
    );
    const dicts = groups.map((group) => new Map(Object.entries(group)));
    return new Map([
      [
        'states',
        [
          new Map([
            ['state', state],
            ['param_groups', dicts],
          ]),
        ],
      ],
    ]);
  };
  const layer = { weight: 'b.weight', bias: 'b.bias', old: 2, features: 3, classes: 4 };
  const grown = (groups, shapes, parameters = [first, ...own]) =>
    grownSlots(rootOf(groups, shapes), { ...layer, parameters }).map(({ tensor, plan }) => [tensor.index, plan.name]);
  const both = [
    [1, 'b.weight'],
    [2, 'b.bias'],
  ];
  const shapes = { 0: [5, 3], 1: [2, 3], 2: [2] };

  it('are found by names, by the order of one group, or by a shape that no other parameter has', () => {
    assert.deepEqual(grown([{ params: [0, 1, 2] }], shapes), both);
    assert.deepEqual(grown([{ params: [0] }, { params: [1, 2] }], shapes), both);
    const named = [
      { params: [0, 2], param_names: ['b.bias', 'a.weight'] },
      { params: [1], param_names: ['b.weight'] },
    ];
    assert.deepEqual(grown(named, { 0: [2], 1: [2, 3], 2: [2, 3] }), [
      [1, 'b.weight'],
      [0, 'b.bias'],
    ]);
    assert.deepEqual(grown([{ params: [0, 1, 2] }], { 0: [5, 3] }), [], 'the layer was not trained');
    assert.deepEqual(grown([{ params: [0] }], { 0: [5, 3] }), [], 'the layer is frozen');
  });

  it('of Adafactor are found by the shapes of all of its factors: rows grow, averages over all rows stay', () => {
    const slot = (index, shape) => new TensorValue({ handle: {} }, index, { dtype: 'float32', shape });
    const factors = (index, [rows, columns]) =>
      new Map([
        ['row_var', slot(index, [rows, 1])],
        ['col_var', slot(index + 1, [1, columns])],
      ]);
    const states = new Map([
      [0, factors(0, [5, 3])],
      [1, factors(2, [2, 7])],
      [2, factors(4, [2, 3])],
      [3, new Map([['variance', slot(6, [2])]])],
    ]);
    const groups = [
      [0, 1],
      [2, 3],
    ].map((params) => new Map([['params', params]]));
    const root = new Map([
      ['state', states],
      ['param_groups', groups],
    ]);
    const parameters = [first, { name: 'c.weight', shape: [2, 7] }, ...own, { name: 'd.bias', shape: [9] }];
    const all = grownSlots(root, { ...layer, parameters });
    assert.deepEqual(
      all.map(({ tensor, plan }) => [tensor.index, plan.name, plan.rows, plan.init.value]),
      [
        [4, 'b.weight', 4, 0],
        [6, 'b.bias', 4, 0],
      ],
    );
  });

  it('are found by the groups that a run of this library recorded, of one optimizer or of several', () => {
    const norm = [{ name: 'n.weight', shape: [2] }, ...own];
    const recorded = (groups, ...dicts) => {
      const lists = dicts.map(([params, shapes]) => rootOf([{ params }], shapes).get('states')[0]);
      const options = new Map([
        ['optimizer', new Map([['kind', 'sgd']])],
        ['parameterGroups', groups.map((group) => new Map(Object.entries(group)))],
      ]);
      const root = new Map([
        ['optimizer', lists.length > 1 ? lists : lists[0]],
        ['options', options],
      ]);
      return grownSlots(root, { ...layer, parameters: norm }).map(({ tensor, plan }) => [tensor.index, plan.name]);
    };
    const frozen = (parameters) => [{ parameters, frozen: true }];
    assert.deepEqual(recorded(frozen(['n']), [[0, 1], { 0: [2, 3], 1: [2] }]), [
      [0, 'b.weight'],
      [1, 'b.bias'],
    ]);
    assert.deepEqual(recorded(frozen(['b']), [[0], { 0: [2] }]), []);
    const muchAlike = [{ parameters: ['b.bias'], optimizer: new Map([['kind', 'adam']]) }];
    const both = [
      [[0, 1], { 0: [2], 1: [2, 3] }],
      [[0], { 0: [2] }],
    ];
    assert.deepEqual(recorded(muchAlike, ...both), [
      [1, 'b.weight'],
      [0, 'b.bias'],
    ]);
  });

  it('are refused where they may be those of another parameter, or have another shape', () => {
    const refused = (message, ...given) =>
      assert.throws(() => grown(...given), { code: 'ERR_STATE_MISMATCH', message });
    const norm = [{ name: 'n.weight', shape: [2] }, ...own];
    // The layer is frozen here: the only slot of its shape is that of the norm.
    refused(
      /one group of some parameters without names, and 2 parameters have the shape \[2\] of b.bias/,
      [{ params: [0] }],
      { 0: [2] },
      norm,
    );
    refused(
      /2 parameter groups without names/,
      [{ params: [0] }, { params: [1, 2] }],
      { 0: [2], 1: [2, 3], 2: [2] },
      norm,
    );
    refused(/b.weight as momentum_buffer has the shape \[9\]/, [{ params: [0, 1, 2] }], { 1: [9] });
  });
});
