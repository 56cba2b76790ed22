// How the time of a step and the peak of memory grow with the number of parameters: one hidden layer of growing width, on
// batches that are ready.
import { createState } from 'torch-incremental';
import { modelNamed } from './models.mjs';
import { report, shown } from './report.mjs';
import { fitLine, images, median, pretrained, settings, workFolder } from './support.mjs';
import { inTurns, ours } from './turns.mjs';
import { variants } from './variants.mjs';

const {
  rounds,
  steps,
  widths,
  variants: ways,
} = settings({ rounds: 3, steps: 16, widths: [16, 64, 256, 1024, 4096], variants: ['exact', 'fast'] });
const folder = workFolder();
const [time, peak] = [{}, {}];
const counts = [];
for (const width of widths) {
  const model = modelNamed(`hidden${width}`);
  const state = await createState(model);
  counts.push(state.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
  const checkpoint = await pretrained(folder, model);
  const plan = { model: model.name, checkpoint, root: images(), samples: steps * 64, cached: true };
  const answers = await inTurns(
    ways.map((way) => ours(way, { ...plan, options: variants[way].options })),
    rounds,
  );
  for (const [way, pieces] of Object.entries(answers)) {
    time[way] = [...(time[way] ?? []), [counts.at(-1), median(pieces.map(({ seconds }) => (seconds * 1000) / steps))]];
    peak[way] = [...(peak[way] ?? []), [counts.at(-1), median(pieces.map((piece) => piece.peak / 2 ** 20))]];
  }
}
const present = Object.keys(time);
const fit = Object.fromEntries(present.map((way) => [way, fitLine(time[way])]));
const bytes = fitLine(peak[present[0]].map(([count, megabytes]) => [count, megabytes * 2 ** 20]));
report('Growth with the number of parameters', {
  sentence: `${present
    .map(
      (way) =>
        `${variants[way].title}: a step of 64 takes ${shown(fit[way].base)} ms and ${shown(fit[way].slope * 1e6)} ms a million parameters`,
    )
    .join('; ')}; memory is ${shown(bytes.base / 2 ** 20)} MB and ${shown(bytes.slope)} bytes a parameter`,
  figures: { time, peak, fit, bytes, rounds, steps },
  tables: [
    {
      columns: [
        'width',
        'parameters',
        ...present.flatMap((way) => ['ms/step', 'peak, MB'].map((what) => `${variants[way].title}: ${what}`)),
      ],
      rows: widths.map((width, i) => [
        ...[width, shown(counts[i])],
        ...present.flatMap((way) => [shown(time[way][i][1]), shown(peak[way][i][1])]),
      ]),
    },
  ],
  charts: [
    {
      ...{ file: 'parameters', kind: 'lines', title: 'A step of 64 samples by number of parameters' },
      ...{ x: { name: 'parameters', log: true }, y: { name: 'ms per step', log: true } },
      series: present.map((way) => [variants[way].title, time[way]]),
    },
  ],
});
