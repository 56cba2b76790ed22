// Jobs that run side by side in one process: each reports to its own caller, in the caller's asynchronous context, and the
// process lives as long as one of them runs.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { arrays, createState, flatten, linear, predict, sequential, trainIncremental } from 'torch-incremental';
import { root } from '../support.mjs';

const model = sequential({ flatten: flatten(), fc: linear(4, 3) }, { input: [4] });
const samples = (count) => ({ inputs: Float32Array.from({ length: count * 4 }, (_, i) => (i % 7) - 3) });
const data = arrays({ ...samples(60), labels: Int32Array.from({ length: 60 }, (_, i) => i % 3), shape: [4] });
const options = { model, data, batchSize: 4, epochs: 3, threads: 1, logEvery: 1 };

describe('jobs of one process', () => {
  let state;
  before(async () => {
    state = await createState(model, { seed: 0 });
  });

  it('call back in the asynchronous context of their own call, also when another began first', async () => {
    const requests = new AsyncLocalStorage();
    const seen = new Map(['a', 'b', 'c'].map((name) => [name, new Set()]));
    const train = (name) =>
      requests.run(name, async () => {
        const onProgress = () => seen.get(name).add(requests.getStore());
        await trainIncremental(state, { ...options, onProgress });
        assert.equal(requests.getStore(), name);
      });
    await requests.run('first', () => predict(state, samples(1).inputs, { model, threads: 1 }));
    await Promise.all([...seen.keys()].map(train));
    assert.deepEqual(
      [...seen.values()].map((stores) => [...stores]),
      [['a'], ['b'], ['c']],
    );
  });

  it('report every step to their own callers, predictions of others in between', async () => {
    const train = async (seed, epochs) => {
      const steps = [];
      const onProgress = ({ type, epoch, step }) => type === 'log' && steps.push([epoch, step]);
      await trainIncremental(state, { ...options, seed, epochs, onProgress });
      return steps;
    };
    const { inputs } = samples(2);
    const one = await predict(state, inputs, { model, threads: 1 });
    const predictions = Array.from({ length: 40 }, () => predict(state, inputs, { model, threads: 1 }));
    const [first, second] = await Promise.all([train(1, 2), train(2, 4)]);
    for (const [steps, epochs] of [
      [first, 2],
      [second, 4],
    ]) {
      const all = Array.from({ length: epochs * 15 }, (_, i) => [1 + Math.floor(i / 15), 1 + (i % 15)]);
      assert.deepEqual(steps, all);
    }
    for (const { logits } of await Promise.all(predictions)) assert.deepEqual(logits, one.logits);
  });

  it('keep the process alive while one runs, and no longer', () => {
    const script = `
      import { createState, predict, sequential, flatten, linear } from 'torch-incremental';
      const model = sequential({ flatten: flatten(), fc: linear(4, 3) }, { input: [4] });
      const state = await createState(model, { seed: 0 });
      const run = (left) => predict(state, new Float32Array(4), { model, threads: 1 }).then(() => {
        if (left === 0) return console.log('last');
        // Between them, nothing keeps the process alive but this timer.
        setTimeout(() => { run(left - 1); run(0); }, 5);
      });
      run(3);
      process.on('exit', () => console.log('exit'));`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(stdout, `${'last\n'.repeat(4)}exit\n`);
  });
});
