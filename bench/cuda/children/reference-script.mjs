// The reference script on a GPU, for the trial: `reference-script.mjs <data> <checkpoint> <epochs> <runs> <options as JSON>`. Prints a line
// of JSON for each run: the first of a process also makes what CUDA's libraries need.
import { cifar10, trainIncremental } from 'torch-incremental';

const [root, checkpoint, epochs, runs, options] = process.argv.slice(2);
const data = cifar10({ root });
for (let run = 0; run < Number(runs); run++) {
  const losses = [];
  const started = performance.now();
  const { history, seconds, device, steps } = await trainIncremental(checkpoint, {
    ...JSON.parse(options),
    data,
    epochs: Number(epochs),
    seed: 0,
    device: 'cuda',
    onProgress: (event) => event.type === 'log' && losses.push(event.loss),
  });
  const wall = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ seconds, wall, steps, epochs: history.map((epoch) => epoch.seconds), losses, device }));
}
