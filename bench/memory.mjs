// Memory of a run on 50,000 images (real ones, repeated): its peak, and what is resident after each epoch.
import fs from 'node:fs';
import path from 'node:path';
import { cifar10, trainIncremental } from 'torch-incremental';
import { images, memory, pretrained, report, workFolder } from './support.mjs';

const folder = workFolder();
const checkpoint = await pretrained(folder);
const real = path.join(images(), 'cifar-10-batches-bin');
const repeated = path.join(folder, 'cifar-10-batches-bin');
fs.mkdirSync(repeated);
for (let file = 1; file <= 5; file++) {
  const records = fs.readFileSync(path.join(real, `data_batch_${file}.bin`));
  const to = path.join(repeated, `data_batch_${file}.bin`);
  for (let left = 10_000; left > 0; left -= records.length / 3073)
    fs.appendFileSync(to, records.subarray(0, left * 3073));
}
fs.copyFileSync(path.join(real, 'test_batch.bin'), path.join(repeated, 'test_batch.bin'));

const resident = [];
const { history } = await trainIncremental(checkpoint, {
  data: cifar10({ root: folder }),
  epochs: Number(process.argv[2] ?? 3),
  seed: 0,
  onProgress: ({ type }) => type === 'epoch' && resident.push(memory().resident),
});
const { peak } = memory();
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(0);
report(
  'memory of a run on 50,000 images',
  { peak, resident, samples: history[0].samples, unit: 'bytes' },
  `peak ${megabytes(peak)} MB; after each epoch ${resident.map(megabytes).join(', ')} MB`,
);
