// The reference script's step against libtorch's convolutions and products alone: each pass by itself in PyTorch, in the memory layout
// that the step keeps. What a step takes longer than all of them is data, loss, SGD, autograd, dispatch, and waits of one
// thread for another, less what kernels of this library save (two products in exact mode, three in bf16).
import { report, shown } from './report.mjs';
import { images, median, pretrained, settings, workFolder } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';
import { variants } from './variants.mjs';

const { rounds } = settings({ rounds: 5 });
const checkpoint = await pretrained(workFolder());
const ways = ['exact', 'bf16'];
const { passes: runs, ...steps } = await inTurns(
  [
    ...ways.map((way) => ours(way, { model: 'net', checkpoint, root: images(), options: variants[way].options })),
    theirs('passes', [], 'passes.py'),
  ],
  rounds,
);
const names = Object.keys(runs[0].exact);
const figures = { step: {}, passes: {}, sum: {}, share: {}, rounds };
for (const way of ways) {
  figures.step[way] = median(steps[way].map(({ seconds, samples }) => (seconds * 64e3) / samples));
  figures.passes[way] = Object.fromEntries(names.map((name) => [name, median(runs.map((run) => run[way][name]))]));
  figures.sum[way] = Object.values(figures.passes[way]).reduce((sum, value) => sum + value, 0);
  figures.share[way] = figures.sum[way] / figures.step[way];
}
report('What a step is made of', {
  sentence: ways
    .map(
      (way) =>
        `${variants[way].title}: libtorch's passes alone take ${figures.sum[way].toFixed(1)} ms of a step's ` +
        `${figures.step[way].toFixed(1)} (${(figures.share[way] * 100).toFixed(0)} %)`,
    )
    .join('; '),
  figures,
  tables: [
    {
      columns: ['ms', ...ways.map((way) => variants[way].title)],
      rows: [
        ...names.map((name) => [name, ...ways.map((way) => shown(figures.passes[way][name]))]),
        ['all passes', ...ways.map((way) => shown(figures.sum[way]))],
        ['the step', ...ways.map((way) => shown(figures.step[way]))],
      ],
    },
  ],
});
