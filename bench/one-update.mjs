// One update at batch 1, samples ready in memory: the time of a step, its percentiles, and what a whole call costs that makes
// a single update.
import { arrays, loadState, net, sgd, trainIncremental } from 'torch-incremental';
import { report, shown } from './report.mjs';
import { images, median, pretrained, quantile, settings, workFolder } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';
import { variants } from './variants.mjs';

const {
  rounds,
  samples,
  calls,
  variants: ways,
} = settings({ rounds: 5, samples: 1000, calls: 100, variants: ['exact', 'fast', 'contracted'] });
// At the job's own rate single samples drive the weights out of all bounds within some thousand steps.
const learningRate = 1e-5;
const checkpoint = await pretrained(workFolder());
const answers = await inTurns(
  [
    ...ways.map((way) => {
      const options = { ...variants[way].options, batchSize: 1, logEvery: 1, optimizer: sgd({ learningRate }) };
      return ours(way, { model: 'net', checkpoint, root: images(), samples, cached: true, options });
    }),
    theirs('eager', [
      ...['--turns', '--times', '--eager', '--loader', 'cached'],
      ...['--checkpoint', checkpoint, '--samples', samples, '--batch-size', 1, '--lr', learningRate],
    ]),
  ],
  rounds,
);
const names = Object.keys(answers);
const steps = Object.fromEntries(
  names.map((who) => [who, answers[who].flatMap((answer) => answer.steps.map((seconds) => seconds * 1000))]),
);
const percentiles = [1, 10, 25, 50, 75, 90, 95, 99];
const latency = Object.fromEntries(
  names.map((who) => [who, percentiles.map((percent) => [percent, quantile(steps[who], percent / 100)])]),
);
const middle = Object.fromEntries(names.map((who) => [who, median(steps[who])]));
const ratio = Object.fromEntries(names.map((who) => [who, middle.eager / middle[who]]));

/** Milliseconds of a call that makes one update, from a state to a state. */
const call = {};
const state = await loadState(checkpoint);
const data = arrays({ inputs: new Float32Array(3072).fill(0.5), labels: [3], shape: [3, 32, 32], classes: 10 });
for (const way of ways.filter((way) => answers[way])) {
  const times = [];
  for (let i = 0; i < calls; i++) {
    const started = performance.now();
    const options = { model: net(), data, batchSize: 1, epochs: 1, seed: 0, ...variants[way].options };
    const { state: next } = await trainIncremental(state, options);
    times.push(performance.now() - started);
    next.dispose();
  }
  call[way] = median(times);
}
const titles = { ...variants, eager: { title: 'tuned.py --eager --loader cached' } };
report('One update at batch 1', {
  sentence: names
    .filter((who) => who !== 'eager')
    .map((who) => `${titles[who].title} ${middle[who].toFixed(3)} ms (${ratio[who].toFixed(2)} times as fast as eager)`)
    .join(', '),
  figures: { median: middle, ratio, latency, call, rounds, samples },
  tables: [
    {
      columns: ['', 'p50, ms', 'p95, ms', 'p99, ms', 'times eager', 'a whole call, ms'],
      rows: names.map((who) => [
        titles[who].title,
        ...[0.5, 0.95, 0.99].map((q) => shown(quantile(steps[who], q))),
        ratio[who].toFixed(2),
        shown(call[who]),
      ]),
    },
  ],
  charts: [
    {
      ...{ file: 'one-update', kind: 'lines', title: 'One update at batch 1' },
      x: { name: 'percentile of the updates' },
      y: { name: 'ms', log: true },
      series: names.map((who) => [titles[who].title, latency[who]]),
    },
  ],
});
