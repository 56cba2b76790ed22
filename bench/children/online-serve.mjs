// How long predictions of one sample take, asked for by 32 askers at once, while an online learner learns on one thread or does not.
// The plan is JSON: { checkpoint, root, learn, seconds }. Prints { times, delays }, in milliseconds.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { OnlineLearner, sgd } from 'torch-incremental';
import { allImages, workFolder } from '../support.mjs';

const { checkpoint, root, learn, seconds, askers } = JSON.parse(process.argv[2]);
process.env.TORCH_INCREMENTAL_CIFAR10 = root;
const pixels = allImages(2048);
const dir = workFolder();
const learner = await OnlineLearner.open({
  ...{ dir, checkpoint, batchSize: 8, maxDelayMs: 0, optimizer: sgd({ learningRate: 1e-5 }), seed: 0, threads: 1 },
  ...{ replay: { capacity: 500, perUpdate: 8 }, gate: { every: 20 } },
});
const image = (i) => pixels.subarray((i % 2048) * 3072, ((i % 2048) + 1) * 3072);
for (let i = 0; i < 50; i++) await learner.predict(image(i));

let over = false;
const learning = (async () => {
  for (let i = 0; learn && !over; i = (i + 8) % 2000) {
    await learner.learn({
      inputs: pixels.subarray(i * 3072, (i + 8) * 3072),
      labels: Array.from({ length: 8 }, (_, j) => (i + j) % 10),
    });
  }
})();
const times = [];
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
const end = performance.now() + seconds * 1000;
await Promise.all(
  Array.from({ length: askers }, async (_, asker) => {
    for (let i = asker; performance.now() < end; i++) {
      const started = performance.now();
      await learner.predict(image(i));
      times.push(performance.now() - started);
    }
  }),
);
delays.disable();
over = true;
await learning;
const { updates, version } = learner.metrics();
await learner.close();
console.log(JSON.stringify({ times, delay: delays.percentile(99) / 1e6, updates, version }));
