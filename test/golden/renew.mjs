// Renews the golden values of batches.json: TORCH_INCREMENTAL_PYTHON=python node test/golden/renew.mjs
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { batchCases, rotationCases } from './cases.mjs';

const python = process.env.TORCH_INCREMENTAL_PYTHON ?? 'python3';
const here = (name) => new URL(name, import.meta.url);

function run(args, input) {
  const { status, stdout, stderr } = spawnSync(python, args, { input, maxBuffer: 2 ** 28, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const versions =
  'import importlib.metadata as m; print(*(f"{n} {m.version(n)}" for n in ("torch", "torchvision", "pillow")))';
const cases = [...batchCases, ...rotationCases];
const hashes = JSON.parse(run([here('batches.py').pathname], JSON.stringify(cases)));
const golden = {
  made: run(['-c', versions]).trim(),
  hashes: Object.fromEntries(cases.map(({ name }, i) => [name, hashes[i].join(' ')])),
};
fs.writeFileSync(here('batches.json'), `${JSON.stringify(golden, null, 2)}\n`);
