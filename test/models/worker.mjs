// A Python that exports models and checks what was trained of them: worker.py, one line of JSON for each question and answer.
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { needs, python } from '../support.mjs';

const script = path.join(import.meta.dirname, 'worker.py');
/** Of what Python printed beside its answers, for the error of one that ended. */
const keptText = 4000;

/** Starts it. One question is answered at a time, in their order. */
export function startPython(interpreter) {
  const child = spawn(interpreter, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = [];
  let text = '';
  let over;
  child.stderr.setEncoding('utf8').on('data', (more) => {
    text = (text + more).slice(-keptText);
  });
  readline.createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  const end = (why) => {
    over ??= new Error(`${interpreter} ${script} ended (${why}):\n${text}`);
    for (const { reject } of waiting.splice(0)) reject(over);
  };
  child.on('error', (error) => end(error.message));
  child.on('close', (code, signal) => end(signal ?? `exit code ${code}`));
  // Whoever asks afterwards gets the error of the end.
  child.stdin.on('error', () => {});

  return {
    /** The answer: { ok, seconds, result } or { ok: false, seconds, error, message }. */
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (over) return reject(over);
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(question)}\n`);
      }),
    close: () => child.stdin.end(),
  };
}

/** A Python for the tests of a describe(), which are skipped where there is none. Returns what asks it. */
export function pythonForTests() {
  let worker;
  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    worker = startPython(python);
  });
  after(() => worker?.close());
  return { ask: (question) => worker.ask(question) };
}
