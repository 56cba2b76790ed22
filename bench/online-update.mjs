// One call of learn(): scored, augmented, learned, and in the journal, against the same loop in Python, which keeps no journal,
// in the same process and in one beside a Node process that asks it over HTTP.
import { report, shown } from './report.mjs';
import { images, pretrained, quantile, settings, workFolder } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';

const { rounds, sizes } = settings({ rounds: 5, sizes: [1, 8, 64] });
const checkpoint = await pretrained(workFolder());
const titles = {
  exact: 'exact',
  fast: "mode: 'fast'",
  python: 'Python, in process',
  http: 'Python, over HTTP',
};
const times = {};
for (const batchSize of sizes) {
  const updates = Math.max(20, Math.round(400 / batchSize));
  const plan = { checkpoint, root: images(), batchSize, updates };
  const answers = await inTurns(
    [
      ours('exact', plan, 'online.mjs'),
      ours('fast', { ...plan, options: { mode: 'fast' } }, 'online.mjs'),
      theirs('python', ['--checkpoint', checkpoint, '--batch-size', batchSize, '--updates', updates], 'online.py'),
      ours('http', { ...plan, serve: true }, 'online.mjs'),
    ],
    rounds,
  );
  times[batchSize] = Object.fromEntries(
    Object.entries(answers).map(([who, turns]) => [who, turns.flatMap((turn) => turn.times)]),
  );
}
const p50 = (size, who) => quantile(times[size][who], 0.5);
const ratio = (size, who, other) => p50(size, other) / p50(size, who);
const rows = sizes.flatMap((size) =>
  Object.keys(titles).map((who) => [
    ...[size, titles[who], shown(p50(size, who)), shown(quantile(times[size][who], 0.99))],
    ...[shown(1000 / p50(size, who)), ratio(size, who, 'python').toFixed(2), ratio(size, who, 'http').toFixed(2)],
  ]),
);
const ways = ['exact', 'fast'];
const against = (other) =>
  Object.fromEntries(
    ways.map((way) => [way, Object.fromEntries(sizes.map((size) => [size, ratio(size, way, other)]))]),
  );
report('One update of an online learner', {
  sentence: sizes
    .map((size) => {
      const told = ways.map(
        (way) => `${titles[way]} ${p50(size, way).toFixed(2)} ms (${ratio(size, way, 'python').toFixed(2)})`,
      );
      return `batch ${size}: ${told.join(', ')}, Python ${p50(size, 'python').toFixed(2)} ms, over HTTP ${p50(size, 'http').toFixed(2)} ms`;
    })
    .join('; '),
  figures: { toPython: against('python'), toHttp: against('http'), rounds },
  tables: [{ columns: ['batch', '', 'p50, ms', 'p99, ms', 'updates/s', 'times Python', 'times HTTP'], rows }],
});
