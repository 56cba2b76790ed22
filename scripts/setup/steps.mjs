// Helpers of the setup: paths, running and logging of steps, stamps, and the lock. Uses only Node's built-in modules, because
// nothing is installed yet. All output goes to standard error.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const buildFolder = path.join(root, 'build');
/** Output of all commands of the setup. Kept when the rest of build/ is cleaned. */
export const logFile = path.join(buildFolder, 'setup.log');

/** A failure whose message says what failed and what to do; printed without a stack. */
export class SetupError extends Error {}

const terminal = process.stderr.isTTY;

export function say(line) {
  process.stderr.write(`${terminal ? '\r\x1b[K' : ''}${line}\n`);
}

/** Replaces the current line; prints nothing if standard error is not a terminal. */
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

/** Runs a command and returns its output. Never rejects: the caller decides what a failure means. */
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

/** Runs one command of a step. Logs its output, shows the latest line on a terminal, and throws a SetupError if it fails. */
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

/** Returns the part of a command's output that most likely explains a failure: from the first error on, otherwise the end. */
function tail(output, count = 15) {
  const lines = output.trimEnd().split('\n');
  const first = lines.findIndex((line) => /\berror\b/i.test(line));
  return (first < 0 ? lines.slice(-count) : lines.slice(first, first + count)).map((line) => `  ${line}`).join('\n');
}

/** Returns a hash of the names and contents of files, and of anything else that a result depends on. */
export function fingerprint(files, ...facts) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const file of files) hash.update(`\0${file}\0`).update(fs.readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

/** Returns the files in a folder of the repository whose names end in one of `endings`, sorted, relative to the root. */
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
 * Runs one setup at a time, with `folder` as the lock. The holder touches it, so that the lock of a killed process is
 * recognised by its age, also in containers, where process ids mean nothing.
 */
export async function withLock(folder, work) {
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  for (let reported = false; !takeLock(folder); reported = true) {
    if (!reported) say('Another setup is running; waiting for it …');
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
