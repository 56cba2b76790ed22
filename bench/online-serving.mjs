// Predictions of one sample by 32 askers at once, beside a learner that learns on one thread, against the same without learning.
import path from 'node:path';
import { report, shown } from './report.mjs';
import { images, median, pretrained, quantile, root, settings, timed, workFolder } from './support.mjs';

const { rounds, seconds, askers } = settings({ rounds: 4, seconds: 5, askers: 32 });
const checkpoint = await pretrained(workFolder());
const cases = { idle: false, learning: true };
const answers = { idle: [], learning: [] };
for (let round = 0; round < rounds; round++) {
  for (const [name, learn] of Object.entries(cases)) {
    const plan = JSON.stringify({ checkpoint, root: images(), learn, seconds, askers });
    const { output } = await timed(process.execPath, [path.join(root, 'bench/children/online-serve.mjs'), plan]);
    answers[name].push(JSON.parse(output));
  }
}
const times = Object.fromEntries(Object.keys(cases).map((name) => [name, answers[name].flatMap((turn) => turn.times)]));
const delay = Object.fromEntries(
  Object.keys(cases).map((name) => [name, median(answers[name].map((turn) => turn.delay))]),
);
const p99 = (name) => quantile(times[name], 0.99);
const updates = median(answers.learning.map((turn) => turn.updates)) / seconds;
report('Predicting while an online learner learns', {
  sentence:
    `p99 of ${askers} askers ${p99('learning').toFixed(1)} ms while it learns, ${(p99('learning') / p99('idle')).toFixed(2)} times ` +
    `that without; the event loop's delay p99 ${delay.learning.toFixed(1)} ms; ${Math.round(updates)} updates a second meanwhile`,
  figures: { ratio: p99('learning') / p99('idle'), delay: delay.learning, updates },
  tables: [
    {
      columns: ['', 'p50, ms', 'p99, ms', 'predictions/s', "event loop's delay p99, ms"],
      rows: Object.keys(cases).map((name) => [
        ...[name, shown(quantile(times[name], 0.5)), shown(p99(name))],
        ...[shown(times[name].length / seconds / rounds), shown(delay[name])],
      ]),
    },
  ],
});
