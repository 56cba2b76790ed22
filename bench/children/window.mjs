// Trains over a data set of any size, but only so many samples after the first steps, and prints the time of each and the
// peak of memory: { root, checkpoint, total, window, options }. All of an epoch where `window` is 0.
import { cifar10, net, trainIncremental } from 'torch-incremental';
import { memory } from '../support.mjs';

const { root, checkpoint, total, window, options } = JSON.parse(process.argv[2]);
const aim = window || total;
const end = new AbortController();
let first;
let last;
const started = performance.now();
let firstStep;
const onProgress = ({ type, epoch, step, steps, samplesPerSecond }) => {
  if (type !== 'log' || end.signal.aborted) return;
  firstStep ??= (performance.now() - started) / 1000;
  // A last batch may not be full.
  const samples = (epoch - 1) * total + (step === steps ? total : step * 64);
  last = { samples, seconds: samples / samplesPerSecond };
  if (samples >= 640) first ??= last;
  if (first && last.samples - first.samples >= aim) end.abort();
};
try {
  await trainIncremental(checkpoint, {
    ...{ model: net(), data: cifar10({ root }), epochs: Math.ceil(aim / total) + 1, seed: 0, logEvery: 5 },
    ...{ signal: end.signal, onProgress },
    ...options,
  });
} catch (error) {
  if (error.code === 'ERR_INVALID_OPTION') console.log(JSON.stringify({ refused: error.message }));
  else if (error !== end.signal.reason) throw error;
}
if (first) {
  const microseconds = ((last.seconds - first.seconds) * 1e6) / (last.samples - first.samples);
  console.log(JSON.stringify({ microseconds, firstStep, peak: memory().peak }));
}
