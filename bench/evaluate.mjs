// Evaluating and predicting, whole calls on a loaded state, against Python with PIL's loader and with the images as a tensor.
import { modelNamed } from './models.mjs';
import { report, shown } from './report.mjs';
import { images, median, pretrained, settings, workFolder } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';

const { rounds, samples, models } = settings({ rounds: 3, samples: 4096, models: ['net', 'cnn', 'resnet'] });
const folder = workFolder();
const figures = { rate: {}, ratio: {} };
const rows = [];
for (const model of models) {
  const checkpoint = await pretrained(folder, modelNamed(model));
  const plan = { root: images(), checkpoint, samples, model };
  const reference = (how) =>
    theirs(how, ['--checkpoint', checkpoint, '--model', model, '--samples', samples, '--how', how], 'evaluate.py');
  const answers = await inTurns(
    [
      ours('evaluate', { ...plan, what: 'evaluate' }, 'load.mjs'),
      ...[reference('pil'), reference('tensors')],
      ours('ours', { ...plan, what: 'predict' }, 'load.mjs'),
      reference('predict'),
    ],
    rounds,
  );
  const rate = Object.fromEntries(
    Object.entries(answers).map(([who, pieces]) => [who, median(pieces.map(({ seconds }) => samples / seconds))]),
  );
  figures.rate[model] = rate;
  figures.ratio[model] = { evaluate: rate.evaluate / rate.tensors, predict: rate.ours / rate.predict };
  rows.push([
    ...[model, ...['evaluate', 'pil', 'tensors'].map((who) => shown(rate[who]))],
    ...[rate.evaluate / rate.tensors, rate.ours, rate.predict, rate.ours / rate.predict].map(shown),
  ]);
}
report('Evaluating and predicting', {
  sentence: `samples a second in batches of 64; ${models
    .map((model) => {
      const { evaluate, predict } = figures.ratio[model];
      return `${model}: evaluate ${evaluate.toFixed(2)} and predict ${predict.toFixed(2)} times eager PyTorch with its images in a tensor`;
    })
    .join(', ')}`,
  figures: { ...figures, rounds, samples },
  tables: [
    {
      columns: [
        ...['', 'evaluate()', 'Python, PIL', 'Python, tensor', 'times Python, tensor'],
        ...['predict()', 'Python, predicting', 'times Python'],
      ],
      rows,
    },
  ],
});
