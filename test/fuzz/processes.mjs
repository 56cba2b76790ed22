// Runs the two readers as processes: this library in one with little memory, which is started again after a crash,
// and Python.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { spawnLimited } from '../attacks/limited.mjs';
import { python } from '../support.mjs';

const silenceMs = 60_000;

export class Worker {
  #folder;
  #args;
  #environment;
  #child;

  constructor(folder, args, environment) {
    this.#folder = folder;
    this.#args = args;
    this.#environment = environment;
  }

  async start() {
    this.#child = spawnLimited(
      path.join(import.meta.dirname, 'worker.mjs'),
      this.#args,
      this.#folder,
      this.#environment,
    );
    const { crash } = await this.#talk((message) => message.ready && {});
    if (crash) throw new Error(`The worker does not start: ${crash}`);
  }

  /** Returns { answers, next, crash }: all answers, or those before the file that was being read when the process ended. */
  async load(target, first, count) {
    this.#child.worker.send({ target, first, count });
    const { crash, answers = [] } = await this.#talk(({ answers }) => answers && { answers });
    if (crash === undefined) return { answers, next: first + count };
    const files = fs.readdirSync(this.#folder).filter((name) => name.startsWith(`${target}-`) && !/\..*\./.test(name));
    const index = Math.max(...files.map((name) => Number(name.match(/-(\d+)\./)[1])));
    const name = files.find((file) => file.includes(`-${index}.`));
    await this.start();
    const before = index > first ? await this.load(target, first, index - first) : { answers: [] };
    return {
      answers: before.answers,
      next: index + 1,
      crash: { index, file: path.join(this.#folder, name), problem: crash },
    };
  }

  /** Returns the answers to existing files, none of which may end the process. */
  async read(files) {
    this.#child.worker.send({ files });
    const { crash, answers } = await this.#talk(({ answers }) => answers && { answers });
    if (crash !== undefined) throw new Error(`Files that Python wrote cannot be loaded: ${crash}`);
    return answers;
  }

  stop() {
    this.#child.worker.kill();
  }

  /** Returns the first message that `wanted` accepts, or how the process ended. */
  #talk(wanted) {
    const { worker, output } = this.#child;
    return new Promise((resolve) => {
      let isSilent = false;
      const silent = () => {
        isSilent = true;
        worker.kill('SIGKILL');
      };
      let timer = setTimeout(silent, silenceMs);
      const done = (result) => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('exit', onExit);
        resolve(result);
      };
      const onExit = (code, signal) =>
        done({
          crash: isSilent ? `no answer in ${silenceMs} ms` : `crash: ${signal ?? `exit code ${code}`} ${output()}`,
        });
      const onMessage = (message) => {
        clearTimeout(timer);
        timer = setTimeout(silent, silenceMs);
        const result = wanted(message);
        if (result) done(result);
      };
      worker.on('message', onMessage).on('exit', onExit);
    });
  }
}

/** Compiles guard.c into a folder, and returns what a process needs for it. `fill`: the byte that nobody has written. */
export function guard(folder, fill) {
  const library = path.join(folder, 'guard.so');
  execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, path.join(import.meta.dirname, 'guard.c')]);
  return { LD_PRELOAD: library, GUARD_FILL: fill };
}

/** Returns a function for Python's answers to a list of files; `hasSafetensors`: whether it can read that format. */
export async function startPython() {
  const child = spawn(python, [path.join(import.meta.dirname, 'python.py'), 'answer'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('Python ended before it answered');
    return JSON.parse(value);
  };
  const ask = async (files) => {
    if (files.length === 0) return [];
    child.stdin.write(`${JSON.stringify(files)}\n`);
    return next();
  };
  ask.hasSafetensors = (await next()).safetensors;
  ask.stop = () => child.stdin.end();
  return ask;
}
