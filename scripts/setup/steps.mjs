// What every part of the set-up uses: where things are, how a step is shown, run and logged, stamps, and the lock.
// Node's built-ins only, because nothing is installed yet. Everything shown goes to standard error.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const buildFolder = path.join(root, 'build');
/** Everything the commands of this set-up printed. Kept when the rest of build/ is cleaned. */
export const logFile = path.join(buildFolder, 'setup.log');

/** A failure whose message tells a person what failed and what to do; shown without a stack. */
export class SetupError extends Error {}

const terminal = process.stderr.isTTY;

export function say(line) {
  process.stderr.write(`${terminal ? '\r\x1b[K' : ''}${line}\n`);
}

/** Replaces the line at the cursor; nothing where standard error is a file or a pipe. */
export function sayBriefly(line) {
  if (terminal) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

export async function step(title, work) {
  say(`${title} …`);
  const start = performance.now();
  const result = await work();
  say(`  done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

const children = new Set();

/** Runs a command and returns what it printed. Never rejects: the caller knows what a failure means. */
export function execute(command, args, options = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    children.add(child);
    const onText = (text) => {
      output += text;
      options.onText?.(text);
    };
    child.stdout?.setEncoding('utf8').on('data', onText);
    child.stderr?.setEncoding('utf8').on('data', onText);
    const finish = (code, problem) => {
      children.delete(child);
      resolve({ ok: code === 0, problem, output });
    };
    child.on('error', (error) => finish(null, error.code === 'ENOENT' ? `${command} not found` : error.message));
    child.on('close', (code, signal) => finish(code, signal ? `killed by ${signal}` : `exit code ${code}`));
  });
}

/** Runs one command of a step: output into the log, its newest line on a terminal, a SetupError when it fails. */
export async function run(what, command, args, options = {}) {
  fs.mkdirSync(buildFolder, { recursive: true });
  const log = fs.openSync(logFile, 'a');
  try {
    fs.writeSync(log, `\n$ ${[command, ...args].join(' ')}\n`);
    const onText = (text) => {
      fs.writeSync(log, text);
      sayBriefly(`  ${text.trimEnd().split('\n').at(-1)}`);
    };
    const { ok, problem, output } = await execute(command, args, { ...options, onText });
    if (!ok) throw new SetupError(`${what} failed (${problem}).\n\n${tail(output)}\n\nThe whole log: ${logFile}`);
  } finally {
    fs.closeSync(log);
  }
}

/** The part of a command's output that most likely says why it failed: from the first error on, else the end. */
function tail(output, count = 15) {
  const lines = output.trimEnd().split('\n');
  const first = lines.findIndex((line) => /\berror\b/i.test(line));
  return (first < 0 ? lines.slice(-count) : lines.slice(first, first + count)).map((line) => `  ${line}`).join('\n');
}

/** One hash over the names and contents of files, and over anything else that a result depends on. */
export function fingerprint(files, ...facts) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const file of files) hash.update(`\0${file}\0`).update(fs.readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

/** Files under a folder of the repository whose names end in one of `endings`, sorted, relative to the root. */
export function filesUnder(folder, endings) {
  if (!fs.existsSync(path.join(root, folder))) return [];
  return fs
    .readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => path.join(folder, name))
    .sort();
}

export function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

const staleMs = 15_000;
const locks = new Set();

/**
 * One set-up at a time works behind `folder`. The holder touches the lock, so that one left by a killed process is
 * known by its age, in containers too, where process ids mean nothing.
 */
export async function withLock(folder, work) {
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  for (let told = false; !takeLock(folder); told = true) {
    if (!told) say('Another set-up is at work; waiting for it …');
    await sleep(200);
  }
  const heartbeat = setInterval(() => fs.utimes(folder, new Date(), new Date(), () => {}), 2_000);
  locks.add(folder);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    locks.delete(folder);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function takeLock(folder) {
  try {
    fs.mkdirSync(folder);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const age = Date.now() - (fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > staleMs) fs.rmSync(folder, { recursive: true, force: true });
  return false;
}

process.on('exit', () => {
  for (const folder of locks) fs.rmSync(folder, { recursive: true, force: true });
  for (const child of children) child.kill();
});
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
