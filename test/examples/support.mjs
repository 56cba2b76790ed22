// Runs an example as a user who copied it would: in a folder of its own, whose packages are the ones installed here.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../support.mjs';

/** Copies the example `name` to `folder`. */
export function copyExample(name, folder) {
  const from = path.join(root, 'examples', name);
  fs.cpSync(from, folder, { recursive: true, filter: (file) => !file.includes('node_modules') });
  fs.mkdirSync(path.join(folder, 'node_modules'));
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(from, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies)) {
    const there = dependency === 'torch-incremental' ? root : path.join(root, 'node_modules', dependency);
    fs.symlinkSync(there, path.join(folder, 'node_modules', dependency), 'dir');
  }
}

const running = new Set();

/** Ends what a test that failed has left behind. Call in afterEach(), or in after(). */
export async function endLeftovers() {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
}

/** Starts a program. `ended` resolves with { code, signal, output }, which is both of its outputs. */
export function start(program, args, { env = {}, ...options } = {}) {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(handle);
      resolve({ code, signal, output });
    });
  });
  const handle = { child, ended };
  running.add(handle);
  return {
    ...{ child, ended },
    /** Resolves with the first match in what it says. */
    says: async (pattern) => {
      while (!pattern.test(output)) {
        if (child.exitCode !== null || child.signalCode)
          throw new Error(`it ended without saying ${pattern}: ${output}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return output.match(pattern);
    },
  };
}
