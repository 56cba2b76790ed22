// Memory of a run on 50,000 images (real ones, repeated): its peak, and what is resident after each epoch.
import { cifar10, trainIncremental } from 'torch-incremental';
import { report } from './report.mjs';
import { memory, pretrained, repeatedImages, settings, workFolder } from './support.mjs';

const { epochs } = settings({ epochs: 3 });
const folder = workFolder();
const checkpoint = await pretrained(folder);
repeatedImages(folder, 50_000);
const resident = [];
const { history } = await trainIncremental(checkpoint, {
  ...{ data: cifar10({ root: folder }), epochs, seed: 0 },
  onProgress: ({ type }) => type === 'epoch' && resident.push(memory().resident),
});
const { peak } = memory();
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(0);
report('Memory of a run on 50,000 images', {
  sentence: `peak ${megabytes(peak)} MB; after each epoch ${resident.map(megabytes).join(', ')} MB`,
  figures: { peak, resident, samples: history[0].samples },
});
