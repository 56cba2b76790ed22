// Makes and loads files of one target until it is told to stop, and reports. The file in hand stays on the disk, so that
// it is still there after a crash.
import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { LearnError, loadState, saveState } from 'torch-incremental';
import { tensorsOf } from '../attacks/tensors-of.mjs';
import { caseOf, fileName } from './cases.mjs';

const [folder, target, seed, milliseconds, goodFile, first, slowMs] = process.argv.slice(2);
const file = path.join(folder, fileName);
const mostMegabytes = 512;
const accepted = /^ERR_(STATE_FORMAT|STATE_UNSAFE|STATE_MISMATCH|FILE)$/;

/** What came of it, in words that are equal where the reader took the same way. */
function outcomeOf(error) {
  return `${error.code} ${error.message.replace(file, '').replace(/"[^"]*"|\[[^\]]*\]|\d+|0x[0-9a-f]+/g, '…')}`;
}

const again = path.join(folder, 'again.pth');

/** Loads the file and looks at all of it; every tenth that loads is written, and must be the same when it is read again. */
async function outcomeOfLoading(number) {
  const state = await loadState(file);
  const tensors = tensorsOf(state);
  if (!inspect(state) || !(state.metadata instanceof Map)) throw new Error('it cannot be shown');
  if (number % 10 === 0) {
    await saveState(state, again);
    const copy = await loadState(again);
    if (!copy.equals(state)) throw new Error('it is another state when it was saved and loaded');
    copy.dispose();
  }
  state.dispose();
  const kinds = new Set(tensors.map(({ dtype, shape }) => `${dtype} ${shape.length}`));
  return `loaded ${[...kinds].sort().join(', ')}`;
}

/** undefined where all is well, else what is wrong. */
async function problemWith(number) {
  const start = process.cpuUsage();
  try {
    outcomes.add((await outcomeOfLoading(number)).slice(0, 200));
  } catch (error) {
    if (!(error instanceof LearnError && accepted.test(error.code))) return error?.stack ?? String(error);
    outcomes.add(outcomeOf(error).slice(0, 200));
  }
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000; // of the processor, since other processes may have the machine meanwhile
  if (took > Number(slowMs)) return `it took ${Math.round(took)} ms`;
  const megabytes = process.memoryUsage.rss() / 2 ** 20;
  return megabytes > mostMegabytes + initialMegabytes ? `${Math.round(megabytes)} MB are in use` : undefined;
}

await loadState(goodFile);
const initialMegabytes = process.memoryUsage.rss() / 2 ** 20;
const outcomes = new Set();
const end = performance.now() + Number(milliseconds);
let executions = 0;
let reported = 0;
for (let index = Number(first); performance.now() < end; index++) {
  fs.writeFileSync(file, caseOf(target, Number(seed), index));
  if (performance.now() - reported > 200) {
    reported = performance.now();
    process.send({ index, executions, outcomes: outcomes.size });
  }
  const problem = await problemWith(executions);
  executions++;
  if (problem !== undefined) {
    process.send({ index, executions, outcomes: outcomes.size, problem });
    await new Promise((resolve) => process.once('message', resolve)); // the file is being copied
  }
}
process.send({ index: -1, executions, outcomes: outcomes.size });
process.disconnect();
