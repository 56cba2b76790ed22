// Loads made-up files until the time is over, and keeps every one that does anything but load or be refused:
//     npm run fuzz -- [--seconds 60] [--target zip|pickle|legacy|safetensors] [--seed 1] [--out FOLDER] [--slow-ms 2000]
// All targets share the time. Files that crash, hang, take longer than --slow-ms or half a gigabyte are written to FOLDER, and
// the exit code is 1. The same seed makes the same files.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { goodFile, spawnLimited } from '../attacks/limited.mjs';
import { fileName, targetNames } from './cases.mjs';

const silenceMs = 10_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true, default: targetNames },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'fuzz-findings' },
    'slow-ms': { type: 'string', default: '2000' },
  },
});
for (const target of values.target) {
  if (!targetNames.includes(target)) throw new Error(`--target is one of ${targetNames.join(', ')}, not ${target}`);
}
const seed = Number(values.seed);
const seconds = Number(values.seconds) / values.target.length;
if (!Number.isSafeInteger(seed) || !(seconds > 0)) throw new Error('--seed and --seconds are numbers');

let findings = 0;

function keep(file, target, index, problem) {
  fs.mkdirSync(values.out, { recursive: true });
  const kept = path.join(values.out, `${target}-${seed}-${index}.pth`);
  fs.copyFileSync(file, kept);
  findings++;
  console.log(`  ${kept}: ${problem.split('\n').slice(0, 3).join(' | ').slice(0, 500)}`);
}

/** Runs one worker until it ends. Returns what is left to do: undefined, or the number of the next file. */
function runWorker(target, folder, first, milliseconds, sum) {
  return new Promise((resolve) => {
    const file = path.join(folder, fileName);
    const args = [folder, target, String(seed), String(milliseconds), goodFile, String(first), values['slow-ms']];
    const { worker, output } = spawnLimited(path.join(import.meta.dirname, 'worker.mjs'), args, folder);
    let last = { index: first, executions: 0, outcomes: 0 };
    let timer;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => worker.kill('SIGKILL'), silenceMs);
    };
    listen();
    worker.on('message', (message) => {
      listen();
      last = message;
      if (message.problem === undefined) return;
      keep(file, target, message.index, message.problem);
      worker.send('go on');
    });
    worker.on('exit', (code, signal) => {
      clearTimeout(timer);
      sum.executions += last.executions;
      sum.outcomes = Math.max(sum.outcomes, last.outcomes);
      if (last.index === -1) return resolve(undefined);
      const how = signal === 'SIGKILL' ? `no answer in ${silenceMs} ms` : `crash: ${signal ?? `exit code ${code}`}`;
      // The worker tells its number only now and then; the file is the one in hand in any case.
      keep(file, target, `after-${last.index}`, `${how} ${output()}`);
      resolve(last.index + 5000);
    });
  });
}

for (const target of values.target) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental fuzz '));
  const end = performance.now() + seconds * 1000;
  const sum = { executions: 0, outcomes: 0 };
  const start = performance.now();
  for (let next = 0; next !== undefined && performance.now() < end; ) {
    next = await runWorker(target, folder, next, end - performance.now(), sum);
  }
  const rate = Math.round(sum.executions / ((performance.now() - start) / 1000));
  console.log(`${target}: ${sum.executions} files, ${rate} a second, ${sum.outcomes} different outcomes`);
  fs.rmSync(folder, { recursive: true, force: true });
}
console.log(findings === 0 ? 'Nothing was found.' : `${findings} findings are in ${values.out}`);
process.exitCode = findings === 0 ? 0 : 1;
