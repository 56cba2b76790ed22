// Every metric beside scikit-learn's, of random predictions, with scores that are equal, classes that never occur and constant targets.
// Batches of random sizes are parts whose sums merge. A new metric is a line of metrics.py, and of the list here where it has options.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import {
  arrays,
  createState,
  evaluate,
  expectedCalibrationError,
  f1Score,
  identity,
  precision,
  recall,
  sequential,
  topKAccuracy,
} from 'torch-incremental';
import { metricName, metrics, sumsOf } from '../../dist/metrics/index.js';
import { entriesOf, RunningMetrics } from '../../dist/metrics/running.js';
import { needs, python, root, runPython } from '../support.mjs';
import { caseOf, uniform } from './metric-cases.mjs';

const averages = [precision, recall, f1Score];
const withOptions = {
  class: [
    ...averages.map((make) => make({ average: 'micro' })),
    ...[1, 2].map((k) => topKAccuracy({ k })),
    expectedCalibrationError({ bins: 4 }),
  ],
  classes: averages.map((make) => make({ average: 'micro' })),
  values: [],
};
const isBinary = ({ kind, outputs: [row] }) => kind !== 'values' && row.length === (kind === 'classes' ? 1 : 2);

/** All metrics of a case that metrics.py has. */
function metricsOf(one) {
  const usual = metrics.words
    .filter((word) => metrics.entryOf({ kind: word }).targets.includes(one.kind) && word !== 'topKAccuracy')
    .map((word) => metrics.makers[word]());
  const binary = isBinary(one) ? averages.map((make) => make({ average: 'binary' })) : [];
  const others = withOptions[one.kind].filter(
    (metric) => !(isBinary(one) && metricName(metric) === 'topKAccuracy:k=2'),
  );
  return [...usual, ...others, ...binary];
}

async function evaluated({ kind, outputs, targets }, list, batchSize) {
  const size = outputs[0].length;
  const model = sequential({ same: identity() }, { input: [size] });
  const inputs = Float32Array.from(outputs.flat());
  const data =
    kind === 'class'
      ? arrays({ inputs, labels: targets, shape: [size], classes: size })
      : arrays({
          inputs: { input: { data: inputs, shape: [size] } },
          targets: { kind, data: Float32Array.from(targets.flat()), shape: [size] },
        });
  return (await evaluate(await createState(model), { model, data, batchSize, metrics: list })).metrics;
}

function assertClose(ours, theirs, what) {
  if (Array.isArray(theirs)) {
    assert.equal(ours.length, theirs.length, what);
    for (const [i, item] of theirs.entries()) assertClose(ours[i], item, `${what}[${i}]`);
    return;
  }
  const expected = theirs ?? Number.NaN;
  const isClose = Number.isNaN(expected)
    ? Number.isNaN(ours)
    : Math.abs(ours - expected) <= 1e-12 * Math.max(1, Math.abs(expected));
  assert.ok(isClose, `${what}: ${ours} instead of ${expected}`);
}

function assertResults(ours, theirs, what) {
  assert.deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
  for (const [name, expected] of Object.entries(theirs)) assertClose(ours[name], expected, `${name} of ${what}`);
}

const cases = Array.from({ length: 200 }, (_, i) => caseOf(i));

describe('metrics beside those of scikit-learn', function () {
  this.timeout(300_000);
  let answers;

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    if (spawnSync(python, ['-c', 'import sklearn']).status !== 0) {
      console.warn('      skipped: TORCH_INCREMENTAL_PYTHON has no scikit-learn');
      this.skip();
    }
    const found = runPython(path.join(root, 'test/golden/metrics.py'), [], { input: JSON.stringify(cases) });
    answers = JSON.parse(found);
  });

  it('are equal to 1e-12 for 200 data sets, whose batches are parts of random sizes', async () => {
    const draw = uniform(5);
    for (const [i, one] of cases.entries()) {
      const batchSize = 1 + Math.floor(draw() * 40);
      const ours = await evaluated(one, metricsOf(one), batchSize);
      assertResults(ours, answers[i], `case ${i}, ${one.kind}, in batches of ${batchSize}`);
    }
  });

  it('are equal to 1e-12 for predictions one after the other, as a learner adds them', () => {
    for (const [i, one] of cases.entries()) {
      const list = metricsOf(one);
      const running = new RunningMetrics(list, { kind: one.kind, size: one.outputs[0].length });
      for (const [k, outputs] of one.outputs.entries()) {
        running.add(entriesOf(sumsOf(list), Float32Array.from(outputs), one.targets[k]));
      }
      assertResults(running.windowed, answers[i], `case ${i}, ${one.kind}, in a window`);
      const { auroc, averagePrecision, ...others } = running.results;
      const { auroc: _, averagePrecision: __, ...expected } = answers[i];
      assertResults(others, expected, `case ${i}, ${one.kind}`);
    }
  });
});
