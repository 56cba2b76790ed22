// Memory of an online learner: over a million samples with ids, replay, gate and drift detection; and beside a source
// that is ten times too fast, whose samples are dropped.
import path from 'node:path';
import { report, shown } from './report.mjs';
import { root, settings, timed } from './support.mjs';

const { samples, seconds, times } = settings({ samples: 1_000_000, seconds: 60, times: 10 });

async function run(plan) {
  const script = path.join(root, 'bench/children/online-memory.mjs');
  const { output, seconds: took } = await timed(process.execPath, ['--expose-gc', script, JSON.stringify(plan)]);
  return {
    lines: output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    took,
  };
}

const MB = 2 ** 20;
const { lines: long, took } = await run({ samples });
const { lines: fast } = await run({ seconds, times });
// The first fifth warms up: the replay buffer and the memory of ids are filled.
const settled = long.slice(Math.ceil(long.length / 5));
const slope = slopeOf(settled.map(({ learned, rss }) => [learned / 1e5, rss / MB]));
const flat = slopeOf(fast.slice(Math.ceil(fast.length / 5)).map(({ rss }, i) => [i / 30, rss / MB]));
const last = fast.at(-1);
const exact = [...long, ...fast].every((line) => line.exact);

/** Least squares, not weighted. */
function slopeOf(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [0, 1].map((i) => mean(points.map((point) => point[i])));
  const cross = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return cross / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

report('Memory of an online learner', {
  sentence:
    `${shown(slope)} MB more for each 100,000 samples of ${samples.toLocaleString('en')} (${Math.round(samples / took).toLocaleString('en')} ` +
    `a second); beside a source ${times} times too fast ${shown(flat)} MB more a minute, ${last.dropped.toLocaleString('en')} of ` +
    `${last.offered.toLocaleString('en')} samples dropped, accounts ${exact ? 'exact' : 'NOT EXACT'} at every look`,
  figures: {
    slope,
    flat,
    exact: Number(exact),
    resident: long.map(({ rss }) => rss / MB),
    beside: fast.map(({ rss }) => rss / MB),
  },
  tables: [
    {
      columns: ['samples learned', 'resident, MB', 'JavaScript heap, MB', 'outside it, MB'],
      rows: long
        .filter((_, i) => i % 4 === 3)
        .map(({ learned, rss, heapUsed, external }) => [
          learned.toLocaleString('en'),
          ...[rss, heapUsed, external].map((value) => shown(value / MB)),
        ]),
    },
  ],
});
