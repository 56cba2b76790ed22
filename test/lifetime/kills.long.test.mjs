// A training that is killed again and again, at any moment, also while it writes: what its checkpoint leads to must be
// what an uninterrupted run ends with.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { loadState, TensorValue } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';
import { live } from './lives.mjs';

const script = path.join(root, 'test/lifetime/fixtures/kept-run.mjs');
const kills = 50;

describe('a training that is killed', () => {
  const at = temporaryFolder();

  /** Runs until the end, or until `killAfter` milliseconds after its first step. */
  async function run(file, killAfter) {
    const { code, signal, said, ms } = await live(script, [file], killAfter);
    assert.ok(code === 0 || signal === 'SIGKILL', `ended with ${code ?? signal}`);
    return { killed: signal === 'SIGKILL', done: said.endsWith('done\n'), ms };
  }

  async function positionOf(file) {
    if (!fs.existsSync(file)) return 'the beginning';
    const { metadata } = await loadState(file, { key: 'model' });
    return `${metadata.get('epoch')}.${metadata.get('step')}`;
  }

  /** All that a checkpoint holds but the time it took, with tensors as their values. */
  function timeless(value) {
    if (value instanceof TensorValue) return value.data;
    if (Array.isArray(value)) return value.map(timeless);
    if (!(value instanceof Map)) return value;
    return [...value].filter(([key]) => key !== 'seconds').map(([key, item]) => [key, timeless(item)]);
  }

  async function assertSameEnd(...files) {
    const [killed, whole] = await Promise.all(files.map((file) => loadState(file, { key: 'model' })));
    assert.ok(killed.equals(whole), 'the weights differ');
    assert.deepEqual(timeless(killed.metadata), timeless(whole.metadata));
    assert.equal(whole.metadata.get('epoch'), 53);
  }

  it(`ends in the same bits after ${kills} kills`, async () => {
    const whole = await run(at('whole.ckpt'));
    assert.ok(whole.done);

    // Together the lives are shorter than the whole training, and each kill undoes up to 25 steps: some is left to do.
    let longest = (whole.ms / kills) * 1.6;
    const reached = new Set();
    let hits = 0;
    for (let life = 0; hits < kills || (reached.size < 8 && life < 4 * kills); life++) {
      const before = await positionOf(at('killed.ckpt'));
      const killAfter = Math.random() * longest;
      const { killed, done } = await run(at('killed.ckpt'), killAfter);
      if (killed) hits++;
      const now = await positionOf(at('killed.ckpt'));
      reached.add(now);
      // Half of the longest is enough for a checkpoint, unless the machine has become slower than it was for the whole run.
      if (now === before && killAfter > longest / 2) longest *= 1.2;
      if (!done) continue;
      // The machine has become faster than it was for the whole run: the rest of the kills is for a second training.
      await assertSameEnd(at('killed.ckpt'), at('whole.ckpt'));
      fs.rmSync(at('killed.ckpt'));
    }
    assert.ok(reached.size >= 8, `the kills left only the checkpoints of ${[...reached]}`);
    assert.ok((await run(at('killed.ckpt'))).done);
    await assertSameEnd(at('killed.ckpt'), at('whole.ckpt'));
  });
});
