// Trains until the first step of the reference script is done, prints its loss, and stops: `first-step.mjs <data> <checkpoint>`.
import { cifar10, trainIncremental } from 'torch-incremental';

const [root, checkpoint] = process.argv.slice(2);
const controller = new AbortController();
try {
  await trainIncremental(checkpoint, {
    ...{ data: cifar10({ root }), epochs: 1, seed: 0, logEvery: 1, signal: controller.signal },
    onProgress: (event) => {
      if (event.type !== 'log' || controller.signal.aborted) return;
      console.log(event.loss);
      controller.abort();
    },
  });
} catch (error) {
  if (error !== controller.signal.reason) throw error;
}
