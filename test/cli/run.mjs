// Runs the command line as a shell does, in a separate process with pipes.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from '../support.mjs';

export const binary = path.join(root, 'dist', 'cli', 'main.js');

/** Returns { code, signal, stdout, stderr }. `meanwhile` receives the child while it runs. */
export function run(args, { meanwhile = () => {}, script = binary, env = {}, ...options } = {}) {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The result must not depend on how the tests themselves are run.
    env: { ...process.env, FORCE_COLOR: undefined, ...env },
    ...options,
  });
  meanwhile(child);
  return outcomeOf(child);
}

/** Waits for a child with pipes. Returns { code, signal, stdout, stderr }. */
export function outcomeOf(child) {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

/** Splits an output that ends in a newline into lines. */
export function lines(text) {
  return text.split('\n').slice(0, -1);
}
