// Shared by many test files: temporary folders, made-up images, and the reference Python if there is one.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');

/** A folder that is gone after the test file ran. Call in describe(). Its name has a space in it, unless a test needs another. */
export function temporaryFolder(prefix = 'torch-incremental test ') {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return (name = '') => path.join(folder, name);
}

/** What lib/download/file-lock.ts writes into a lock, of a process of this machine that is gone. */
export function deadHolder() {
  return JSON.stringify({ host: os.hostname(), pidNamespace: fs.readlinkSync('/proc/self/ns/pid'), pid: 2 ** 30 });
}

/** `count` made-up images of ten classes: class k is brighter in the k-th of ten bands, so that they can be learned. */
export function madeUpImages(count, seed = 1) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const inputs = new Uint8Array(count * 3072);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = Math.floor(random() * 10);
    for (let j = 0; j < 3072; j++) {
      const band = Math.floor(((j % 1024) / 1024) * 10);
      inputs[i * 3072 + j] = random() * 128 + (band === labels[i] ? 127 : 0);
    }
  }
  return { inputs, labels, shape: [3, 32, 32], classes: 10 };
}

/** Writes made-up images as CIFAR-10's binary batches: `train` of them over the five files, `test` in the sixth. */
export function writeCifar10(folder, { train, test }, seed = 1) {
  const where = path.join(folder, 'cifar-10-batches-bin');
  fs.mkdirSync(where, { recursive: true });
  const files = [1, 2, 3, 4, 5].map((file) => [
    `data_batch_${file}.bin`,
    Math.floor((train * file) / 5) - Math.floor((train * (file - 1)) / 5),
  ]);
  for (const [index, [name, count]] of [...files, ['test_batch.bin', test]].entries()) {
    const { inputs, labels } = madeUpImages(count, seed + index);
    const bytes = Buffer.alloc(count * 3073);
    for (let i = 0; i < count; i++) {
      bytes[i * 3073] = labels[i];
      bytes.set(inputs.subarray(i * 3072, (i + 1) * 3072), i * 3073 + 1);
    }
    fs.writeFileSync(path.join(where, name), bytes);
  }
  return folder;
}

/** README's first program, as it stands there. */
export const readmeProgram = /```js\n(.+?)```/s.exec(fs.readFileSync(path.join(root, 'README.md'), 'utf8'))[1];

/** The Python that has torch and torchvision, where the machine has one; tests that need it are skipped elsewhere. */
export const python = process.env.TORCH_INCREMENTAL_PYTHON;

/** The folder with real CIFAR-10 images, where the machine has one. */
export const realCifar10 = process.env.TORCH_INCREMENTAL_CIFAR10;

const toldAbout = new Set();

/** Skips the current test, saying once why, unless the named environment variable is set. */
export function needs(test, variable) {
  if (process.env[variable]) return;
  if (!toldAbout.has(variable)) console.warn(`      tests that need ${variable} are skipped: it is not set`);
  toldAbout.add(variable);
  test.skip();
}

/** Skips the current test, saying once why, where there is no prlimit. */
export function needsPrlimit(test) {
  if (spawnSync('prlimit', ['--version']).status === 0) return;
  if (!toldAbout.has('prlimit')) console.warn('      skipped: there is no prlimit, which util-linux has');
  toldAbout.add('prlimit');
  test.skip();
}

/** The Python that has River, which drift detectors are compared with. */
export const riverPython = process.env.TORCH_INCREMENTAL_RIVER;

/** Runs a script of the reference Python, or of another, and returns what it printed. */
export function runPython(script, args = [], { input, interpreter = python } = {}) {
  const result = spawnSync(interpreter, [script, ...args], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (result.status !== 0) throw new Error(`${script} failed:\n${result.stderr}`);
  return result.stdout;
}
