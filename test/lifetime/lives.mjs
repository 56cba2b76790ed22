// A process of a fixture that may be killed while it works.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs a script until its end, or until `killAfter` milliseconds after its first output. Resolves with all it said,
 * how it ended, and the milliseconds from that moment on.
 */
export async function live(script, args, killAfter) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const over = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  let said = '';
  let began = performance.now();
  child.stdout.setEncoding('utf8').on('data', async (text) => {
    const isFirst = said === '';
    said += text;
    if (!isFirst) return;
    began = performance.now();
    if (killAfter === undefined) return;
    await sleep(killAfter);
    child.kill('SIGKILL');
  });
  return { ...(await over), said, ms: performance.now() - began };
}
