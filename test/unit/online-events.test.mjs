// Events of a learner: after the record that they follow from, and without any effect on what is learned. And waiting for its lock.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { sgd } from 'torch-incremental';
import { usualBytes } from '../../dist/online/storage/prune.js';
import { temporaryFolder } from '../support.mjs';
import { learn, open, sample } from './journal-support.mjs';

const turn = () => new Promise(setImmediate);

describe('the events of a learner', () => {
  const at = temporaryFolder();

  it('name each version that is made, and an earlier one that serves again', async () => {
    const learner = await open(at('versions'), { gate: { every: 2 } });
    const made = [];
    learner.on('version', ({ version, updates }) => made.push([version, updates]));
    await learn(learner, 0, 5);
    await learner.publish();
    await learner.rollback(1);
    await turn();
    assert.deepEqual(made, [
      [1, 2],
      [2, 4],
      [3, 5],
      [1, 2],
    ]);
    await learner.close();
  });

  it('name the samples that were not learned, with the reasons that their calls get', async () => {
    const learner = await open(at('quarantine'), { optimizer: sgd({ learningRate: 1000 }) });
    const seen = [];
    learner.on('quarantine', ({ reasons }) => seen.push(...reasons));
    const wrong = { ...sample(1), labels: [7] };
    const huge = { inputs: Float32Array.of(3e38, 3e38, 3e38), labels: [1], ids: ['huge'] };
    const results = [];
    for (const one of [sample(0), wrong, { ...sample(2), inputs: Float32Array.of(1, Number.NaN, 0) }, huge]) {
      results.push(await learner.learn(one));
    }
    await turn();
    const expected = results.flatMap(({ reasons }) => reasons.map(({ id, code, message }) => ({ id, code, message })));
    assert.deepEqual(
      expected.map(({ id, code }) => [id, code]),
      [
        ['1', 'label'],
        ['2', 'value'],
        ['huge', 'output'],
      ],
    );
    assert.deepEqual(seen, expected);
    await learner.close();
  });

  it('change nothing: listeners that throw are heard by the process, and the learner goes on', async () => {
    const [heard, deaf] = [
      await open(at('heard'), { gate: { every: 2 } }),
      await open(at('deaf'), { gate: { every: 2 } }),
    ];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const thrown = once(process, 'uncaughtException');
      heard.once('version', () => {
        throw new Error('a mistake of a listener');
      });
      await learn(heard, 0, 2);
      assert.match((await thrown)[0].message, /a mistake of a listener/);
    } finally {
      for (const other of others) process.on('uncaughtException', other);
    }
    await learn(heard, 2, 9);
    await learn(deaf, 0, 9);
    assert.equal(heard.failure, undefined);
    assert.equal(await heard.fingerprint(), await deaf.fingerprint());
    await Promise.all([heard.close(), deaf.close()]);
  });
});

describe('a learner that another has open', () => {
  const at = temporaryFolder();

  it('opens when that one is closed, within waitForLock', async () => {
    const first = await open(at('shared'));
    await learn(first, 0, 3);
    await assert.rejects(open(at('shared')), { code: 'ERR_BUSY' });
    await assert.rejects(open(at('shared'), { waitForLock: 120 }), { code: 'ERR_BUSY', message: /process \d+/ });
    const waiting = open(at('shared'), { waitForLock: 60_000 });
    await setTimeout(150);
    await first.close();
    const second = await waiting;
    assert.equal(second.metrics().learned, 3);
    await second.close();
  });

  it('stops waiting when it is aborted', async () => {
    const first = await open(at('aborted'));
    const stop = new AbortController();
    const waiting = open(at('aborted'), { waitForLock: 600_000, signal: stop.signal });
    setTimeout(100).then(() => stop.abort());
    await assert.rejects(waiting, { name: 'AbortError' });
    await first.close();
    for (const waitForLock of [-1, Number.NaN, 2 ** 31]) {
      await assert.rejects(open(at('wrong'), { waitForLock }), { code: 'ERR_INVALID_OPTION' });
    }
  });
});

describe('the room for journal and snapshots', () => {
  it('is 256 MiB, or five snapshots of a large model', () => {
    assert.equal(usualBytes(0), 2 ** 28);
    assert.equal(usualBytes(2 ** 20), 2 ** 28);
    assert.equal(usualBytes(2 ** 27), 5 * 2 ** 27);
  });
});
