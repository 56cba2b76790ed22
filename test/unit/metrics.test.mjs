// Metrics of evaluate(): names, defaults, targets that fit and those that do not, tokens, outputs that are not finite, and bounds.
import assert from 'node:assert/strict';
import {
  accuracy,
  arrays,
  auroc,
  averagePrecision,
  brierScore,
  cohenKappa,
  confusionMatrix,
  createState,
  evaluate,
  expectedCalibrationError,
  f1Score,
  identity,
  linear,
  logLoss,
  meanAbsoluteError,
  perClassAccuracy,
  precision,
  recall,
  sequential,
  topKAccuracy,
} from 'torch-incremental';
import { betterOf, metricName, metrics } from '../../dist/metrics/index.js';

/** Evaluates outputs as they are: [sample, …shape]. */
async function measured(outputs, shape, targets, options = {}) {
  const model = sequential({ same: identity() }, { input: shape });
  const inputs = { input: { data: Float32Array.from(outputs), shape } };
  const data = arrays(Array.isArray(targets) ? { inputs, labels: targets, classes: shape[0] } : { inputs, targets });
  return evaluate(await createState(model), { model, data, ...options });
}

const rows = [0.2, 0.5, 0.1, 2, 1, 0, -1, 0, 1, 0, 3, 1];
const labels = [1, 0, 1, 1];
const ofKind = (kind, shape, data) => ({ kind, shape, data: Float32Array.from(data) });

describe('metrics of evaluate()', () => {
  it('say which results are better, unless these are lists', async () => {
    // Right with confidence, and wrong with confidence.
    const results = async (targets) => {
      const list = metrics.words
        .map((kind) => metrics.makers[kind]())
        .filter(({ kind }) => metrics.entryOf({ kind }).targets.includes(targets.kind ?? 'class'))
        .map((metric) => (metric.kind === 'topKAccuracy' ? topKAccuracy({ k: 1 }) : metric));
      const { metrics: found } = await measured([9, 0, 0, 7, 8, 0], [2], targets, { metrics: list });
      return list.map((metric) => [metric, found[metricName(metric)]]);
    };
    const pairs = [
      [await results([0, 1, 0]), await results([1, 0, 1])],
      [
        await results(ofKind('values', [2], [9, 0, 0, 7, 8, 0])),
        await results(ofKind('values', [2], [1, 2, 3, 4, 5, 6])),
      ],
    ];
    for (const [right, wrong] of pairs) {
      for (const [i, [metric, result]] of right.entries()) {
        const difference = result - wrong[i][1];
        const expected = { 1: 'largest', '-1': 'smallest' }[Math.sign(difference)];
        assert.equal(betterOf(metric), expected, metric.kind);
      }
    }
  });

  it('are named by their functions, with the options that are no defaults', async () => {
    const list = [
      f1Score(),
      f1Score({ average: 'micro' }),
      topKAccuracy({ k: 2 }),
      expectedCalibrationError({ bins: 15 }),
    ];
    const { metrics: results } = await measured(rows, [3], labels, { metrics: list });
    assert.deepEqual(Object.keys(results), [
      ...['f1Score', 'f1Score:average=micro', 'topKAccuracy:k=2', 'expectedCalibrationError'],
    ]);
    assert.equal(results['f1Score:average=micro'], 0.75);
  });

  it('are accuracy of classes, also F1 of labels, and errors of values where none are asked for', async () => {
    const ones = Array.from({ length: 12 }, (_, i) => i % 2);
    const keys = async (...given) => Object.keys((await measured(rows, [3], ...given)).metrics);
    assert.deepEqual(await keys(labels), ['accuracy']);
    assert.deepEqual(await keys(ofKind('classes', [3], ones)), ['accuracy', 'f1Score']);
    const usual = ['meanAbsoluteError', 'rootMeanSquaredError', 'r2Score'];
    assert.deepEqual(await keys(ofKind('values', [3], ones)), usual);
    assert.deepEqual(await keys(labels, { metrics: [] }), []);
  });

  it('are none of samples without targets, whose loss says what is missing', async () => {
    const none = { kind: 'none', data: new Int32Array() };
    await assert.rejects(measured(rows, [3], none), { code: 'ERR_DATA_FORMAT', message: /have no targets/ });
  });

  it('are those that the result has anyway', async () => {
    const list = [accuracy(), confusionMatrix(), perClassAccuracy()];
    const { metrics: results, ...usual } = await measured(rows, [3], labels, { metrics: list });
    assert.deepEqual(results, {
      accuracy: usual.accuracy,
      confusionMatrix: usual.confusion,
      perClassAccuracy: usual.perClass.map((one) => one.accuracy),
    });
  });

  it('that the targets do not fit are refused by name, before anything runs', async () => {
    const values = ofKind('values', [3], rows);
    const refused = (targets, metric, message) =>
      assert.rejects(
        measured(rows, [3], targets, { metrics: [accuracy(), metric].slice(Number(targets === values)) }),
        {
          name: 'LearnError',
          code: 'ERR_INVALID_OPTION',
          message,
        },
      );
    await refused(
      values,
      f1Score(),
      "f1Score needs targets of the kind 'class', 'classes' or 'tokens', but these are of the kind 'values'",
    );
    await refused(
      labels,
      meanAbsoluteError(),
      "meanAbsoluteError needs targets of the kind 'values', but these are of the kind 'class'",
    );
    await refused(
      labels,
      recall({ average: 'binary' }),
      'recall:average=binary needs two classes, or one label, but there are 3',
    );
    await refused(labels, accuracy(), 'Expected each metric once in "metrics" but accuracy is there twice');
    await refused(
      labels,
      'f1Score',
      /^Expected a metric made by accuracy\(\), .* for "metrics\[1\]" but received string/,
    );
  });

  it('of tokens are those of the positions that count, each as a class', async () => {
    // [2 samples, 3 classes, 4 positions]
    const outputs = Array.from({ length: 24 }, (_, i) => Math.sin(7 * i) * 3);
    const tokens = [0, 2, -100, 1, 1, -100, -100, 0];
    const counted = tokens.flatMap((token, at) => (token < 0 ? [] : [at]));
    const rowsOf = (at) => [0, 1, 2].map((label) => outputs[Math.floor(at / 4) * 12 + label * 4 + (at % 4)]);
    const list = [
      accuracy(),
      perClassAccuracy(),
      confusionMatrix(),
      precision(),
      cohenKappa(),
      logLoss(),
      brierScore(),
    ];
    const asClasses = await measured(
      counted.flatMap(rowsOf),
      [3],
      counted.map((at) => tokens[at]),
      { metrics: list },
    );
    for (const batchSize of [1, 2]) {
      const targets = { kind: 'tokens', shape: [4], data: Int32Array.from(tokens) };
      const asTokens = await measured(outputs, [3, 4], targets, { metrics: list, batchSize });
      assert.deepEqual(Object.keys(asTokens.metrics), Object.keys(asClasses.metrics));
      for (const [name, value] of Object.entries(asClasses.metrics)) {
        for (const [i, number] of [value].flat(2).entries()) {
          assert.ok(Math.abs([asTokens.metrics[name]].flat(2)[i] - number) < 1e-15, name);
        }
      }
    }
    const ignored = { kind: 'tokens', shape: [4], data: new Int32Array(8).fill(-100) };
    const none = await measured(outputs, [3, 4], ignored, { metrics: list });
    assert.equal(none.metrics.accuracy, Number.NaN);
    assert.deepEqual(none.metrics.confusionMatrix.flat(), new Array(9).fill(0));
  });

  it('count a prediction that is not finite as wrong', async () => {
    const outputs = [3, 1, Number.NaN, 4, 1, Infinity, 0, 2];
    const list = [
      accuracy(),
      recall(),
      confusionMatrix(),
      topKAccuracy({ k: 1 }),
      logLoss(),
      auroc(),
      averagePrecision(),
    ];
    const { metrics: results } = await measured(outputs, [2], [0, 1, 1, 1], { metrics: list });
    assert.deepEqual(results, {
      ...{ accuracy: 0.5, recall: (1 + 1 / 3) / 2, 'topKAccuracy:k=1': 0.5 },
      confusionMatrix: [
        [1, 0],
        [0, 1],
      ],
      ...{ logLoss: Number.NaN, auroc: Number.NaN, averagePrecision: Number.NaN },
    });
  });

  it('rank scores whose probabilities are 1 in float64', async () => {
    const evaluation = await measured([0, 50, 0, 60, 0, 70, 0, 80], [2], [0, 1, 0, 1], { metrics: [auroc()] });
    assert.equal(evaluation.metrics.auroc, 0.75);
  });

  it('of a batch that is computed in parts are those of small batches', async () => {
    const [samples, classes] = [90_000, 60];
    const outputs = Float32Array.from(
      { length: samples * classes },
      (_, i) => ((Math.imul(i, 2654435761) >>> 8) % 997) / 100,
    );
    const targets = Array.from({ length: samples }, (_, i) => (i * 7) % classes);
    const list = [accuracy(), f1Score(), logLoss(), averagePrecision(), topKAccuracy()];
    const [whole, parts] = await Promise.all(
      [samples, 1000].map((batchSize) => measured(outputs, [classes], targets, { metrics: list, batchSize })),
    );
    for (const [name, value] of Object.entries(whole.metrics)) {
      assert.ok(Math.abs(value - parts.metrics[name]) < 1e-12, `${name}: ${value}, ${parts.metrics[name]}`);
    }
  });

  it('that would need too much memory are refused with the first batch', async () => {
    const wide = async (count, classes, metric) => {
      const model = sequential({ fc: linear(1, classes) }, { input: [1] });
      const data = arrays({ inputs: new Float32Array(count), labels: new Int32Array(count), shape: [1] });
      return evaluate(await createState(model), { model, data, metrics: [metric] });
    };
    await assert.rejects(wide(1, 4097, confusionMatrix()), {
      code: 'ERR_INVALID_OPTION',
      message: /^Expected at most 4096 classes for confusionMatrix\(\), .* but the model returns 4097/,
    });
    await assert.rejects(wide(2 ** 21, 65, auroc()), {
      code: 'ERR_INVALID_OPTION',
      message: /^Expected at most 134217728 scores for auroc\(\) .* but there are 65 for each of 2097152 samples/,
    });
  });
});
