// One call of learn(): scored, augmented, learned, and in the journal, against the same loop in Python, which keeps no journal,
// in the same process and in one beside a Node process that asks it over HTTP. And an update of a CNN, which replays as many
// samples as are new, against what it is made of: a step of trainIncremental on as many, and a forward pass of the new ones; beside
// that, what an update takes that computes next to nothing.
import { report, shown } from './report.mjs';
import { images, median, pretrained, quantile, settings, workFolder } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';

const { rounds, sizes, fresh, repeats } = settings({ rounds: 5, sizes: [1, 8, 64], fresh: 10, repeats: 50 });
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
const cnns = ['exact', 'fast'].flatMap((mode) => [2, 1].map((threads) => ({ mode, threads })));
const cnnName = ({ mode, threads }) => `${mode}, ${threads === 1 ? '1 thread' : `${threads} threads`}`;
const cnnAnswers = await inTurns(
  cnns.map((plan) => ours(cnnName(plan), { ...plan, fresh, repeats }, 'cnn-update.mjs')),
  rounds,
);
// The time of one round's update beside the same round's parts, so that a slow moment meets both.
const cnnTimes = Object.entries(cnnAnswers).map(([name, turns]) => {
  const middle = (value) => median(turns.map(value));
  const more = middle(({ step, forward, update }) => update - step - forward);
  const parts = { step: middle((turn) => turn.step), forward: middle((turn) => turn.forward) };
  const floor = { least: middle((turn) => turn.least), call: middle((turn) => turn.call) };
  return { name, ...parts, update: middle((turn) => turn.update), more, ...floor };
});
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
  figures: { toPython: against('python'), toHttp: against('http'), cnn: cnnTimes, rounds },
  tables: [
    { columns: ['batch', '', 'p50, ms', 'p99, ms', 'updates/s', 'times Python', 'times HTTP'], rows },
    {
      columns: [
        ...[`CNN, ${fresh} new and ${fresh} replayed`, 'update, ms', 'step, ms', 'forward pass, ms', 'more, ms'],
        ...['update of two weights after a pause, ms', 'fs.promises.stat() after a pause, ms'],
      ],
      rows: cnnTimes.map(({ name, update, step, forward, more, least, call }) => [
        name,
        ...[update, step, forward, more, least, call].map(shown),
      ]),
    },
  ],
});
