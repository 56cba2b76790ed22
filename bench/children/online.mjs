// For each line of standard input lets an online learner learn samples of real images, one call after the other, and prints the
// time of each call in milliseconds. The plan is JSON: { checkpoint, root, batchSize, updates, options } or, with `http`, the
// address of a Python process that does the same (bench/reference/online.py --serve).

import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';
import { OnlineLearner, sgd } from 'torch-incremental';
import { allImages, root as project, python, workFolder } from '../support.mjs';

const { checkpoint, root, batchSize, updates, serve = false, options = {} } = JSON.parse(process.argv[2]);
process.env.TORCH_INCREMENTAL_CIFAR10 = root;
const pixels = allImages(2048);
let seen = 0;

/** The next samples: the images over and over, with labels by their numbers. */
function next() {
  const inputs = new Uint8Array(batchSize * 3072);
  const labels = new Int32Array(batchSize);
  for (let i = 0; i < batchSize; i++, seen++) {
    const from = (seen % 2048) * 3072;
    inputs.set(pixels.subarray(from, from + 3072), i * 3072);
    labels[i] = seen % 10;
  }
  return { inputs, labels };
}

async function ourselves() {
  const dir = workFolder();
  const settings = {
    dir,
    checkpoint,
    batchSize,
    maxDelayMs: 0,
    optimizer: sgd({ learningRate: 1e-5 }),
    seed: 0,
    gate: { every: 1e9 },
  };
  const learner = await OnlineLearner.open({ ...settings, ...options });
  return { learn: (samples) => learner.learn(samples), close: () => learner.close() };
}

/** A Python process beside this one, asked over a connection that stays. */
async function pythonProcess() {
  const script = path.join(project, 'bench/reference/online.py');
  const child = spawn(python(), [script, '--checkpoint', checkpoint, '--serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await new Promise((resolve) => {
    child.stdout.once('data', (text) => resolve(/\d+/.exec(String(text))));
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const learn = ({ inputs, labels }) =>
    new Promise((resolve, reject) => {
      const headers = { 'Content-Length': inputs.length, 'X-Labels': [...labels].join(',') };
      const request = http.request({ port, method: 'POST', path: '/learn', agent, headers }, (response) => {
        response.resume();
        response.on('end', resolve);
      });
      request.on('error', reject);
      request.end(inputs);
    });
  return { learn, close: async () => child.kill() };
}

const { learn, close } = await (serve ? pythonProcess() : ourselves());
for await (const _ of readline.createInterface({ input: process.stdin })) {
  const times = [];
  for (let i = 0; i < updates; i++) {
    const samples = next();
    const started = performance.now();
    await learn(samples);
    times.push(performance.now() - started);
  }
  console.log(JSON.stringify({ times }));
}
await close();
