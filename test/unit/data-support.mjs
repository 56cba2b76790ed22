// Shared by the tests of data sets, transforms and batches: images from a formula, hashes of batches, Python.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from 'tar';
import { arrays } from 'torch-incremental';
import { native } from '../../dist/native/native.js';

export const golden = fileURLToPath(new URL('../golden/', import.meta.url));

/** Bytes that depend on their position only; synthetic() of test/golden/batches.py makes the same. */
export function synthetic(shape) {
  const bytes = new Uint8Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < bytes.length; i++) {
    let x = Math.imul(i, 2654435761) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 2246822519) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** As many synthetic images, with labels that count from 0 to 9. */
export function syntheticImages([count, ...shape]) {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 10);
  return arrays({ inputs: synthetic([count, ...shape]), labels, shape, classes: 10 });
}

/** Of the values of all inputs of a batch, and of its targets. */
export function hashOf({ inputs, targets }) {
  const hash = createHash('sha256');
  for (const { data } of Object.values(inputs)) hash.update(data);
  return hash.update(targets.data).digest('hex').slice(0, 16);
}

export async function collect(generator) {
  const values = [];
  for await (const value of generator) values.push(value);
  return values;
}

const reported = new Set();

/** The value of an environment variable that a test needs; without it the test is skipped, and says so once. */
export function needs(test, name, what) {
  const value = process.env[name];
  if (value) return value;
  if (!reported.has(name)) console.warn(`      (skipped without ${name}: ${what})`);
  reported.add(name);
  return test.skip();
}

export function needsPython(test) {
  return needs(test, 'TORCH_INCREMENTAL_PYTHON', 'an interpreter with torch, torchvision, numpy and pillow');
}

/** Skips the current test, saying why, where PyTorch has no kernels for AVX2 and above */
export function needsAvx(test, what) {
  const { cpuCapability } = native().info();
  if (cpuCapability.startsWith('AVX')) return;
  console.warn(`      (skipped: ${what} of processors with AVX2, this is ${cpuCapability})`);
  test.skip();
}

/** Runs a script of test/golden/ with `input` as JSON and returns what it prints as JSON. */
export function runPython(python, script, input) {
  const run = spawnSync(python, [path.join(golden, script)], { input: JSON.stringify(input), maxBuffer: 2 ** 28 });
  if (run.status !== 0) throw new Error(`${script} failed: ${run.stderr}`);
  return JSON.parse(run.stdout);
}

/** Makes temporary folders for the tests of a suite and removes them after each test. */
export class TemporaryFolders {
  #folders = [];

  make() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-'));
    this.#folders.push(folder);
    return folder;
  }

  remove() {
    for (const folder of this.#folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
  }
}

export const folderName = 'cifar-10-batches-bin';

/** An archive of a folder with six small files; incompressible, so that it has a few pieces on the wire. */
export async function makeArchive(folders) {
  const source = folders.make();
  fs.mkdirSync(path.join(source, folderName));
  for (const name of ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']) {
    const records = synthetic([30 * 3073]);
    for (let i = 0; i < 30; i++) records[i * 3073] = i % 10;
    fs.writeFileSync(path.join(source, folderName, `${name}.bin`), records);
  }
  await create({ cwd: source, gzip: { level: 0 }, file: path.join(source, 'archive.tar.gz') }, [folderName]);
  const bytes = fs.readFileSync(path.join(source, 'archive.tar.gz'));
  return { bytes, md5: createHash('md5').update(bytes).digest('hex') };
}
