// Loads made-up files, and runs made-up models, until the time is over, and keeps every one that does anything but work or be refused, or
// that live Python reads in another way:
//     npm run fuzz -- [--seconds 60] [--target zip|pickle|legacy|safetensors|archives|programs] [--seed 1] [--out FOLDER] [--slow-ms 20000]
//         [--differential | --no-differential] [--first 0] [--plant N] [--guard BYTE]
// All targets share the time. Python is the one in TORCH_INCREMENTAL_PYTHON; without it files are only loaded here, unless
// --differential demands it. Files that crash, hang, take longer than --slow-ms or half a gigabyte, or have two readings are
// written to FOLDER with the answers, and the exit code is 1. It is 1 as well where Python and this library read too few
// files for a result. The same seed makes the same files; --first skips some of them. --plant N changes the answer to
// every N-th file that both read, to show that the difference is found.
// --guard BYTE runs with guard.c: tensors end where pages do, and hold BYTE before they are written.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { goodFile } from '../attacks/limited.mjs';
import { python } from '../support.mjs';
import { endingOf, isModel, targetNames } from './cases.mjs';
import { verdict, writtenDifference } from './compare.mjs';
import { guard, startPython, Worker } from './processes.mjs';
import { writeSeeds } from './seeds.mjs';

const batchSize = 40;
/** Number of compared files that at least one side must read; otherwise the changes are too wild. */
const leastShare = 0.25;
const enough = 200;
/** Share of made-up models that must run. */
const leastRun = 0.1;

const { values } = parseArgs({
  allowNegative: true,
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true, default: targetNames },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    out: { type: 'string', default: 'fuzz-findings' },
    'slow-ms': { type: 'string', default: '20000' },
    differential: { type: 'boolean', default: python !== undefined },
    plant: { type: 'string', default: '0' },
    guard: { type: 'string' },
  },
});
for (const target of values.target) {
  if (!targetNames.includes(target)) throw new Error(`--target is one of ${targetNames.join(', ')}, not ${target}`);
}
const [seed, seconds, first, plant] = ['seed', 'seconds', 'first', 'plant'].map((name) => Number(values[name]));
if (![seed, first, plant].every(Number.isSafeInteger) || !(seconds > 0))
  throw new Error('--seed, --seconds, --first and --plant are numbers');
if (values.differential && !python) throw new Error('--differential needs TORCH_INCREMENTAL_PYTHON');
if (!values.differential)
  console.log('Files are only loaded here: they are compared with Python where TORCH_INCREMENTAL_PYTHON is set');

const newSum = () => ({ files: 0, read: 0, outcomes: new Set(), findings: 0, kinds: new Map(), reasons: new Map() });
const sums = new Map(values.target.map((target) => [target, newSum()]));
const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);

function keep(target, name, file, reason, answers) {
  fs.mkdirSync(values.out, { recursive: true });
  const kept = path.join(values.out, `${target}-${seed}-${name}`);
  fs.copyFileSync(file, kept + endingOf(target));
  fs.writeFileSync(`${kept}.json`, JSON.stringify({ reason, ...answers }, null, 1));
  sums.get(target).findings++;
  console.log(`  ${kept}${endingOf(target)}: ${reason.split('\n').slice(0, 3).join(' | ').slice(0, 700)}`);
}

/** Files that Python wrote itself must be read as Python reads them. */
async function compareHonest(files) {
  const [answers, read] = await Promise.all([worker.read(files), theirs(files)]);
  for (const [i, { file, problem, ...ours }] of answers.entries()) {
    const { kind, reason } = problem ? { kind: 'finding', reason: problem } : verdict(ours, read[i], true);
    if (kind === 'finding') keep(values.target[0], path.basename(file), file, reason, { ours, theirs: read[i] });
  }
  console.log(`${files.length} files that Python wrote were read`);
}

/** Counts one file, keeps it if it is a finding, and removes it. */
function judge(target, { index, file, problem, ...ours }, theirs) {
  const sum = sums.get(target);
  sum.files++;
  if (ours.tree || ours.large) sum.read++;
  sum.outcomes.add(ours.message ? ours.message.replaceAll(file, '').replace(/\d+|"[^"]*"/g, '…') : 'read');
  if (problem !== undefined) keep(target, index, file, problem, { theirs });
  if (problem === undefined && theirs) {
    const isPlanted = plant > 0 && ours.tree && !theirs.error && sum.read % plant === 0;
    const { kind, reason } = verdict(isPlanted ? { ...ours, tree: ['l', 'planted'] } : ours, theirs);
    if (kind === 'finding') keep(target, index, file, reason, { ours, theirs });
    count(sum.kinds, kind);
    const lost = theirs.written && kind === 'both' ? writtenDifference(ours, theirs.written) : undefined;
    if (lost) keep(target, index, file, lost, { ours, theirs: theirs.written });
    if (/only/.test(kind)) count(sum.reasons, `${kind}: ${reason}`);
  }
  for (const done of [file, `${file}.pth`]) fs.rmSync(done, { force: true });
}

/** Python's answers to a batch, and to the files written from it, if it is compared. */
async function readThere({ target, answers }) {
  if (!isCompared(target)) return undefined;
  const read = await theirs(answers.flatMap(({ file, written }) => (written ? [file, written] : [file])));
  return answers.map(({ written }) => ({ ...read.shift(), ...(written ? { written: read.shift() } : {}) }));
}

function judgeAll(batch, theirs) {
  for (const [i, answer] of (batch?.answers ?? []).entries()) judge(batch.target, answer, theirs?.[i]);
}

function keepCrash(target, { index, file, problem }) {
  keep(target, index, file, problem, {});
  fs.rmSync(file, { force: true });
}

function report(target) {
  const { files, read, outcomes, kinds, reasons } = sums.get(target);
  console.log(
    `${target}: ${files} files, ${Math.round(files / seconds)} a second, ${outcomes.size} different outcomes, ${read} read`,
  );
  if (isModel(target) && files >= enough && read / files < leastRun) {
    console.log(`  ${target}: too few models ran for a result`);
    return false;
  }
  if (!isCompared(target)) return true;
  const of = (kind) => kinds.get(kind) ?? 0;
  const share = 1 - of('neither') / Math.max(files, 1);
  console.log(
    `  compared with Python: both read ${of('both')}, neither ${of('neither')}, only Python ${of('only Python')}, only here ` +
      `${of('only here')}, findings ${of('finding')}; ${Math.round(100 * share)} % read by one side at least`,
  );
  for (const [reason, times] of [...reasons].sort(([, a], [, b]) => b - a)) console.log(`    ${times} × ${reason}`);
  const isTooFew = of('both') === 0 || (files >= enough && share < leastShare);
  if (isTooFew) console.log(`  ${target}: too few files were read by both for a result`);
  return !isTooFew;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental fuzz '));
const seeds = path.join(folder, 'seeds');
fs.mkdirSync(seeds);
if (values.differential) writeSeeds(seeds);
const theirs = values.differential ? await startPython() : undefined;
const isCompared = (target) =>
  theirs !== undefined && !isModel(target) && (target !== 'safetensors' || theirs.hasSafetensors);
if (theirs && !theirs.hasSafetensors)
  console.log('Python has no safetensors: files of that format are only loaded here');
const work = path.join(folder, 'files');
fs.mkdirSync(work);
// Without a space, which separates the libraries of LD_PRELOAD.
const guarded = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-fuzz-'));
const environment = values.guard === undefined ? undefined : guard(guarded, values.guard);
const args = [work, String(seed), goodFile, values['slow-ms'], ...(theirs ? [seeds] : [])];
const worker = new Worker(work, args, environment);
await worker.start();
if (theirs) await compareHonest(fs.readdirSync(seeds).map((name) => path.join(seeds, name)));

const next = new Map(values.target.map((target) => [target, first]));
const end = performance.now() + seconds * 1000;
let waiting; // the batch that was loaded here while Python read the one before
for (let round = 0; performance.now() < end || round === 0; round++) {
  for (const target of values.target) {
    const ours = worker.load(target, next.get(target), batchSize);
    const read = waiting && readThere(waiting);
    const [made, answers] = await Promise.all([ours, read]);
    judgeAll(waiting, answers);
    if (made.crash) keepCrash(target, made.crash);
    next.set(target, made.next);
    waiting = { target, answers: made.answers };
  }
}
judgeAll(waiting, await readThere(waiting));
worker.stop();
theirs?.stop();
for (const made of [folder, guarded]) fs.rmSync(made, { recursive: true, force: true });

const isEnough = values.target.map(report).every(Boolean);
const findings = [...sums.values()].reduce((sum, { findings: some }) => sum + some, 0);
console.log(findings === 0 ? 'Nothing was found.' : `${findings} findings are in ${values.out}`);
process.exitCode = findings === 0 && isEnough ? 0 : 1;
