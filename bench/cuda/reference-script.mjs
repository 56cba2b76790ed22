// The reference script on a GPU: 10 epochs of 50,000 images, in each mode. Seconds once everything is loaded, the ratio to the
// Python script on the same GPU in the same run, in turns, what libtorch's kernels take alone, and the share of the time
// in which the GPU is busy. Writes cuda.json.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { machine, median, pretrained, python, root, timed, workFolder } from '../support.mjs';

const rounds = Number(process.argv[2] ?? 3);
const epochs = 10;
const imagesWanted = 50_000;
const recordBytes = 3073;

const folder = workFolder();
const checkpoint = await pretrained(folder);
const source = writeImages(path.join(folder, 'cifar-10-batches-bin'));
const child = path.join(root, 'bench/cuda/children/reference-script.mjs');
const script = path.join(root, 'test/golden/reference_script.py');

/** As bench/reference-script.mjs names them. */
const ways = {
  exact: {},
  fast: { mode: 'fast', contractLinear: false },
  bf16: { mode: 'fast', precision: 'bf16' },
  contracted: { mode: 'fast' },
};
const steps = epochs * Math.ceil(imagesWanted / 64);

const runs = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
const reference = [];
for (let round = 0; round < rounds; round++) {
  for (const [way, options] of Object.entries(ways)) runs[way].push(await trained(epochs, 2, options));
  reference.push(await pythonHalf());
}
const floor = await libtorchAlone();
const busy = {};
for (const way of ['exact', 'contracted']) busy[way] = await busyShare(ways[way]);

const first = medians(0);
const warm = medians(1);
const device = runs.exact[0][0].device;
const theirs = reference.filter((result) => result.seconds !== undefined).map(({ seconds }) => seconds);
const python10 = theirs.length > 0 ? median(theirs) : undefined;
const ratio = Object.fromEntries(Object.entries(first).map(([way, seconds]) => [way, python10 / seconds]));
const quickest = Object.keys(ways).reduce((best, way) => (first[way] < first[best] ? way : best));
const compared =
  python10 === undefined
    ? `the Python script did not run: ${reference[0].problem}`
    : `${python10.toFixed(1)} s in Python: ${ratio.exact.toFixed(0)} and ${ratio[quickest].toFixed(0)} times as fast`;
const sentence =
  `${epochs} epochs of ${imagesWanted} images (${source}) on ${device.name}: ${first.exact.toFixed(2)} s exact, ` +
  `${first[quickest].toFixed(2)} s ${quickest}, graphs made and kernels loaded within; ${compared}; ` +
  `graphs: ${device.graphs.captured ? 'yes' : device.graphs.reason}`;
const perStep = floor[quickest];
/** Why it is not faster than that. */
const why =
  Number.isFinite(perStep) &&
  `A second is ${(1e6 / steps).toFixed(0)} µs a step. The kernels of libtorch and its libraries alone take ${perStep.toFixed(0)} µs in the quickest way, ` +
    `${((perStep * steps) / 1e6).toFixed(1)} s for the job (\`bench/cuda/floor.py\`): some 60 of them, each of 1 to 20 µs, for a model with few channels. ` +
    'What is left to this program is the difference to the step above; going below takes kernels of our own on the GPU.';
const bar = (what, wanted, measured, met) => {
  const verdict = Number.isFinite(measured) ? (met ? 'met' : '**not met**') : 'not measured';
  return { what, wanted, measured: Number.isFinite(measured) ? measured.toFixed(2) : '–', verdict };
};
const figures = {
  seconds: { first, warm, python: theirs },
  ratio,
  busy,
  /** Microseconds a step. */
  floor,
  bars: [
    { ...bar('CUDA: 10 epochs of 50,000 images, s', '≤ 1', first[quickest], first[quickest] <= 1), why },
    bar('CUDA: times as fast as the script, exact', '≥ 40', ratio.exact, ratio.exact >= 40),
    bar('CUDA: GPU busy, exact, %', '≥ 85', busy.exact, busy.exact >= 85),
    bar('CUDA: GPU busy, contracted, %', '≥ 85', busy.contracted, busy.contracted >= 85),
  ],
  /** Of the first epoch, at the same steps: convolutions in TF32 on both sides, whose kernels add in different orders. */
  losses: { node: runs.exact[0][0].losses.slice(0, 7), python: reference[0].losses },
  device,
  rounds,
  all: Object.fromEntries(
    Object.entries(runs).map(([way, all]) => [
      way,
      all.map((two) => two.map(({ seconds, wall }) => ({ seconds, wall }))),
    ]),
  ),
};
const result = {
  trial: 'cuda',
  title: 'The reference script on a GPU',
  command: 'scripts/check-cuda.sh trials',
  date: new Date().toISOString().slice(0, 10),
  machine: { ...machine(), driver: await smi('driver_version') },
  sentence,
  tables: [
    {
      caption:
        'Seconds for the whole job, the first and the second in a process; microseconds a step, and what PyTorch takes for one with the same kernels in a CUDA graph and nothing around them (`bench/cuda/floor.py`); times as fast as the script',
      columns: ['', 'first', 'second', 'a step', 'kernels alone', 'Python / ours'],
      rows: Object.keys(ways).map((way) => [
        way,
        first[way].toFixed(2),
        warm[way].toFixed(2),
        ((warm[way] / steps) * 1e6).toFixed(0),
        floor[way]?.toFixed(0) ?? '–',
        Number.isFinite(ratio[way]) ? ratio[way].toFixed(1) : '–',
      ]),
    },
  ],
  figures,
};
const target = process.env.OUT ?? path.join(root, 'bench/results');
fs.mkdirSync(target, { recursive: true });
fs.writeFileSync(path.join(target, 'cuda.json'), `${JSON.stringify(result, null, 2)}\n`);
console.error(`${result.title}: ${sentence}`);

/** Real images over and over where there are some, else made-up ones; says which. */
function writeImages(to) {
  const real = process.env.TORCH_INCREMENTAL_CIFAR10;
  const bytes = Buffer.alloc(imagesWanted * recordBytes);
  let kind = 'made up';
  if (real) {
    const from = path.join(real, 'cifar-10-batches-bin');
    const files = fs.readdirSync(from).filter((name) => /^data_batch_\d\.bin$/.test(name));
    const images = Buffer.concat(files.sort().map((name) => fs.readFileSync(path.join(from, name))));
    for (let at = 0; at < bytes.length; at += images.length) images.copy(bytes, at);
    kind = images.length < bytes.length ? `${images.length / recordBytes} real ones repeated` : 'real';
  } else {
    let state = 1;
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      bytes[i] = i % recordBytes === 0 ? (state >>> 24) % 10 : state >>> 24;
    }
  }
  fs.mkdirSync(to);
  const part = bytes.length / 5;
  for (let i = 0; i < 5; i++)
    fs.writeFileSync(path.join(to, `data_batch_${i + 1}.bin`), bytes.subarray(i * part, (i + 1) * part));
  fs.writeFileSync(path.join(to, 'test_batch.bin'), bytes.subarray(0, 100 * recordBytes));
  return kind;
}

async function trained(epochs, runs, options) {
  const args = [child, folder, checkpoint, String(epochs), String(runs), JSON.stringify(options)];
  const { output } = await timed(process.execPath, args);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Of the `run`th run of each process. */
function medians(run) {
  return Object.fromEntries(
    Object.entries(runs).map(([way, all]) => [way, median(all.map((each) => each[run].seconds))]),
  );
}

/** The second half of an epoch of the script as people run it, on the GPU: its seconds for as many epochs as ours. */
async function pythonHalf() {
  const times = path.join(folder, 'times.json');
  const args = ['--data', folder, '--checkpoint', checkpoint, '--epochs', '1', '--device', 'cuda', '--times', times];
  try {
    const { output } = await timed(python(), [script, ...args]);
    const all = JSON.parse(fs.readFileSync(times, 'utf8')).steps;
    const half = all.slice(Math.floor(all.length / 2));
    const losses = [...output.matchAll(/Epoch \[1\/1\].*Loss: (\S+)/g)].map(([, loss]) => Number(loss));
    return { seconds: (half.reduce((sum, step) => sum + step, 0) / half.length) * steps, losses };
  } catch (error) {
    return { problem: error.message };
  }
}

/** {} where that Python cannot say. */
async function libtorchAlone() {
  try {
    const { output } = await timed(python(), [path.join(root, 'bench/cuda/floor.py')]);
    return JSON.parse(output);
  } catch (error) {
    console.error(`bench/cuda/floor.py: ${error.message}`);
    return {};
  }
}

/** Median of what nvidia-smi says while a long run is in its middle; undefined where it says nothing. */
async function busyShare(options) {
  const samples = [];
  const sampler = spawn('nvidia-smi', [
    '--query-gpu=utilization.gpu',
    '--format=csv,noheader,nounits',
    '-i',
    '0',
    '-lms',
    '200',
  ]);
  sampler.on('error', () => {});
  sampler.stdout.setEncoding('utf8').on('data', (text) => {
    for (const line of text.split('\n')) if (/^\s*\d+\s*$/.test(line)) samples.push(Number(line));
  });
  try {
    await trained(100, 1, options);
  } finally {
    sampler.kill();
  }
  // Loading, at the beginning, and what the numbers, each of up to a second, still show of it.
  const middle = samples.slice(Math.floor(samples.length / 2), -2);
  return middle.length > 0 ? median(middle) : undefined;
}

async function smi(field) {
  const { output } = await timed('nvidia-smi', [`--query-gpu=${field}`, '--format=csv,noheader', '-i', '0']);
  return output.trim().split('\n')[0];
}
