// Runs Node processes that may take only as much memory as a hostile file may need, for the attacks and the fuzzers.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../support.mjs';

/** Limit of the address space in KB. libtorch and V8 take about 3 GB at the start. Too little for a bomb to unpack. */
const mostAddresses = 8 * 2 ** 20;

/** AddressSanitizer takes terabytes of address space, and time. */
export const isSanitized = Boolean(process.env.TORCH_INCREMENTAL_ADDON);

/** A checkpoint that loads. */
export const goodFile = path.join(root, 'test/golden/checkpoints/no_ending');

/** Runs a script with a channel for messages; output() returns its output. With `environment`, as test/fuzz/guard.c needs it, without a limit. */
export function spawnLimited(script, args, cwd, environment) {
  const node = [process.execPath, '--no-warnings', '--expose-gc', '--max-old-space-size=512', script, ...args];
  const limit = isSanitized || environment ? 'unlimited' : mostAddresses;
  const worker = spawn('sh', ['-c', `ulimit -v ${limit} && exec "$0" "$@"`, ...node], {
    cwd,
    env: { ...process.env, ...environment },
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let printed = '';
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.on('data', (text) => {
      printed += text;
    });
  }
  return { worker, output: () => printed };
}

/** Bytes that this process has read from files so far. */
export function bytesRead() {
  return Number(fs.readFileSync('/proc/self/io', 'utf8').match(/^rchar: (\d+)$/m)[1]);
}

/** Resident memory in MB: now, and the most since it was last called. */
export function memory() {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const [peak, now] = ['VmHWM', 'VmRSS'].map(
    (name) => Number(status.match(new RegExp(`${name}:\\s*(\\d+)`))[1]) / 1024,
  );
  // If this is not allowed, peaks only grow, so nothing is missed.
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5');
  } catch {}
  return { peak, now };
}
