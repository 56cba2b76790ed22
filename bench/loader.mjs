// Loading alone: from uint8 images to augmented float32 batches, through the public iterator, against DataLoader over PIL
// images and against whole batches as tensors. Ours works on one thread.
import { report, shown } from './report.mjs';
import { images, median, settings } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';

const { rounds, samples, workers } = settings({ rounds: 5, samples: 8192, workers: [0, 1, 2] });
const titles = { node: 'batches()', tensors: 'tensors in batches, Python' };
for (const count of workers) titles[`python${count}`] = `DataLoader, ${count} workers`;
const answers = await inTurns(
  [
    ours('node', { what: 'load', root: images(), samples }, 'load.mjs'),
    ...workers.map((count) => theirs(`python${count}`, ['--samples', samples, '--workers', count], 'loader.py')),
    theirs('tensors', ['--samples', samples, '--tensors'], 'loader.py'),
  ],
  rounds,
);
const names = Object.keys(answers);
const rate = Object.fromEntries(
  names.map((who) => [who, median(answers[who].map(({ seconds }) => samples / seconds))]),
);
const best = Math.max(...workers.map((count) => rate[`python${count}`]));
report('The loader alone', {
  sentence:
    `${shown(rate.node)} images/s, ${(rate.node / rate.python0).toFixed(1)} times DataLoader without workers, ` +
    `${(rate.node / best).toFixed(1)} times its best`,
  figures: { rate, ratio: rate.node / rate.python0, rounds, samples },
  tables: [
    {
      columns: ['', 'images/s', 'times DataLoader without workers'],
      rows: names.map((who) => [titles[who], shown(rate[who]), (rate[who] / rate.python0).toFixed(2)]),
    },
  ],
  charts: [
    {
      ...{ file: 'loader', kind: 'bars', title: 'Loading and augmenting, images a second', value: 'images/s' },
      bars: names.map((who) => [titles[who], rate[who]]),
    },
  ],
});
