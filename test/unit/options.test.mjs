// Options that are wrong are refused before any work starts, with what was expected and what came.
import assert from 'node:assert/strict';
import {
  arrays,
  conv2d,
  createState,
  dropout,
  evaluate,
  linear,
  net,
  predict,
  residual,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages } from '../support.mjs';

const data = arrays(madeUpImages(4));

/** Asserts that `call` is refused with a message that matches. */
async function refused(call, message) {
  await assert.rejects(
    async () => call(),
    (error) => {
      assert.equal(error.code, 'ERR_INVALID_OPTION', error.stack);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('options', () => {
  let state;
  before(async () => {
    state = await createState(net());
  });

  for (const [options, message] of [
    [{ epochs: 0.5 }, /an integer of at least 1 for "epochs" but received number \(0\.5\)/],
    [{ batchSize: 0 }, /"batchSize" but received number \(0\)/],
    [{ batchSize: '64' }, /"batchSize" but received string \('64'\)/],
    [{ optimizer: { kind: 'sgd', learningRate: Number.NaN } }, /"learningRate" but received number \(NaN\)/],
    [{ optimizer: { kind: 'sgd', learningRate: -1 } }, /of at least 0 for "learningRate"/],
    [{ optimizer: { kind: 'sgd', momentum: Infinity } }, /"momentum"/],
    [{ shuffle: 1 }, /true or false for "shuffle"/],
    [{ seed: -1 }, /"seed"/],
    [{ seed: 2 ** 60 }, /"seed"/],
    [{ threads: 0 }, /"threads"/],
    [{ niceness: 20 }, /"niceness"/],
    [{ threads: 'few' }, /a number or 'leave-one' for "threads" but received string \('few'\)/],
    [{ mode: 'fastest' }, /one of 'exact', 'fast' for "mode"/],
    [{ precision: 'fp16' }, /one of 'fp32', 'bf16' for "precision"/],
    [{ precision: 'bf16' }, /it needs mode: 'fast'/],
    [{ contractLinear: 1 }, /true or false for "contractLinear"/],
    [{ device: 'gpu' }, /'auto', 'cpu', 'cuda' or 'cuda:N' for "device"/],
    [{ model: 'net' }, /a model made by net\(\), .*, sequential\(\) or loadModel\(\) for "model" but received string/],
    [{ data: './data' }, /for "data" but received string/],
    [{ transforms: 'flip' }, /an array, or an object of arrays by the names of inputs, for "transforms"/],
    [{ transforms: [1] }, /"transforms\[0\]"/],
    [{ signal: {} }, /an AbortSignal for "signal"/],
    [{ onProgress: 'log' }, /a function for "onProgress"/],
    [{ optimizer: 'sgd' }, /an optimizer made by sgd\(\), adam\(\), .* for "optimizer" but received string \('sgd'\)/],
    [{ optimizer: { kind: 'sgd', lr: 1 } }, /Unknown option "lr" of sgd\(\); did you mean "learningRate"\?/],
    [{ loss: 'crossEntropyLoss' }, /a loss made by crossEntropyLoss\(\), .* for "loss" but received string/],
    [
      { learningRate: 1 },
      /Unknown option "learningRate" of trainIncremental\(\); use optimizer: sgd\(\{ learningRate \}\)$/,
    ],
    [{ momentum: 0 }, /use optimizer: sgd\(\{ momentum \}\)/],
    [{ nesterov: true }, /use optimizer: sgd\(\{ nesterov \}\)/],
    [{ lr: 1 }, /use optimizer: sgd\(\{ learningRate \}\)/],
    [{ epoch: 1 }, /Unknown option "epoch" of trainIncremental\(\); did you mean "epochs"\?/],
    [{ batch_size: 1 }, /did you mean "batchSize"\?/],
    [{ wibble: 1 }, /Unknown option "wibble" of trainIncremental\(\); it takes model, batchSize/],
    [{ constructor: 1 }, /Unknown option "constructor"/],
    [null, /options/],
    [[], /an array of 0/],
  ]) {
    it(`of trainIncremental: ${JSON.stringify(options)} is refused`, () =>
      refused(
        () => trainIncremental(state, options && !Array.isArray(options) ? { data, ...options } : options),
        message,
      ));
  }

  it('that are undefined take their default', async () => {
    await trainIncremental(state, {
      data,
      epochs: 1,
      optimizer: sgd({ learningRate: undefined }),
      signal: undefined,
      onProgress: undefined,
    });
  });

  it('of CUDA are refused with ERR_DEVICE, never replaced', async () => {
    await assert.rejects(trainIncremental(state, { data, device: 'cuda:0' }), { code: 'ERR_DEVICE' });
  });

  it('of other calls are checked as well', async () => {
    await refused(
      () => trainIncremental(42, { data }),
      /the path of a checkpoint or a State for "source" but received number/,
    );
    await refused(() => evaluate(state, { data, epochs: 1 }), /Unknown option "epochs" of evaluate\(\)/);
    await refused(
      () => predict(state, [1, 2, 3]),
      /a Uint8Array, an Int32Array, a BigInt64Array or a Float32Array for "inputs" but received an array of 3/,
    );
    await refused(() => createState(net(), { sed: 1 }), /did you mean "seed"/);
    await refused(() => createState({}), /"model"/);
  });

  it('of layers are checked when the layer is made', async () => {
    await refused(() => conv2d(3, 0, 3), /conv2d: outChannels/);
    await refused(() => conv2d(3, 16, [3]), /conv2d: kernelSize/);
    await refused(() => conv2d(3, 16, 3, { groups: 2 }), /inChannels \/ groups/);
    await refused(() => linear(1.5, 2), /linear: inFeatures/);
    await refused(() => dropout(2), /from 0 to 1 for "dropout: p"/);
    await refused(() => sequential({}), /at least one layer/);
    await refused(() => sequential({ 'a.b': dropout() }), /string \('a\.b'\)/);
    await refused(() => residual({ a: 3 }), /"a"/);
  });
});
