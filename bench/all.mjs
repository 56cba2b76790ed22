// Runs the trials one after the other, each in its own process, and writes bench/RESULTS.md: `npm run check:bench`. With names,
// only these are measured anew: `node bench/all.mjs reference-script cnn`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './support.mjs';
import { trials } from './trials.mjs';

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !trials.some((trial) => trial.name === name));
if (unknown.length > 0) {
  console.error(`No trial ${unknown.join(', ')}; there are ${trials.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status;
const failed = [];
for (const { name, flags } of trials.filter((trial) => asked.length === 0 || asked.includes(trial.name))) {
  const file = path.join(root, `bench/${name}.mjs`);
  // Made on a machine with a GPU; its result is kept as it is.
  if (!fs.existsSync(file)) continue;
  const started = performance.now();
  if (run([...flags, file]) !== 0) failed.push(name);
  console.log(`(${name}: ${((performance.now() - started) / 1000).toFixed(0)} s)\n`);
}
for (const page of ['write-results', 'write-scaling']) run([path.join(root, `bench/${page}.mjs`)]);
if (failed.length > 0) {
  console.error(`!!! FAILED, an older result stands: ${failed.join(', ')}`);
  process.exitCode = 1;
}
