// The reference script's samples per second in its second epoch, each way to train against the Python script without and with
// workers: all in turns, each run a process of its own.
import fs from 'node:fs';
import path from 'node:path';
import { report, shown } from './report.mjs';
import { images, median, pretrained, python, root, settings, timed, workFolder } from './support.mjs';
import { inTurns, ours } from './turns.mjs';
import { variants } from './variants.mjs';

const {
  rounds,
  variants: chosen,
  workers,
} = settings({
  rounds: 7,
  variants: Object.keys(variants),
  workers: [0, 1, 2],
});
const folder = workFolder();
const checkpoint = await pretrained(folder);

/** The script itself, which times its steps. */
function script(count) {
  const turn = async () => {
    const times = path.join(folder, 'times.json');
    const file = path.join(root, 'test/golden/reference_script.py');
    const data = ['--data', images(), '--checkpoint', checkpoint];
    await timed(python(), [file, ...data, '--epochs', '2', '--times', times, '--workers', String(count)]);
    const { steps } = JSON.parse(fs.readFileSync(times, 'utf8'));
    return { seconds: steps.slice(steps.length / 2).reduce((sum, step) => sum + step, 0) };
  };
  return { name: `python${count}`, turn, end: async () => {} };
}

const competitors = [
  ...chosen.map((name) => ours(name, { model: 'net', checkpoint, root: images(), options: variants[name].options })),
  ...workers.map(script),
];
const answers = await inTurns(competitors, rounds, { fresh: true });
const samples = Object.values(answers)
  .flat()
  .find((answer) => answer.samples).samples;
const rate = Object.fromEntries(
  Object.entries(answers).map(([name, runs]) => [name, median(runs.map(({ seconds }) => samples / seconds))]),
);
const reference = rate.python0;
const ratio = Object.fromEntries(Object.entries(rate).map(([name, value]) => [name, value / reference]));
const titles = Object.fromEntries([
  ...chosen.map((name) => [name, variants[name].title]),
  ...workers.map((count) => [`python${count}`, `reference_script.py, --workers ${count}`]),
]);
const all = Object.fromEntries(
  Object.entries(answers).map(([name, runs]) => [name, runs.map(({ seconds }) => samples / seconds)]),
);
const best = Math.max(...workers.map((count) => rate[`python${count}`]));
report('The reference script', {
  sentence: chosen
    .filter((name) => rate[name])
    .map((name) => `${variants[name].title} ${ratio[name].toFixed(2)} times the samples a second of the script`)
    .join(', '),
  figures: { rate, ratio, rounds, samples, all },
  tables: [
    {
      columns: ['', 'samples/s', 'times reference_script.py without workers', 'times its best'],
      rows: Object.keys(rate).map((name) => [
        titles[name],
        shown(rate[name]),
        ratio[name].toFixed(2),
        (rate[name] / best).toFixed(2),
      ]),
    },
  ],
  charts: [
    {
      file: 'reference-script',
      kind: 'bars',
      title: 'The reference script, samples a second',
      value: 'samples/s',
      bars: Object.keys(rate).map((name) => [titles[name], rate[name]]),
    },
  ],
});
