// Shared by the trials: settings, medians, the machine's description, folders and files, and where results go.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

export const root = path.resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

/** The trial's settings: `defaults`, and what the command line says otherwise, as `--rounds 9` or `--variants exact,bf16`. */
export function settings(defaults) {
  const known = Object.keys(defaults).map((name) => [name, { type: 'string' }]);
  const { values } = parseArgs({ options: Object.fromEntries(known) });
  const read = (value, text) => {
    if (Array.isArray(value)) return text.split(',').map((item) => (typeof value[0] === 'number' ? +item : item));
    return typeof value === 'number' ? Number(text) : text;
  };
  for (const [name, text] of Object.entries(values)) defaults[name] = read(defaults[name], text);
  return defaults;
}

/** Linear interpolation between the values to both sides, as NumPy does it. */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export const median = (values) => quantile(values, 0.5);

/** Least squares: value ≈ base + slope · size, weighted so that the relative errors count. */
export function fitLine(points) {
  let [w, x, y, xx, xy] = [0, 0, 0, 0, 0];
  for (const [size, value] of points) {
    const weight = 1 / value ** 2;
    w += weight;
    x += weight * size;
    y += weight * value;
    xx += weight * size * size;
    xy += weight * size * value;
  }
  const slope = (w * xy - x * y) / (w * xx - x * x);
  return { base: (y - slope * x) / w, slope };
}

/** The value of a variable that a trial cannot do without. */
export function needed(variable, what) {
  const value = process.env[variable];
  if (value) return value;
  console.error(`Set ${variable} to ${what}.`);
  process.exit(2);
}

export const python = () => needed('TORCH_INCREMENTAL_PYTHON', 'a Python that has torch and torchvision');
export const images = () => needed('TORCH_INCREMENTAL_CIFAR10', 'a folder that holds cifar-10-batches-bin');

/** A checkpoint of `model` (default: net) with PyTorch's initialisation, in a file of `folder`. */
export async function pretrained(folder, model) {
  const { createState, net, saveState } = require('torch-incremental');
  const chosen = model ?? net();
  const file = path.join(folder, `${chosen.name}.pth`);
  await saveState(await createState(chosen, { seed: 0 }), file);
  return file;
}

const names = [1, 2, 3, 4, 5].map((file) => `data_batch_${file}.bin`);
const real = () => path.join(images(), 'cifar-10-batches-bin');
const readRecords = () => Buffer.concat(names.map((name) => fs.readFileSync(path.join(real(), name))));

/** The pixels of the first `samples` training images, without their labels. */
export function allImages(samples) {
  const records = readRecords();
  const pixels = new Uint8Array(samples * 3072);
  for (let i = 0; i < samples; i++) pixels.set(records.subarray(i * 3073 + 1, (i + 1) * 3073), i * 3072);
  return pixels;
}

/** Of all training images. */
export function allLabels() {
  const records = readRecords();
  return Int32Array.from({ length: records.length / 3073 }, (_, i) => records[i * 3073]);
}

/** `samples` records of CIFAR-10's training files over and over, as a data set in `folder`. */
export function repeatedImages(folder, samples) {
  const records = readRecords();
  const to = path.join(folder, 'cifar-10-batches-bin');
  fs.mkdirSync(to, { recursive: true });
  const bytes = (samples / names.length) * 3073;
  const first = path.join(to, names[0]);
  for (let left = bytes; left > 0; left -= records.length)
    fs.appendFileSync(first, records.subarray(0, Math.min(left, records.length)));
  // The other four are the same file: in memory they count, on the disk they need not.
  for (const name of names.slice(1)) fs.linkSync(first, path.join(to, name));
  fs.copyFileSync(path.join(real(), 'test_batch.bin'), path.join(to, 'test_batch.bin'));
  return folder;
}

export function machine() {
  const { threads, cpuCapability } = require('../dist/native/native.js').native().info();
  const flags = fs.readFileSync('/proc/cpuinfo', 'utf8').match(/\b(avx512_bf16|amx_bf16)\b/g) ?? [];
  const torch = process.env.TORCH_INCREMENTAL_PYTHON
    ? execFileSync(process.env.TORCH_INCREMENTAL_PYTHON, ['-c', 'import torch; print(torch.__version__)'], {
        encoding: 'utf8',
      }).trim()
    : undefined;
  return {
    cpu: os.cpus()[0].model.trim(),
    kernels: [cpuCapability, ...new Set(flags)].join(', '),
    cores: os.cpus().length,
    threads,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()}`,
    node: process.version,
    package: require('../package.json').version,
    libtorch: require('../libtorch.json').version,
    torch,
  };
}

/** Runs a child, resolving with its standard output and the seconds until its first line and its end. */
export function timed(command, args) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    let firstLine;
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (firstLine === undefined && output.includes('\n')) firstLine = seconds();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve({ output, firstLine, seconds: seconds() });
      else reject(new Error(`${command} ${args.join(' ')} ended with code ${code}`));
    });
  });
}

/** A folder for one trial, removed when the process ends. */
export function workFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-bench-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Peak and present resident memory of this process in bytes, from the kernel. */
export function memory() {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const bytes = (key) => Number(status.match(new RegExp(`${key}:\\s+(\\d+) kB`))[1]) * 1024;
  return { peak: bytes('VmHWM'), resident: bytes('VmRSS') };
}
