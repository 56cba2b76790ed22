// The metrics of a stream beside River's: over all predictions, and over the last 1,000.
import assert from 'node:assert/strict';
import path from 'node:path';
import { auroc, f1Score, precision, recall } from 'torch-incremental';
import { metricName, metrics, sumsOf } from '../../dist/metrics/index.js';
import { entriesOf, RunningMetrics } from '../../dist/metrics/running.js';
import { needs, riverPython, root, runPython } from '../support.mjs';
import { uniform } from './metric-cases.mjs';

/** A stream whose predictions become worse, of more than one window. */
function streamOf(kind, size, seed, count = 1500) {
  const draw = uniform(seed);
  const outputs = Array.from({ length: count }, () => Array.from({ length: size }, () => Math.fround(6 * draw() - 3)));
  const targets = outputs.map((row, i) => {
    const isRight = draw() > 0.1 + (0.5 * i) / count;
    if (kind === 'values') return row.map((x) => Math.fround(2 * x + (isRight ? 0 : 3 * draw())));
    return isRight ? row.indexOf(Math.max(...row)) : Math.floor(draw() * size);
  });
  return { kind, outputs, targets };
}

const streams = [
  streamOf('class', 2, 1),
  streamOf('class', 2, 2, 40),
  streamOf('class', 3, 3),
  streamOf('class', 10, 4),
  streamOf('values', 1, 5),
  streamOf('values', 1, 6, 17),
];

const others = [precision, recall, f1Score].flatMap((make) => [
  make({ average: 'micro' }),
  make({ average: 'binary' }),
]);
const all = [...metrics.words.map((word) => metrics.makers[word]()), auroc({ thresholds: 10 }), ...others];

describe('metrics of streams beside those of River', function () {
  this.timeout(120_000);
  let answers;

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_RIVER');
    const script = path.join(root, 'test/golden/running_metrics.py');
    answers = JSON.parse(runPython(script, [], { input: JSON.stringify(streams), interpreter: riverPython }));
  });

  for (const [i, { kind, outputs, targets }] of streams.entries()) {
    it(`are equal to 1e-12 for ${outputs.length} predictions of ${outputs[0].length} ${kind}, also resumed half way`, () => {
      const { running: theirs, windowed } = answers[i];
      const list = all.filter((metric) => Object.hasOwn(theirs, metricName(metric)));
      const form = { kind, size: outputs[0].length };
      let ours = new RunningMetrics(list, form);
      for (const [k, row] of outputs.entries()) {
        ours.add(entriesOf(sumsOf(list), Float32Array.from(row), targets[k]));
        if (k === outputs.length >> 1) ours = new RunningMetrics(list, form, JSON.parse(JSON.stringify(ours)));
      }
      for (const [results, expected] of [
        [ours.results, theirs],
        [ours.windowed, windowed],
      ]) {
        assert.deepEqual(Object.keys(results).sort(), Object.keys(expected).sort());
        for (const [name, value] of Object.entries(expected)) {
          assert.ok(
            Math.abs(results[name] - value) <= 1e-12 * Math.max(1, Math.abs(value)),
            `${name}: ${results[name]}, ${value}`,
          );
        }
      }
    });
  }
});
