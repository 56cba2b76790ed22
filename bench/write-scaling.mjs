// Makes docs/scaling.md of what the trials measured, so that its numbers are never other than theirs:
// `node bench/write-scaling.mjs`, which bench/all.mjs runs as well.
import fs from 'node:fs';
import path from 'node:path';
import { createState } from 'torch-incremental';
import { modelNamed } from './models.mjs';
import { resultsFolder, shown } from './report.mjs';
import { root } from './support.mjs';
import { variants } from './variants.mjs';

/** Gigabits a second, and milliseconds that a message takes at least. */
const networks = [
  { name: '1 Gbit/s', rate: 1, latency: 0.2 },
  { name: '10 Gbit/s', rate: 10, latency: 0.05 },
  { name: '100 Gbit/s', rate: 100, latency: 0.02 },
];

function figuresOf(name) {
  const file = path.join(resultsFolder, `${name}.json`);
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8')).figures;
  console.error(`!!! docs/scaling.md needs node bench/${name}.mjs; left as it is`);
  process.exit(0);
}

const table = (columns, rows) =>
  [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const percent = (growth) => `${(growth * 100).toFixed(1)} %`;
const megabytes = (bytes) => `${shown(bytes / 2 ** 20)} MB`;
const [samples, parameters, batches, epochs] = ['samples', 'parameters', 'batch-sizes', 'epochs'].map(figuresOf);
const trained = { net: figuresOf('reference-script'), cnn: figuresOf('cnn'), resnet: figuresOf('resnet') };

const ways = Object.keys(samples.microseconds);
const perSample = ways.map((way, index) => {
  const points = samples.microseconds[way];
  const [from] = points.filter(([size]) => size >= 8000);
  const [size, last] = points.at(-1);
  return `${variants[way].title}: ${shown(from[1])} µs at ${shown(from[0])} samples, ${shown(last)} µs at ${shown(size)}; ${percent(samples.growths[index])}, the median of runs side by side`;
});

const stepFits = Object.entries(parameters.fit).map(
  ([way, { base, slope }]) =>
    `${shown(base)} ms + ${shown(slope * 1e6)} ms a million parameters (${variants[way].title})`,
);

const rates = Object.entries(batches.rates).filter(([way]) => variants[way]);
const batchRows = rates[0][1].map(([size], index) => [
  size,
  ...rates.map(([, points]) => `${shown(points[index][1])} (${shown((size * 1000) / points[index][1])} ms)`),
]);

const steps = [];
for (const [name, { rate }] of Object.entries(trained)) {
  const { tensors } = await createState(modelNamed(name));
  const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  for (const [way, value] of Object.entries(rate).filter(([way]) => variants[way])) {
    // Its step hardly depends on the batch, so that half the batch would not take half the time.
    if (way === 'contracted') continue;
    const step = 64_000 / value;
    const bytes = count * 4;
    const exchanges = networks.map(({ rate, latency }) => (bytes * 8) / (rate * 1e6) + 2 * latency);
    const needed = (bytes * 8) / 1e6 / (step / 2);
    steps.push([
      ...[name, variants[way].title, `${shown(step)} ms`, megabytes(bytes)],
      ...exchanges.map((ms) => `${shown(ms)} ms: ${ms < step / 2 ? 'pays' : 'does not'}`),
      `${shown(needed)} Gbit/s`,
    ]);
  }
}

const page = `# Scaling

How time and memory grow, and where a second machine begins to pay. Written by \`node bench/write-scaling.mjs\` from the
trials' results; *measured* numbers belong to the machine that [bench/RESULTS.md](../bench/RESULTS.md) names, *computed* ones
follow from them by the arithmetic that is shown.

## With the number of samples

Measured by \`node bench/samples.mjs\`, ${shown(samples.microseconds[ways[0]][0][0])} to ${shown(samples.microseconds[ways[0]].at(-1)[0])} samples, ${samples.window ? `${shown(samples.window)} of them in a window of the epoch` : 'whole epochs'}.

- Time of a sample: ${perSample.join('. ')}. An epoch's time is the samples times this.
- Memory, fitted: ${megabytes(samples.bytes.base)} + ${shown(samples.bytes.slope)} bytes a sample. An image has 3,073 bytes with its label, its place
  in an epoch's order 8.

![Time of a sample by size of the data set](../bench/charts/samples-time.svg)

![Peak of memory by size of the data set](../bench/charts/samples-memory.svg)

## With the number of parameters

Measured by \`node bench/parameters.mjs\`: a hidden layer of growing width, batches of 64.

- Time of a step, fitted: ${stepFits.join('; ')}.
- Memory, fitted: ${megabytes(parameters.bytes.base)} + ${shown(parameters.bytes.slope)} bytes a parameter: the state that was given, the weights that are trained, their gradients,
  their momentum, and the state that is returned are four bytes each; the rest is what reading the file and freed blocks take.

![A step of 64 samples by number of parameters](../bench/charts/parameters.svg)

Convolutions use a weight many times, so their time follows from the images' size as well: [bench/RESULTS.md](../bench/RESULTS.md) has a CNN
and a residual network.

## With the batch

Measured by \`node bench/batch-sizes.mjs\`, the reference script's model: samples per second, and the time of a step.

${table(['batch', ...rates.map(([way]) => variants[way].title)], batchRows)}

A step costs what an update of all weights costs, plus each sample's part: small batches pay the first too often.

![Training at batches of 1 to 512](../bench/charts/batch-sizes.svg)

## With the number of epochs

Measured by \`node bench/epochs.mjs\`: over ${epochs.epochs} epochs, the last tenth takes ${percent(epochs.growth)} more time an epoch than the second
tenth, and ${shown(Math.max(0, epochs.megabytes))} MB more.

## Where a second machine begins to pay

This version trains on one machine. The arithmetic says what more machines could give.

Two machines that share each batch compute half a step each, and then exchange gradients: with a ring, each sends and
receives 4 bytes a parameter (2(n−1)/n of the gradient, n = 2). It pays where

    4 · parameters · 8 bits / bandwidth + 2 · latency  <  step / 2

The step (64 samples) is measured (\`node bench/reference-script.mjs\`, \`node bench/cnn.mjs\`, \`node bench/resnet.mjs\`). The exchange is computed from
the line's nominal rate and ${networks.map(({ name, latency }) => `${latency} ms (${name})`).join(', ')} for a message; that half the batch takes half the time is assumed, which flatters two
machines: see the table above. The contracted form is left out, for its step hardly shrinks with the batch.

${table(['model', '', 'step, measured', 'gradients', ...networks.map(({ name }) => `${name}, computed`), 'pays above, computed'], steps)}

An exchange under way while the backward pass still computes hides up to a backward pass of it; the numbers above hide nothing. Before a
second machine, three things are cheaper: fast mode, a larger batch, and a second run beside the first where there are several
models to train.
`;
fs.writeFileSync(path.join(root, 'docs/scaling.md'), page);
console.log('docs/scaling.md: written');
