// Sends files to workers, which are killed when they do not answer for long: a hang or a crash is due to the current file.
import path from 'node:path';
import { goodFile, spawnLimited } from './limited.mjs';

/** Processor time is checked elsewhere; other processes may be using the machine. */
const silenceMs = 300_000;

function start(cwd) {
  const { worker, output } = spawnLimited(path.join(import.meta.dirname, 'worker.mjs'), [goodFile], cwd);
  /** The next message, or how the worker ended. */
  const next = () =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        worker.kill('SIGKILL');
        settle({ code: 'hang', message: `no answer in ${silenceMs} ms` });
      }, silenceMs);
      const onExit = (code, signal) =>
        settle({ code: 'crash', message: `${signal ?? `exit code ${code}`}\n${output()}` });
      const settle = (answer) => {
        clearTimeout(timer);
        worker.off('message', settle).off('exit', onExit);
        resolve(answer);
      };
      worker.on('message', settle).on('exit', onExit);
    });
  return { worker, next };
}

async function started(cwd) {
  const child = start(cwd);
  const hello = await child.next();
  if (hello === 'ready') return child;
  throw new Error(`The worker does not start: ${JSON.stringify(hello)}`);
}

/** Loads every file of `jobs` ({ file, options }) in a process that has `cwd`; calls back with each job and its answer. */
export async function loadAll(jobs, cwd, onAnswer, workers = 2) {
  const due = [...jobs];
  const work = async () => {
    let child;
    for (let job = due.shift(); job; job = due.shift()) {
      child ??= await started(cwd);
      child.worker.send({ file: job.file, options: job.options });
      const answer = await child.next();
      if (answer.code === 'hang' || answer.code === 'crash') child = undefined;
      onAnswer(job, answer);
    }
    child?.worker.kill();
  };
  await Promise.all(Array.from({ length: workers }, work));
}
