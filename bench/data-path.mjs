// Cost of the data path for a step: uint8 images in a new order with the five transforms, over batches that are ready. Ready
// means float32 arrays in order, which are only copied; either one batch again and again or as many as the images make. The
// faster of the two is the measure, since each has a cost of its own (an epoch's end after every step; a larger copy).
import { report, shown } from './report.mjs';
import { images, median, pretrained, settings, workFolder } from './support.mjs';
import { inTurns, ours } from './turns.mjs';
import { variants } from './variants.mjs';

const {
  rounds,
  steps,
  variants: ways,
} = settings({ rounds: 11, steps: 64, variants: ['exact', 'fast', 'contracted', 'bf16'] });
const checkpoint = await pretrained(workFolder());
const plan = { model: 'net', checkpoint, root: images() };
const answers = await inTurns(
  ways.flatMap((way) => {
    const { options } = variants[way];
    const ready = { ...plan, cached: true, options: { ...options, shuffle: false } };
    return [
      ours(`${way} all`, { ...plan, samples: steps * 64, options }),
      ours(`${way} ready`, { ...ready, samples: steps * 64 }),
      ours(`${way} one`, { ...ready, samples: 64, epochs: steps }),
    ];
  }),
  rounds,
);
const present = ways.filter((way) => answers[`${way} all`]);
const step = (name) => median(answers[name].map(({ samples, seconds }) => (seconds * 64e3) / samples));
const figures = { ratio: {}, milliseconds: {} };
for (const way of present) {
  const [all, ready, one] = ['all', 'ready', 'one'].map((kind) => step(`${way} ${kind}`));
  figures.milliseconds[way] = { all, ready, one };
  figures.ratio[way] = all / Math.min(ready, one);
}
report('The data path within a step', {
  sentence: present
    .map(
      (way) =>
        `${variants[way].title}: a step takes ${figures.ratio[way].toFixed(3)} times as long as with ready batches`,
    )
    .join(', '),
  figures: { ...figures, rounds, steps },
  tables: [
    {
      columns: ['', 'images and transforms, ms/step', 'ready batches', 'one ready batch', 'ratio'],
      rows: present.map((way) => {
        const { all, ready, one } = figures.milliseconds[way];
        return [variants[way].title, shown(all), shown(ready), shown(one), figures.ratio[way].toFixed(3)];
      }),
    },
  ],
});
