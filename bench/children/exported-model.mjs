// For each line of standard input: the seconds of a step of trainIncremental with an exported model, and the most memory that the process
// has held. The plan is JSON: { file, steps, batch, inputs, classes, mode }; `inputs` has the shape and the largest token of each, or 0
// for floats.
import readline from 'node:readline';
import { arrays, loadModel, sgd, trainIncremental } from 'torch-incremental';
import { memory } from '../support.mjs';

const { file, steps, batch, inputs, classes, mode } = JSON.parse(process.argv[2]);
const { model, state } = await loadModel(file);
// As many as a program in memory needs anyway: how data are held is another trial's matter.
const batches = 4;
const samples = batches * batch;
const random = (i) => ((i * 2654435761) >>> 8) / 2 ** 24;
const data = arrays({
  inputs: Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, tokens }]) => {
      const count = samples * shape.reduce((a, b) => a * b, 1);
      const data = tokens
        ? BigInt64Array.from({ length: count }, (_, i) => BigInt(Math.floor(random(i) * tokens)))
        : Float32Array.from({ length: count }, (_, i) => random(i) - 0.5);
      return [name, { data, shape }];
    }),
  ),
  labels: Int32Array.from({ length: samples }, (_, i) => Math.floor(random(i) * classes)),
});

for await (const _ of readline.createInterface({ input: process.stdin })) {
  const { history } = await trainIncremental(state, {
    ...{ model, data, epochs: steps / batches, batchSize: batch, shuffle: false, seed: 1, mode, logEvery: 0 },
    optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }),
  });
  const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  console.log(JSON.stringify({ seconds: seconds / steps, peak: memory().peak }));
}
