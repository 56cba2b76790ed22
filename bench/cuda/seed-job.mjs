// The seed job on a GPU: 10 epochs of 50,000 images. Seconds once everything is loaded, the ratio to the Python script on
// the same GPU in the same run, both in turns, and the share of the time in which the GPU is busy. Writes cuda.json.
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
const child = path.join(root, 'bench/cuda/children/seed-job.mjs');
const script = path.join(root, 'test/golden/seed_job.py');

const node = [];
const reference = [];
for (let round = 0; round < rounds; round++) {
  const { output } = await timed(process.execPath, [child, folder, checkpoint, String(epochs), '2']);
  node.push(
    output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );
  reference.push(await pythonEpoch());
}
const busy = await busyShare();

const [first, warm] = [0, 1].map((run) => median(node.map((runs) => runs[run].seconds)));
const device = node[0][0].device;
const theirs = reference.filter((result) => result.seconds !== undefined).map(({ seconds }) => seconds * epochs);
const ratio = theirs.length > 0 ? median(theirs) / first : undefined;
const compared =
  ratio === undefined
    ? `the Python script did not run: ${reference[0].problem}`
    : `${median(theirs).toFixed(1)} s in Python (second epoch times ${epochs}): ${ratio.toFixed(1)} times as fast`;
const sentence =
  `${first.toFixed(2)} s for ${epochs} epochs of ${imagesWanted} images (${source}) on ${device.name}, ` +
  `${warm.toFixed(2)} s in a process that trained before; ${compared}; ` +
  `GPU busy ${busy === undefined ? 'not measured' : `${busy} % of the time`}; graphs: ${device.graphs.captured ? 'yes' : device.graphs.reason}`;
const bar = (what, wanted, measured, met) => {
  const verdict = measured === undefined ? 'not measured' : met ? 'met' : '**not met**';
  return { what, wanted, measured: measured === undefined ? '–' : measured.toFixed(2), verdict };
};
const figures = {
  seconds: { first, warm, python: theirs },
  ratio,
  busy,
  bars: [
    bar('CUDA: 10 epochs of 50,000 images, s', '≤ 1', first, first <= 1),
    bar('CUDA: times as fast as the script', '≥ 40', ratio, ratio >= 40),
    bar('CUDA: GPU busy, %', '≥ 85', busy, busy >= 85),
  ],
  /** Of the first epoch, at the same steps: convolutions in TF32 on both sides, whose kernels add in different orders. */
  losses: { node: node[0][0].losses.slice(0, 7), python: reference[0].losses },
  device,
  rounds,
  all: node,
};
const result = {
  trial: 'cuda',
  title: 'The seed job on a GPU',
  command: 'scripts/check-cuda.sh trials',
  date: new Date().toISOString().slice(0, 10),
  machine: { ...machine(), driver: await smi('driver_version') },
  sentence,
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

/** The second of two epochs of the script as people run it, on the GPU. */
async function pythonEpoch() {
  const times = path.join(folder, 'times.json');
  const args = ['--data', folder, '--checkpoint', checkpoint, '--epochs', '2', '--device', 'cuda', '--times', times];
  try {
    const { output } = await timed(python(), [script, ...args]);
    const { steps } = JSON.parse(fs.readFileSync(times, 'utf8'));
    const losses = [...output.matchAll(/Epoch \[1\/2\].*Loss: (\S+)/g)].map(([, loss]) => Number(loss));
    return { seconds: steps.slice(steps.length / 2).reduce((sum, step) => sum + step, 0), losses };
  } catch (error) {
    return { problem: error.message };
  }
}

/** Median of what nvidia-smi says while a long run is in its middle; undefined where it says nothing. */
async function busyShare() {
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
    await timed(process.execPath, [child, folder, checkpoint, '200', '1']);
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
