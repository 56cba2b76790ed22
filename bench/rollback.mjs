// How long an online learner takes to serve an earlier version again, and to say so in its journal.
import path from 'node:path';
import { OnlineLearner, sgd } from 'torch-incremental';
import { report, shown } from './report.mjs';
import { allImages, median, pretrained, quantile, settings, workFolder } from './support.mjs';

const { rounds } = settings({ rounds: 40 });
const folder = workFolder();
const learner = await OnlineLearner.open({
  ...{ dir: path.join(folder, 'learner'), checkpoint: await pretrained(folder), batchSize: 8, maxDelayMs: 0, seed: 0 },
  ...{ optimizer: sgd({ learningRate: 1e-4 }), replay: { capacity: 500, perUpdate: 8 }, gate: { every: 2 } },
});
const pixels = allImages(64);
for (let i = 0; i < 64; i += 8) {
  const inputs = pixels.subarray(i * 3072, (i + 8) * 3072);
  await learner.learn({ inputs, labels: Array.from({ length: 8 }, (_, j) => j) });
}
const versions = learner.versions().map(({ version }) => version);
const times = [];
for (let i = 0; i < rounds; i++) {
  const started = performance.now();
  await learner.rollback(versions[i % versions.length]);
  times.push(performance.now() - started);
}
await learner.close();
report('Going back to an earlier version', {
  sentence: `median ${median(times).toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms, of ${versions.length} versions in turn`,
  figures: { median: median(times), p95: quantile(times, 0.95), rounds },
  tables: [
    {
      columns: ['', 'ms'],
      rows: [
        ['median', shown(median(times))],
        ['p95', shown(quantile(times, 0.95))],
      ],
    },
  ],
});
