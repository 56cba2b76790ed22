// Trains a piece for each line of standard input and prints what it took, for the trials. The plan is JSON:
// { model, checkpoint, root, samples?, cached?, epochs?, options }. The first epoch of a piece is there to warm up (of many, a
// tenth); the seconds are the mean of the others'.
import readline from 'node:readline';
import { arrays, batches, cifar10, normalize, subset, toTensor, trainIncremental } from 'torch-incremental';
import { modelNamed } from '../models.mjs';
import { memory } from '../support.mjs';

const { model: name, checkpoint, root, samples, cached = false, epochs = 1, options } = JSON.parse(process.argv[2]);
const model = modelNamed(name);
const files = subset(cifar10({ root }), samples ? { start: 0, end: samples } : {});
const data = cached ? await made(files) : files;

/** The images as the model takes them, so that a batch is only copied. */
async function made(dataset) {
  const transforms = [toTensor(), normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])];
  const { value } = await batches(dataset, { transforms, batchSize: samples, shuffle: false }).next();
  return arrays({ inputs: value.inputs.input.data, labels: value.targets.data, shape: [3, 32, 32], classes: 10 });
}

// The moments of steps are told exactly: samples so far over samples a second is the native clock's time.
const moments = [];
const onProgress = ({ type, step, steps, epoch, samplesPerSecond }) => {
  if (type === 'log') moments.push(((epoch - 1) * steps + step) / samplesPerSecond);
};

for await (const _ of readline.createInterface({ input: process.stdin })) {
  moments.length = 0;
  try {
    const { history, device } = await trainIncremental(checkpoint, {
      ...{ model, data, epochs: epochs + 1, seed: 0, onProgress },
      ...options,
    });
    const timed = history.slice(Math.ceil(history.length / 10));
    const batch = options.batchSize ?? 64;
    const times = moments.map((moment) => moment * batch);
    const second = times.slice(times.length / (epochs + 1));
    const steps = options.logEvery === 1 ? second.slice(1).map((time, index) => time - second[index]) : undefined;
    console.log(
      JSON.stringify({
        samples: timed[0].samples,
        seconds: timed.reduce((sum, { seconds }) => sum + seconds, 0) / timed.length,
        loss: timed.at(-1).loss,
        peak: memory().peak,
        threads: device.threads,
        steps,
      }),
    );
  } catch (error) {
    if (error.code !== 'ERR_INVALID_OPTION') throw error;
    console.log(JSON.stringify({ refused: error.message }));
  }
}
