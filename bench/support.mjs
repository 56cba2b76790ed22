// What the trials share: medians, the machine's description, the reference script, and results as JSON on standard output.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
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

/** The model that every trial starts from, in a file of `folder`. */
export async function pretrained(folder) {
  const { createState, net, saveState } = require('torch-incremental');
  const file = path.join(folder, 'pretrained_model.pth');
  await saveState(await createState(net(), { seed: 0 }), file);
  return file;
}

export function machine() {
  const { version } = require('../package.json');
  const cpu = os.cpus()[0].model.trim();
  const torch = process.env.TORCH_INCREMENTAL_PYTHON
    ? execFileSync(process.env.TORCH_INCREMENTAL_PYTHON, ['-c', 'import torch; print(torch.__version__)'], {
        encoding: 'utf8',
      }).trim()
    : undefined;
  return {
    cpu,
    cores: os.cpus().length,
    system: `${os.type()} ${os.release()}`,
    node: process.version,
    package: version,
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

/** Prints a trial's result: a line for people on standard error, JSON on standard output. */
export function report(trial, figures, sentence) {
  console.error(`${trial}: ${sentence}`);
  console.log(JSON.stringify({ trial, sentence, ...figures, machine: machine() }));
}

/** Peak and present resident memory of this process in bytes, from the kernel. */
export function memory() {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const bytes = (key) => Number(status.match(new RegExp(`${key}:\\s+(\\d+) kB`))[1]) * 1024;
  return { peak: bytes('VmHWM'), resident: bytes('VmRSS') };
}
