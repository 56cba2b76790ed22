// Loads one file after the other on request, and answers with each result: the error, or the tensors, with the milliseconds,
// the memory and the bytes of files that it took. A missing answer shows its parent which file made it hang or crash.
import { inspect } from 'node:util';
import { LearnError, loadState } from 'torch-incremental';
import { inspectFile } from '../../dist/checkpoint/inspect.js';
import { bytesRead, memory } from './limited.mjs';
import { tensorsOf } from './tensors-of.mjs';

/** Runs `work` and returns the processor time it took, because other processes may be using the machine. */
async function timed(work) {
  const start = process.cpuUsage();
  const answer = await work().catch((error) => {
    const isExpected = error instanceof LearnError;
    return { code: isExpected ? error.code : 'another error', message: isExpected ? error.message : error.stack };
  });
  const { user, system } = process.cpuUsage(start);
  return { ...answer, milliseconds: (user + system) / 1000 };
}

async function load({ file, options }) {
  const before = { ...memory(), read: bytesRead() };
  const loaded = await timed(async () => {
    const state = await loadState(file, options);
    const tensors = tensorsOf(state);
    if (!inspect(state) || !(state.metadata instanceof Map)) throw new Error('it cannot be shown');
    state.dispose();
    return { tensors: tensors.slice(0, 100) };
  });
  const read = bytesRead() - before.read;
  const inspected = await timed(async () => void (await inspectFile(file, options)));
  if (inspected.code === 'another error') return inspected;
  const milliseconds = Math.max(loaded.milliseconds, inspected.milliseconds);
  return { ...loaded, read, milliseconds, megabytes: memory().peak - before.now };
}

process.on('message', async (job) => {
  const answer = await load(job);
  global.gc?.();
  process.send(answer);
});
// libtorch is loaded at first use, which must not count as the first file's time.
await loadState(process.argv[2]);
process.send('ready');
