// How the time of a sample and the peak of memory grow with the size of the data set, over three orders of magnitude. The
// images are the real ones again and again; a run sees `window` of them in its random order, or all (--window 0).
import fs from 'node:fs';
import path from 'node:path';
import { report, shown } from './report.mjs';
import { fitLine, median, pretrained, repeatedImages, root, settings, timed, workFolder } from './support.mjs';
import { tell } from './turns.mjs';
import { variants } from './variants.mjs';

// In an order in which those that are compared, 8,000 and 800,000, run one right after the other.
const {
  rounds,
  window,
  sizes,
  variants: ways,
} = settings({ rounds: 9, window: 12_000, sizes: [800, 80_000, 8000, 800_000], variants: ['exact', 'contracted'] });
const folder = workFolder();
const checkpoint = await pretrained(folder);
const runs = {};
for (const size of sizes) repeatedImages(path.join(folder, String(size)), size);
for (let round = 0; round < rounds; round++) {
  for (const way of ways) {
    for (const size of sizes) {
      const plan = { root: path.join(folder, String(size)), checkpoint, total: size, window };
      const child = path.join(root, 'bench/children/window.mjs');
      const settings = JSON.stringify({ ...plan, options: variants[way].options });
      const { output } = await timed(process.execPath, [child, settings]);
      const answer = JSON.parse(output);
      if (answer.refused) {
        tell(way, answer.refused);
        continue;
      }
      runs[way] ??= Object.fromEntries(sizes.map((each) => [each, []]));
      runs[way][size].push(answer);
    }
  }
}
fs.rmSync(folder, { recursive: true });
sizes.sort((a, b) => a - b);
const present = Object.keys(runs);
const series = (key, scale = 1) =>
  Object.fromEntries(
    present.map((way) => [way, sizes.map((size) => [size, median(runs[way][size].map((run) => run[key])) / scale])]),
  );
const [microseconds, firstStep, peak] = [series('microseconds'), series('firstStep'), series('peak', 2 ** 20)];
const at = (points, size) => points.find(([each]) => each === size)?.[1];
const [from, to] = [8000, Math.max(...sizes)];
// Of the runs of one round, which stand closest together: a machine's speed changes by more than this from minute to minute.
const growths = present.map((way) => {
  const [before, after] = [from, to].map((size) => runs[way][size].map((run) => run.microseconds));
  return median(after.map((value, round) => value / before[round])) - 1;
});
const bytes = fitLine(peak[present[0]].map(([size, megabytes]) => [size, megabytes * 2 ** 20]));
report('Growth with the number of samples', {
  sentence:
    `from ${shown(from)} to ${shown(to)} samples the time of a sample changes by ` +
    `${present.map((way, i) => `${(growths[i] * 100).toFixed(1)} % (${variants[way].title})`).join(', ')}; memory is ` +
    `${shown(bytes.base / 2 ** 20)} MB and ${shown(bytes.slope)} bytes a sample (an image has 3073)`,
  figures: { growth: Math.max(...growths), growths, microseconds, firstStep, peak, bytes, window, rounds },
  tables: [
    {
      columns: [
        'samples',
        ...present.flatMap((way) =>
          ['µs/sample', 'first step, s', 'peak, MB'].map((what) => `${variants[way].title}: ${what}`),
        ),
      ],
      rows: sizes.map((size) => [
        shown(size),
        ...present.flatMap((way) => [microseconds, firstStep, peak].map((each) => shown(at(each[way], size)))),
      ]),
    },
  ],
  charts: [
    {
      ...{ file: 'samples-time', kind: 'lines', title: 'Time of a sample by size of the data set' },
      ...{ x: { name: 'samples in the data set', log: true }, y: { name: 'µs per sample' } },
      series: present.map((way) => [variants[way].title, microseconds[way]]),
    },
    {
      ...{ file: 'samples-memory', kind: 'lines', title: 'Peak of memory by size of the data set' },
      ...{ x: { name: 'samples in the data set', log: true }, y: { name: 'MB', log: true } },
      series: [
        ['process', peak[present[0]]],
        ['the images themselves', sizes.map((size) => [size, (size * 3073) / 2 ** 20])],
      ],
    },
  ],
});
