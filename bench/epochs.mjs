// Time and memory of later epochs against early ones: many short ones in one run.
import { cifar10, subset, trainIncremental } from 'torch-incremental';
import { report, shown } from './report.mjs';
import { images, median, memory, pretrained, settings, workFolder } from './support.mjs';

const { epochs, samples } = settings({ epochs: 200, samples: 320 });
const checkpoint = await pretrained(workFolder());
const resident = [];
const { history } = await trainIncremental(checkpoint, {
  data: subset(cifar10({ root: images() }), { start: 0, end: samples }),
  ...{ epochs, seed: 0 },
  onProgress: ({ type }) => type === 'epoch' && resident.push(memory().resident / 2 ** 20),
});
const tenth = Math.ceil(epochs / 10);
const part = (values, index) => median(values.slice(index * tenth, (index + 1) * tenth));
const seconds = history.map((epoch) => epoch.seconds);
// The first tenth warms up.
const growth = part(seconds, 9) / part(seconds, 1) - 1;
const megabytes = part(resident, 9) - part(resident, 1);
report('Growth with the number of epochs', {
  sentence:
    `of ${epochs} epochs the last tenth takes ${(growth * 100).toFixed(1)} % longer an epoch than the second tenth, with ` +
    `${megabytes.toFixed(1)} MB more`,
  figures: { growth, megabytes, epochs, samples },
  tables: [
    {
      columns: ['epochs', 'ms/epoch', 'resident, MB'],
      rows: [0, 1, 4, 9].map((index) => [
        `${index * tenth + 1}–${(index + 1) * tenth}`,
        ...[shown(part(seconds, index) * 1000), shown(part(resident, index))],
      ]),
    },
  ],
});
