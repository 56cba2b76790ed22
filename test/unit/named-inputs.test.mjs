// Models of named inputs: how samples fit them, in training, evaluating and predicting, and every error where they do not.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as api from 'torch-incremental';
import {
  arrays,
  batches,
  createState,
  evaluate,
  normalize,
  predict,
  toTensor,
  trainIncremental,
} from 'torch-incremental';
import { photo, table, text, tokens } from '../golden/input-models.mjs';
import { root } from '../support.mjs';
import { collect } from './data-support.mjs';

const ids = { data: new BigInt64Array(10), shape: [5] };
const dense = { data: new Float32Array(6), shape: [3] };
const both = { ids, dense };
const image = { data: Uint8Array.from({ length: 2 * 192 }, (_, i) => i), shape: [3, 8, 8] };
const mask = { data: Uint8Array.from({ length: 2 * 64 }, (_, i) => i), shape: [1, 8, 8] };
const meta = { data: Float32Array.of(1, -2, 3.5, 4), shape: [2] };
const labels = [0, 1];

const option = (message) => ({ name: 'LearnError', code: 'ERR_INVALID_OPTION', message });
const format = (message) => ({ name: 'LearnError', code: 'ERR_DATA_FORMAT', message });
const shape = (message) => ({ name: 'LearnError', code: 'ERR_SHAPE', message });

describe('a model of named inputs', () => {
  let state;
  before(async () => {
    state = await createState(text, { seed: 0 });
  });
  const train = (inputs, more) =>
    trainIncremental(state, { model: text, data: arrays({ inputs, labels }), epochs: 1, threads: 1, ...more });

  for (const [what, inputs, message] of [
    ['lack one', { ids }, /inputs of Text, "ids", "dense", but they have "ids"/],
    ['have another', { ids, dense, more: dense }, /inputs of Text, .* but they have "ids", "dense", "more"/],
    ['have one of another name', { ids, dence: dense }, /but they have "ids", "dence"/],
    [
      'have one of another shape',
      { ids, dense: { ...dense, shape: [3, 1] } },
      /samples of shape \[3\] for the input "dense" of Text but the data set's are \[3, 1\]/,
    ],
    [
      'have int64 where it takes float32',
      { ids, dense: { data: new BigInt64Array(6), shape: [3] } },
      /float32 values for the input "dense" of Text, or .* without loss, but "dense" is int64/,
    ],
    [
      'have int32 where it takes float32',
      { ids, dense: { data: new Int32Array(6), shape: [3] } },
      /but "dense" is int32/,
    ],
    [
      'have float32 where it takes int64',
      { ids: { data: new Float32Array(10), shape: [5] }, dense },
      /int64 values for the input "ids" of Text, .* but "ids" is float32/,
    ],
  ]) {
    it(`refuses samples that ${what}`, async () => {
      await assert.rejects(train(inputs), shape(message));
      const data = arrays({ inputs, labels });
      await assert.rejects(evaluate(state, { model: text, data, threads: 1 }), shape(message));
    });
  }

  it('is trained and predicts as docs/api.md shows it', async () => {
    const page = fs.readFileSync(path.join(root, 'docs/api.md'), 'utf8');
    const blocks = [...page.matchAll(/```js\n([\s\S]+?)```/g)].map(([, code]) => code);
    const program = ['const data = arrays({', "name: 'TextAndNumbers'", 'await predict(state, {']
      .map((part) => blocks.find((code) => code.includes(part)))
      .join('');
    const names = Object.keys(api).join(', ');
    const AsyncFunction = (async () => {}).constructor;
    const labels = await new AsyncFunction('api', `const { ${names} } = api; ${program} return labels;`)(api);
    assert.equal(labels.length, 1);
  });

  it('takes a single input of any name where it has one itself', async () => {
    const one = await createState(table, { seed: 0 });
    const row = { data: new Float32Array(14).fill(0.5), shape: [7] };
    const [a, b] = await Promise.all(
      [{ input: row }, { features: row }].map((inputs) =>
        evaluate(one, { model: table, data: arrays({ inputs, labels }), threads: 1 }),
      ),
    );
    assert.deepEqual(a, b);
  });

  it('refuses samples without targets, except to predict', async () => {
    const data = arrays({ inputs: both });
    const none = format(/The samples have no targets, which crossEntropyLoss needs/);
    await assert.rejects(train(both, { data }), none);
    await assert.rejects(evaluate(state, { model: text, data, threads: 1 }), none);
    assert.equal((await collect(batches(data)))[0].targets.data.length, 0);
  });

  it('has the loss of all tokens that count, whatever the batches, and of none where none counts', async () => {
    const sequences = await createState(tokens, { seed: 0 });
    const score = (values, batchSize) => {
      const targets = { data: Int32Array.from(values), shape: [5] };
      return evaluate(sequences, { model: tokens, data: arrays({ inputs: { ids }, targets }), batchSize, threads: 1 });
    };
    const [ignored, mixed] = [Array(5).fill(-100), [-100, 1, 2, -100, 4]];
    const [alone, together] = [await score([...ignored, ...mixed], 1), await score([...ignored, ...mixed], 2)];
    assert.ok(Math.abs(alone.loss - together.loss) < 1e-7 && alone.loss > 0);
    assert.deepEqual({ ...alone, loss: 0 }, { ...together, loss: 0 });
    assert.equal(alone.samples, 2);
    const none = await score([...ignored, ...ignored], 2);
    assert.deepEqual([none.loss, none.accuracy, none.perClass], [Number.NaN, Number.NaN, []]);
  });

  it('refuses targets that its output does not fit', async () => {
    const of = (data, more) => train(both, { data: arrays({ inputs: both, targets: { data, ...more } }) });
    const four = /return \[2, 3\] for a batch of 2 but it returned \[2, 4\]/;
    await assert.rejects(of(new Float32Array(6), { shape: [3] }), shape(four));
    await assert.rejects(
      of(new Float32Array(2)),
      shape(/needs the index of a class, or targets of the shape .* but the target .* is one number/),
    );
    await assert.rejects(of(Int32Array.of(0, 4)), shape(/The data set has 5 classes but the model returns 4/));
    await assert.rejects(of(new Int32Array(10), { shape: [5] }), shape(/\[2, classes, 5\] .* it returned \[2, 4\]/));
    const sequences = await createState(tokens, { seed: 0 });
    const data = arrays({ inputs: { ids }, labels });
    const run = trainIncremental(sequences, { model: tokens, data, epochs: 1, threads: 1 });
    await assert.rejects(run, shape(/\[2, classes\] .* it returned \[2, 5, 5\]/));
  });

  it('refuses an index that its table of embeddings does not have', async () => {
    const far = { data: BigInt64Array.of(0n, 50n, 0n, 0n, 0n), shape: [5] };
    const run = predict(state, { ids: far.data, dense: new Float32Array(3) }, { model: text, threads: 1 });
    await assert.rejects(run, { name: 'LearnError', message: /out of range|out of bounds/ });
  });

  describe('predicts', () => {
    const run = (inputs, more) => predict(state, inputs, { model: text, threads: 1, ...more });
    const given = { ids: ids.data, dense: dense.data };

    for (const [what, inputs, error] of [
      ['one array', dense.data, shape(/inputs of Text, "ids", "dense", but received one array/)],
      ['no input', {}, option(/values for each input of the model for "inputs"/)],
      ['an input too few', { ids: ids.data }, shape(/but they have "ids"/)],
      ['an unknown input', { ...given, more: dense.data }, shape(/but received "more"/)],
      ['other counts', { ...given, dense: new Float32Array(9) }, shape(/Expected 2 samples, .* "inputs.dense" has 3/)],
      ['part of a sample', { ...given, dense: new Float32Array(7) }, shape(/a multiple of 3 .* "inputs.dense" has 7/)],
      ['no samples', { ...given, ids: new BigInt64Array() }, shape(/a multiple of 5 .* "inputs.ids" has 0/)],
      ['another type', { ...given, ids: new Float32Array(10) }, shape(/int64 values for the input "ids"/)],
      ['doubles', { ...given, dense: new Float64Array(6) }, option(/a Float32Array for "inputs.dense"/)],
      ['inputs that are inherited', Object.create(given), option(/a Float32Array for "inputs"/)],
      ['a list', [ids.data], option(/a Float32Array for "inputs"/)],
    ]) {
      it(`not for ${what}`, () => assert.rejects(run(inputs), error));
    }

    it('with transforms and shapes by name', async () => {
      const images = await createState(photo, { seed: 0 });
      const model = structuredClone(photo);
      for (const input of model.program.inputs) delete input.shape;
      const inputs = { image: image.data, mask: mask.data, meta: meta.data };
      const options = { model, threads: 1 };
      await assert.rejects(
        predict(images, inputs, options),
        option(/"shape": Photo does not fix .* a sample's "image"/),
      );
      const shapes = { image: image.shape, mask: mask.shape, meta: meta.shape };
      const scoring = { image: [toTensor(), normalize(0.5, 0.5)], mask: [toTensor(), normalize(0.5, 0.5)] };
      const named = await predict(images, inputs, { ...options, shape: shapes, transforms: scoring });
      const usual = await predict(images, inputs, { model: photo, threads: 1, transforms: { mask: scoring.mask } });
      assert.deepEqual(named, usual);
      assert.deepEqual(usual.shape, [2, 3]);
    });
  });
});
