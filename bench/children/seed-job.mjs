// The seed job in Node, for the trials: `seed-job.mjs <data> <checkpoint> <epochs> [first]`. Prints the seconds of each
// epoch; with `first`, a line as soon as the first step is done, and stops.
import { cifar10, trainIncremental } from 'torch-incremental';

const [root, checkpoint, epochs, first] = process.argv.slice(2);
const controller = new AbortController();
const run = trainIncremental(checkpoint, {
  data: cifar10({ root }),
  epochs: Number(epochs),
  seed: 0,
  logEvery: first ? 1 : 100,
  signal: controller.signal,
  onProgress: (event) => {
    if (!first || event.type !== 'log' || controller.signal.aborted) return;
    console.log(event.loss);
    controller.abort();
  },
});
try {
  const { history } = await run;
  console.log(JSON.stringify(history.map(({ samples, seconds }) => ({ samples, seconds }))));
} catch (error) {
  if (error !== controller.signal.reason) throw error;
}
