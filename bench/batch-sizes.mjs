// Samples a second of the reference script's model at batches of 1 to 512 samples, each way to train and PyTorch as it comes, its
// images in memory and augmented as tensors: with PIL's loader the loader would be all one sees.
import { sgd } from 'torch-incremental';
import { modelNamed } from './models.mjs';
import { report, shown } from './report.mjs';
import { images, median, pretrained, settings, workFolder } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';
import { variants } from './variants.mjs';

const {
  rounds,
  sizes,
  variants: ways,
} = settings({ rounds: 2, sizes: [1, 4, 16, 64, 256, 512], variants: ['exact', 'fast', 'contracted'] });
const checkpoint = await pretrained(workFolder(), modelNamed('net'));
const rates = {};
// At the job's own rate the smallest batches drive the weights out of all bounds.
const learningRate = 1e-5;
for (const batchSize of sizes) {
  const samples = Math.min(4096, Math.max(512, batchSize * 64));
  const answers = await inTurns(
    [
      ...ways.map((way) => {
        const options = { ...variants[way].options, batchSize, optimizer: sgd({ learningRate }) };
        return ours(way, { model: 'net', checkpoint, root: images(), samples, options });
      }),
      theirs('eager', [
        ...['--turns', '--eager', '--checkpoint', checkpoint],
        ...['--samples', samples, '--batch-size', batchSize, '--lr', learningRate],
      ]),
    ],
    rounds,
  );
  for (const [who, pieces] of Object.entries(answers)) {
    rates[who] ??= [];
    rates[who].push([batchSize, median(pieces.map(({ seconds }) => samples / seconds))]);
  }
}
const titles = { ...variants, eager: { title: 'tuned.py --eager' } };
const names = Object.keys(rates);
const ratio = Object.fromEntries(
  names.map((who) => [who, rates[who].map(([size, rate], index) => [size, rate / rates.eager[index][1]])]),
);
const span = (who) =>
  `${Math.min(...ratio[who].map(([, r]) => r)).toFixed(2)} to ${Math.max(...ratio[who].map(([, r]) => r)).toFixed(2)}`;
report('Batch sizes', {
  sentence: names
    .filter((who) => who !== 'eager')
    .map((who) => `${titles[who].title} ${span(who)} times eager PyTorch`)
    .join(', '),
  figures: { rates, ratio, rounds },
  tables: [
    {
      columns: ['batch', ...names.map((who) => `${titles[who].title}, samples/s`)],
      rows: sizes.map((size, index) => [size, ...names.map((who) => shown(rates[who][index][1]))]),
    },
  ],
  charts: [
    {
      ...{ file: 'batch-sizes', kind: 'lines', title: 'Training the reference script’s model at batches of 1 to 512' },
      x: { name: 'batch, samples', log: 2 },
      y: { name: 'samples/s', log: true },
      series: names.map((who) => [titles[who].title, rates[who]]),
    },
  ],
});
