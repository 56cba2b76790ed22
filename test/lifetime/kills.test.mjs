// A training that is killed again and again, at any moment, also while it writes: what its checkpoint leads to must be
// what an uninterrupted run ends with.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadState, TensorValue } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/lifetime/fixtures/kept-run.mjs');
const kills = 50;

describe('a training that is killed', () => {
  const at = temporaryFolder();

  /** Runs until the end, or until `killAfter` milliseconds behind its first step. */
  async function run(file, killAfter) {
    const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const over = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    let said = '';
    let began = performance.now();
    child.stdout.setEncoding('utf8').on('data', async (text) => {
      said += text;
      if (said !== 'running\n') return;
      began = performance.now();
      if (killAfter === undefined) return;
      await sleep(killAfter);
      child.kill('SIGKILL');
    });
    const { code, signal } = await over;
    assert.ok(code === 0 || signal === 'SIGKILL', `ended with ${code ?? signal}`);
    return { killed: signal === 'SIGKILL', done: said.endsWith('done\n'), ms: performance.now() - began };
  }

  async function positionOf(file) {
    if (!fs.existsSync(file)) return 'the beginning';
    const { metadata } = await loadState(file, { key: 'model' });
    return `${metadata.get('epoch')}.${metadata.get('step')}`;
  }

  /** All that a checkpoint holds but the time it took, with tensors as their values. */
  function told(value) {
    if (value instanceof TensorValue) return value.data;
    if (Array.isArray(value)) return value.map(told);
    if (!(value instanceof Map)) return value;
    return [...value].filter(([key]) => key !== 'seconds').map(([key, item]) => [key, told(item)]);
  }

  it(`ends in the same bits after ${kills} kills`, async function () {
    this.timeout(180_000);
    const whole = await run(at('whole.ckpt'));
    assert.ok(whole.done);

    // Together the lives are shorter than the whole training, and each kill undoes up to 25 steps: some is left to do.
    const longest = (whole.ms / kills) * 1.6;
    const reached = new Set();
    let hits = 0;
    let over = false;
    while (hits < kills && !over) {
      const { killed, done } = await run(at('killed.ckpt'), Math.random() * longest);
      if (killed) hits++;
      over = done;
      reached.add(await positionOf(at('killed.ckpt')));
    }
    assert.equal(hits, kills);
    assert.ok(reached.size >= 8, `the kills left only the checkpoints of ${[...reached]}`);
    assert.ok((await run(at('killed.ckpt'))).done);

    const [killed, expected] = await Promise.all(
      ['killed.ckpt', 'whole.ckpt'].map((name) => loadState(at(name), { key: 'model' })),
    );
    assert.ok(killed.equals(expected), 'the weights differ');
    assert.deepEqual(told(killed.metadata), told(expected.metadata));
    assert.equal(expected.metadata.get('epoch'), 53);
  });
});
