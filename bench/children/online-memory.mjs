// Lets an online learner learn from a stream, and prints what memory it takes meanwhile, as lines of JSON. The plan is JSON:
// { samples } learns so many with replay, ids, gate and drift detection; { seconds, times } follows a source that is so many
// times too fast.
import { setTimeout as sleep } from 'node:timers/promises';
import { adwin, createState, linear, OnlineLearner, relu, sequential, sgd } from 'torch-incremental';
import { workFolder } from '../support.mjs';

const { samples, seconds, times } = JSON.parse(process.argv[2]);
const size = 96;
const classes = 10;
const model = sequential({ fc1: linear(size, 64), relu: relu(), fc2: linear(64, classes) }, { input: [size] });
const dir = workFolder();
const learner = await OnlineLearner.open({
  ...{ dir, checkpoint: await createState(model, { seed: 0 }), model, transforms: [], batchSize: 64, maxDelayMs: 5 },
  ...{
    optimizer: sgd({ learningRate: 0.01 }),
    seed: 0,
    replay: { capacity: 5000, perUpdate: 64 },
    gate: { every: 50 },
    rememberIds: 50_000,
  },
  ...{ drift: { detector: adwin() }, journal: { maxBytes: 64 * 2 ** 20 } },
});
let made = 0;

/** The next samples: a class each, and values around its centre. */
function next(count) {
  const inputs = new Float32Array(count * size);
  const labels = new Int32Array(count);
  const ids = [];
  for (let i = 0; i < count; i++, made++) {
    labels[i] = (made * 7919) % classes;
    for (let j = 0; j < size; j++)
      inputs[i * size + j] = Math.sin(made * 12.9898 + j) / 2 + (j % classes === labels[i] ? 1 : 0);
    ids.push(made);
  }
  return { inputs, labels, ids };
}

function tell() {
  globalThis.gc();
  const { offered, learned, dropped, quarantined, duplicates, queued } = learner.metrics();
  const { rss, heapUsed, external } = process.memoryUsage();
  const exact = offered === learned + dropped + quarantined + duplicates + queued;
  console.log(JSON.stringify({ offered, learned, dropped, queued, exact, rss, heapUsed, external }));
}

if (samples) {
  for (let i = 0; i < samples; i += 64) {
    await learner.learn(next(64));
    if (Math.floor((i + 64) / 50_000) > Math.floor(i / 50_000)) tell();
  }
} else {
  // How fast it learns when nothing else is done.
  const started = performance.now();
  for (let i = 0; i < 500; i++) await learner.learn(next(64));
  const perSecond = (500 * 64 * 1000) / (performance.now() - started);
  const end = performance.now() + seconds * 1000;
  async function* source() {
    const begun = performance.now();
    const before = made;
    while (performance.now() < end) {
      // As many as are due by now.
      const due = Math.floor(((performance.now() - begun) / 1000) * perSecond * times);
      while (made - before < due && performance.now() < end) yield next(64);
      await sleep(1);
    }
  }
  const telling = setInterval(tell, 2000);
  for await (const _ of learner.stream(source(), { overflow: 'dropOldest', highWaterMark: 1024 }));
  clearInterval(telling);
  tell();
}
await learner.close();
