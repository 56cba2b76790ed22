// How long a prediction of one sample takes, asked for every 3 ms, while the reference script trains in the same process: with one
// thread, which leaves a core, with two, which leave none on two cores, and with two that step back.
import path from 'node:path';
import { report, shown } from './report.mjs';
import { images, pretrained, quantile, root, settings, timed, workFolder } from './support.mjs';
import { tell } from './turns.mjs';
import { variants } from './variants.mjs';

const {
  seconds,
  every,
  rounds,
  variants: ways,
} = settings({ seconds: 5, every: 3, rounds: 2, variants: ['exact', 'fast', 'contracted'] });
const checkpoint = await pretrained(workFolder());
const settingsOfTraining = [
  { name: '1 thread', threads: 1 },
  { name: '2 threads', threads: 2 },
  { name: '2 threads, niceness 19', threads: 2, niceness: 19 },
];
const cases = [
  { name: 'no training', train: false },
  ...ways.flatMap((way) =>
    settingsOfTraining.map(({ name, ...setting }) => ({
      name: `${variants[way].title}, ${name}`,
      ...{ train: true, options: { ...variants[way].options, ...setting } },
    })),
  ),
];
const times = {};
for (let round = 0; round < rounds; round++) {
  for (const { name, ...plan } of cases) {
    const settings = JSON.stringify({ ...plan, root: images(), checkpoint, seconds, every });
    const { output } = await timed(process.execPath, [path.join(root, 'bench/children/serve.mjs'), settings]);
    const answer = JSON.parse(output);
    if (answer.refused) tell(name, answer.refused);
    else times[name] = [...(times[name] ?? []), ...answer.times];
  }
}
const percentiles = [1, 10, 25, 50, 75, 90, 95, 98, 99];
const names = Object.keys(times);
const latency = Object.fromEntries(
  names.map((name) => [name, percentiles.map((percent) => [percent, quantile(times[name], percent / 100)])]),
);
const p99 = (name) => quantile(times[name], 0.99);
const nice = names.filter((name) => name.endsWith('niceness 19'));
const worst = Math.max(...nice.map(p99));
report('Predicting while training', {
  sentence: `one sample every ${every} ms: p99 ${p99(names[0]).toFixed(2)} ms without training, at most ${worst.toFixed(2)} ms beside two threads of niceness 19`,
  figures: { worst, latency, requests: times[names[0]].length, every },
  tables: [
    {
      columns: ['training', 'p50, ms', 'p95, ms', 'p99, ms', 'largest, ms', 'requests'],
      rows: names.map((name) => [
        name,
        ...[0.5, 0.95, 0.99, 1].map((q) => shown(quantile(times[name], q))),
        times[name].length,
      ]),
    },
  ],
  charts: [
    {
      ...{ file: 'predict-while-training', kind: 'lines', title: 'Predicting one sample while training' },
      x: { name: 'percentile of the requests' },
      y: { name: 'ms', log: true },
      series: names.map((name) => [name, latency[name]]),
    },
  ],
});
