// Installs a version of torch-incremental as a user would, in an empty folder with scripts disabled, and trains with it.
//   node scripts/release/smoke.mjs npm 0.1.0
// The version may be anything that the package manager accepts after the @; more packages may follow.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { managers } from './managers.mjs';

/** Creates, saves, loads, trains and saves a model; then the loss must be lower and the files must differ. */
const program = `
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { arrays, createState, evaluate, loadState, net, saveState, trainIncremental, sgd } from 'torch-incremental';
const required = createRequire(import.meta.url)('torch-incremental');
if (required.trainIncremental !== trainIncremental) throw new Error('require and import load two packages');
const labels = Int32Array.from({ length: 64 }, (_, i) => i % 10);
// Each class is bright in its own band.
const inputs = Uint8Array.from({ length: 64 * 3072 }, (_, i) =>
  Math.floor(((i % 1024) / 1024) * 10) === labels[Math.floor(i / 3072)] ? 220 : (i * 31) % 64,
);
const data = arrays({ inputs, labels, shape: [3, 32, 32], classes: 10 });
await saveState(await createState(net(), { seed: 1 }), 'pretrained_model.pth');
const before = await evaluate('pretrained_model.pth', { data });
const { state, steps } = await trainIncremental('pretrained_model.pth', { data, epochs: 4, optimizer: sgd({ learningRate: 0.01 }), seed: 1 });
await saveState(state, 'updated_model.pth');
const after = await evaluate(await loadState('updated_model.pth'), { data });
if (!(after.loss < before.loss)) throw new Error('the loss did not fall: ' + before.loss + ', ' + after.loss);
if (fs.readFileSync('pretrained_model.pth').equals(fs.readFileSync('updated_model.pth'))) throw new Error('nothing changed');
console.log('trained ' + steps + ' steps: loss ' + before.loss.toFixed(3) + ' -> ' + after.loss.toFixed(3));
`;

export function smoke(manager, packages, folder) {
  const { files, add, node } = managers[manager];
  const project = { name: 'smoke', version: '1.0.0', private: true, type: 'module' };
  for (const [name, text] of Object.entries({ ...files, 'package.json': JSON.stringify(project), 'train.js': program }))
    fs.writeFileSync(path.join(folder, name), text);
  const run = ([command, ...args]) => {
    console.log(`$ ${[command, ...args].join(' ')}`);
    const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
    if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? `exit code ${status}`}`);
  };
  run(add(...packages));
  run(node('train.js'));
  run(node('-e', doctor));
}

/** Runs doctor from the command line's file, wherever the package manager puts it. */
const doctor = `
const path = require('node:path');
const { createRequire } = require('node:module');
const file = createRequire(path.resolve('train.js')).resolve('torch-incremental/package.json');
process.argv.push('doctor', '--json');
process.argv.splice(1, 0, 'torch-incremental');
require(path.join(path.dirname(file), 'dist/cli/main.js'));`;

if (process.argv[1] === import.meta.filename) {
  const [manager, version, ...others] = process.argv.slice(2);
  if (!managers[manager] || !version)
    throw new Error(`Name one of ${Object.keys(managers).join(', ')}, and a version.`);
  // The path has a space and a letter beyond ASCII: both have broken loaders before.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch incremental é-'));
  smoke(manager, [`torch-incremental@${version}`, ...others], folder);
  fs.rmSync(folder, { recursive: true, force: true });
}
