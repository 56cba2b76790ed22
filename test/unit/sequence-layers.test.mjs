import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as api from 'torch-incremental';
import {
  arrays,
  createState,
  embedding,
  embeddingBag,
  gru,
  linear,
  lstm,
  maxOverTime,
  meanOverTime,
  multiheadAttention,
  positionalEncoding,
  predict,
  rnn,
  sequential,
  trainIncremental,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from 'torch-incremental';
import { root } from '../support.mjs';

const refused = (message) => ({ name: 'LearnError', code: 'ERR_INVALID_OPTION', message });

describe('layers for sequences', () => {
  for (const [what, make, message] of [
    ['a row of padding that is not there', () => embedding(5, 2, { paddingIdx: 5 }), /a row of 5 for "paddingIdx"/],
    ['one too far from the end', () => embeddingBag(5, 2, { paddingIdx: -6 }), /a row of 5 for "paddingIdx"/],
    ['frequencies of maxima', () => embeddingBag(5, 2, { mode: 'max', scaleGradByFreq: true }), /"scaleGradByFreq"/],
    ['another mode', () => embeddingBag(5, 2, { mode: 'min' }), /'sum', 'mean', 'max' for "mode"/],
    ['no layers', () => gru(3, 4, { numLayers: 0 }), /"numLayers"/],
    ['a probability above 1', () => lstm(3, 4, { dropout: 1.5 }), /"dropout"/],
    ['a projection that is no smaller', () => lstm(3, 4, { projSize: 4 }), /below hiddenSize, 4, for "projSize"/],
    ['a projection of a GRU', () => gru(3, 4, { projSize: 2 }), /"projSize" of gru\(\)/],
    ['another nonlinearity', () => rnn(3, 4, { nonlinearity: 'gelu' }), /'tanh', 'relu' for "nonlinearity"/],
    ['a mask that is no name', () => meanOverTime({ mask: 1 }), /the name of an input of the model for "mask"/],
    ['an empty name', () => maxOverTime({ mask: '' }), /the name of an input of the model for "mask"/],
    ['no dim', () => positionalEncoding({ length: 4 }), /"positionalEncoding: dim"/],
    ['an odd dim of sines', () => positionalEncoding({ length: 4, dim: 3 }), /an even number for "dim"/],
    ['heads that do not share', () => multiheadAttention(6, 4), /embedDim to be divisible by numHeads/],
    ['keys of another size', () => multiheadAttention(6, 2, { kdim: 5 }), /a "memory" where "kdim" is not "embedDim"/],
    [
      'values of another size',
      () => multiheadAttention(6, 2, { memory: 'm', kdim: 5, vdim: 6 }),
      /"vdim" to be "kdim"/,
    ],
    ['another activation', () => transformerEncoderLayer(6, 2, { activation: 'silu' }), /'relu', 'gelu'/],
    ['heads of a layer that do not share', () => transformerDecoderLayer(6, 4), /dModel to be divisible by nhead/],
    ['copies of another layer', () => transformerEncoder(linear(6, 6), 2), /what transformerEncoderLayer\(\) makes/],
    [
      'an encoder’s layer',
      () => transformerDecoder(transformerEncoderLayer(6, 2), 2),
      /what transformerDecoderLayer\(\)/,
    ],
    ['no copies', () => transformerEncoder(transformerEncoderLayer(6, 2), 0), /"transformerEncoder: numLayers"/],
  ]) {
    it(`refuse ${what}`, () => assert.throws(make, refused(message)));
  }

  it('refuse a mask that is no input of the model, and a memory that nobody passes', () => {
    assert.throws(
      () => sequential({ mean: meanOverTime({ mask: 'mask' }) }),
      refused(/The layer "mean" uses the input "mask" of the model, whose inputs are input/),
    );
    const decoder = transformerDecoder(transformerDecoderLayer(4, 2), 2);
    assert.throws(() => sequential({ decoder }), refused(/"decoder.layers" .*uses the value "decoder:memory"/));
  });

  it('are plain values with masks too', () => {
    const masks = { paddingMask: 'mask', causal: true };
    for (const layer of [
      maxOverTime({ mask: 'mask' }),
      multiheadAttention(4, 2, { ...masks, dropout: 0.1 }),
      transformerEncoder(transformerEncoderLayer(4, 2, masks), 2, { norm: true }),
    ])
      assert.deepEqual(JSON.parse(JSON.stringify(layer)), layer);
  });

  it('give numbers for a text of padding alone', async () => {
    for (const pool of [meanOverTime, maxOverTime]) {
      const model = sequential(
        {
          embedding: embedding(9, 4),
          encode: transformerEncoderLayer(4, 2, { dimFeedforward: 8, batchFirst: true, paddingMask: 'mask' }),
          pool: pool({ mask: 'mask' }),
        },
        { inputs: { ids: { dtype: 'int64', shape: [3] }, mask: { dtype: 'int64', shape: [3] } } },
      );
      const state = await createState(model, { seed: 0 });
      const inputs = { ids: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n), mask: BigInt64Array.of(1n, 1n, 0n, 0n, 0n, 0n) };
      const { logits } = await predict(state, inputs, { model, shape: { ids: [3], mask: [3] }, threads: 1 });
      assert.ok([...logits].every(Number.isFinite));
      assert.deepEqual([...logits.slice(4)], [0, 0, 0, 0]);
      assert.ok(logits.slice(0, 4).some((number) => number !== 0));
    }
  });

  it('hide padding in bfloat16 too', async () => {
    const masks = { dimFeedforward: 8, batchFirst: true, paddingMask: 'mask' };
    for (const causal of [false, true]) {
      const model = sequential(
        { encode: transformerEncoderLayer(4, 2, { ...masks, causal }), pool: maxOverTime({ mask: 'mask' }) },
        { inputs: { x: { shape: [3, 4] }, mask: { dtype: 'int64', shape: [3] } } },
      );
      const mask = { data: BigInt64Array.of(1n, 1n, 0n, 1n, 0n, 0n), shape: [3] };
      const x = { data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)), shape: [3, 4] };
      const { history } = await trainIncremental(await createState(model, { seed: 0 }), {
        ...{ model, data: arrays({ inputs: { x, mask }, labels: [0, 3] }), epochs: 1, seed: 1, threads: 1 },
        ...{ mode: 'fast', precision: 'bf16' },
      });
      assert.ok(Number.isFinite(history[0].loss));
    }
  });

  it('name what looks up a row that is not there', async () => {
    const model = sequential({ embedding: embedding(9, 4) }, { inputs: { ids: { dtype: 'int64', shape: [1] } } });
    const state = await createState(model, { seed: 0 });
    const ask = predict(state, { ids: BigInt64Array.of(9n) }, { model, shape: { ids: [1] }, threads: 1 });
    await assert.rejects(ask, { name: 'LearnError', message: /the layer "embedding"/ });
  });

  it('train a classifier of texts as docs/api.md shows it', async () => {
    const page = fs.readFileSync(path.join(root, 'docs/api.md'), 'utf8');
    const blocks = [...page.matchAll(/```js\n([\s\S]+?)```/g)].map(([, code]) => code);
    const code = blocks.find((block) => block.includes('rnn: lstm('));
    const AsyncFunction = (async () => {}).constructor;
    const names = Object.keys(api).join(', ');
    const run = new AsyncFunction('api', `const { ${names} } = api; ${code} return { model, state };`);
    const { model, state } = await run(api);
    assert.equal(model.program.inputs[0].dtype, 'int64');
    assert.equal(state.tensor('embedding.weight').shape.join(), '20,8');
  });
});
