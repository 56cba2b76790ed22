// Makes and loads files on request: { target, first, count } or { files } → an answer for each, in the form of answer.mjs. The
// files stay in the folder, so that the current one is still there after a crash.
import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { LearnError, saveState } from 'torch-incremental';
import { inspectFile } from '../../dist/checkpoint/inspect.js';
import { memory } from '../attacks/limited.mjs';
import { loadAny, treeOfState, zipNames } from './answer.mjs';
import { casesFrom, endingOf, isModel } from './cases.mjs';
import { runArchive, runProgram } from './run-model.mjs';

const [folder, seed, goodFile, slowMs, seeds] = process.argv.slice(2);
const mostMegabytes = 512;
const accepted = /^ERR_(STATE_FORMAT|STATE_UNSAFE|STATE_MISMATCH|FILE)$/;
const caseOf = casesFrom(seeds);

/** Loads the file and reads all of it; every tenth loaded file is written, and must be equal when it is read again. */
async function read(file, index) {
  const state = await loadAny(file);
  if (!inspect(state) || !(state.metadata instanceof Map)) throw new Error('it cannot be shown');
  const answer = treeOfState(state);
  if (index % 10 === 0) answer.written = await writeAgain(state, file);
  state.dispose();
  if (fs.readFileSync(file).subarray(0, 2).equals(Buffer.from('PK'))) answer.zip = await zipNames(file);
  return answer;
}

async function writeAgain(state, file) {
  const again = `${file}.pth`;
  await saveState(state, again);
  const copy = await loadAny(again);
  if (!copy.equals(state)) throw new Error('it is another state after it was saved and loaded');
  copy.dispose();
  return again;
}

/** Runs a model: that is read if each step has a result. */
async function run(file) {
  const { code, message } = file.endsWith('.json')
    ? await runProgram(fs.readFileSync(file, 'utf8'))
    : await runArchive(file);
  return code === undefined ? { tree: ['ran'] } : { code, message };
}

/** Returns the answer, and `problem` if something is wrong whatever Python's answer is. */
async function answerTo(file, index, target) {
  const before = memory();
  const start = process.cpuUsage();
  let answer;
  try {
    answer = isModel(target) ? await run(file) : await read(file, index);
    if (index % 4 === 0 && !isModel(target)) await inspectFile(file);
  } catch (error) {
    const isExpected = error instanceof LearnError && accepted.test(error.code);
    answer = isExpected ? { code: error.code, message: error.message } : { problem: error?.stack ?? String(error) };
  }
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000; // processor time, because other processes may be using the machine
  const megabytes = memory().peak - before.now;
  if (took > Number(slowMs)) answer.problem ??= `it took ${Math.round(took)} ms`;
  // A program may ask for as much memory as the process has.
  if (megabytes > mostMegabytes && !isModel(target)) answer.problem ??= `it took ${Math.round(megabytes)} MB`;
  return answer;
}

process.on('warning', () => {});
await loadAny(goodFile); // libtorch is loaded at first use, which must not count as the first file's time
/** Existing or generated files. */
function* filesOf({ target, first, count, files }) {
  if (files) yield* files.map((file, index) => ({ index, file }));
  for (let index = first; !files && index < first + count; index++) {
    const file = path.join(folder, `${target}-${index}${endingOf(target)}`);
    fs.writeFileSync(file, caseOf(target, Number(seed), index));
    yield { index, file };
  }
}

process.on('message', async (job) => {
  const answers = [];
  let reported = performance.now();
  for (const { index, file } of filesOf(job)) {
    answers.push({ index, file, ...(await answerTo(file, index, job.target)) });
    if (performance.now() - reported < 500) continue;
    reported = performance.now();
    process.send({ index });
  }
  process.send({ answers });
});
process.send({ ready: true });
