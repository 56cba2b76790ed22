// Sources of every kind that a learner follows, slower and faster ones.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createState, linear, OnlineLearner, sequential } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { withClock } from './feedback-support.mjs';

const model = sequential({ out: linear(4, 3) }, { input: [4] });
const item = (number, count = 1) => ({
  inputs: Float32Array.from({ length: 4 * count }, (_, i) => Math.sin(number * 7 + i)),
  labels: Array.from({ length: count }, (_, i) => (number + i) % 3),
  ids: Array.from({ length: count }, (_, i) => `${number}.${i}`),
});

describe('a learner that follows a stream', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  let folders = 0;

  const open = async (options = {}) =>
    OnlineLearner.open({
      ...{ dir: at(`stream ${folders++}`), checkpoint: await createState(model, { seed: 1 }), model, transforms: [] },
      ...{ batchSize: 4, maxDelayMs: 0, seed: 1, threads: 1, ...options },
    });

  /** What came is learned, dropped, quarantined, a duplicate, or waits. */
  function assertExact({ offered, learned, dropped, quarantined, duplicates, queued }) {
    assert.equal(offered, learned + dropped + quarantined + duplicates + queued);
    assert.ok(queued >= 0, `${queued} wait`);
  }

  async function* generated(count, samples = 1) {
    for (let i = 0; i < count; i++) yield item(i, samples);
  }

  for (const [kind, sourceOf] of [
    ['an array', () => Array.from({ length: 30 }, (_, i) => item(i))],
    ['an async generator', () => generated(30)],
    ["Node's Readable", () => Readable.from(generated(30))],
    ['a Web stream', () => ReadableStream.from(generated(30))],
  ]) {
    it(`learns all that ${kind} brings, and yields each result in order`, async () => {
      const learner = await open();
      const results = [];
      for await (const result of learner.stream(sourceOf())) results.push(result);
      assert.equal(results.length, 30);
      assert.ok(results.every(({ updates, prequential }) => updates === 1 && prequential.samples === 1));
      const { learned, offered, queued } = learner.metrics();
      assert.deepEqual([learned, offered, queued], [30, 30, 0]);
      await learner.close();
    });
  }

  it('takes no more from the source than highWaterMark allows, even if the results are not read', async () => {
    const learner = await open();
    let taken = 0;
    async function* counted() {
      for (let i = 0; i < 1000; i++) {
        taken++;
        yield item(i, 2);
      }
    }
    const results = learner.stream(counted(), { highWaterMark: 10 });
    await results.next();
    await sleep(50);
    assert.ok(taken <= 8, `${taken} taken while results are not read`);
    let most = 0;
    for await (const _ of results) {
      assertExact(learner.metrics());
      most = Math.max(most, learner.metrics().queued);
    }
    // Five of two samples wait, and one more was taken before that was known.
    assert.ok(most <= 12, `${most} waited`);
    assert.equal(learner.metrics().learned, 2000);
    await learner.close();
  });

  for (const overflow of ['dropOldest', 'sample']) {
    it(`drops samples of a source that is too fast, with '${overflow}', and accounts for every sample at every moment`, async () => {
      const learner = await open();
      let ended = false;
      async function* fast() {
        for (let i = 0; i < 20_000; i++) {
          yield item(i);
          if (i % 200 === 199) await sleep(1);
        }
        ended = true;
      }
      let most = 0;
      const watching = (async () => {
        while (!ended) {
          const metrics = learner.metrics();
          assertExact(metrics);
          most = Math.max(most, metrics.queued);
          await sleep(0);
        }
      })();
      const options = { highWaterMark: 40, overflow };
      let reported = 0;
      for await (const result of learner.stream(fast(), options)) reported += result.prequential.samples;
      await watching;
      const metrics = learner.metrics();
      assertExact(metrics);
      assert.equal(metrics.offered, 20_000);
      assert.equal(metrics.queued, 0);
      assert.equal(metrics.learned, reported);
      assert.ok(metrics.dropped > 1000 && metrics.learned > 100, JSON.stringify(metrics));
      assert.ok(most <= 41, `${most} waited`);
      await learner.close();
    });
  }

  it('stops reading when the loop is left, also while the source is silent', async () => {
    const learner = await open();
    async function* silent() {
      yield item(1);
      await new Promise(() => {});
    }
    for await (const _ of learner.stream(silent())) break;
    let returned = false;
    async function* endless() {
      try {
        for (let i = 10; ; i++) yield item(i);
      } finally {
        returned = true;
      }
    }
    let seen = 0;
    for await (const _ of learner.stream(endless())) if (++seen === 20) break;
    await sleep(20);
    assert.ok(returned);
    await learner.close();
    assert.ok(learner.metrics().learned >= 21);
    assertExact(learner.metrics());
  });

  it('throws errors of the source and of invalid samples, and then takes the next source', async () => {
    const learner = await open();
    async function* broken() {
      yield item(1);
      throw new RangeError('the broker is gone');
    }
    await assert.rejects(
      async () => {
        for await (const _ of learner.stream(broken()));
      },
      { name: 'RangeError', message: 'the broker is gone' },
    );
    await assert.rejects(
      async () => {
        for await (const _ of learner.stream([item(2), { text: 'hello' }]));
      },
      { code: 'ERR_INVALID_OPTION' },
    );
    assert.throws(() => learner.stream(7), { code: 'ERR_INVALID_OPTION' });
    assert.throws(() => learner.stream([], { overflow: 'explode' }), { code: 'ERR_INVALID_OPTION' });
    for await (const _ of learner.stream([item(3)]));
    await sleep(5);
    const metrics = learner.metrics();
    assertExact(metrics);
    assert.deepEqual([metrics.offered, metrics.learned], [3, 3]);
    await learner.close();
  });

  it('learns each id once, however often and with whichever others it arrives', async () => {
    const learner = await open();
    const twice = await Promise.all([learner.learn(item(1, 3)), learner.learn(item(1, 3))]);
    assert.deepEqual(
      twice.map(({ duplicates }) => duplicates),
      [0, 3],
    );
    // With a number, a string, a bigint that print alike.
    await learner.learn({ ...item(2), ids: [7] });
    for (const id of ['7', 7n]) assert.equal((await learner.learn({ ...item(2), ids: [id] })).duplicates, 1);
    // Within one call.
    assert.equal((await learner.learn({ ...item(3, 2), ids: ['x', 'x'] })).duplicates, 1);
    const { learned, duplicates } = learner.metrics();
    assert.deepEqual([learned, duplicates], [5, 6]);
    assertExact(learner.metrics());
    await learner.close();
  });

  it('waits maxDelayMs for a batch to fill, and no longer', async () => {
    const learner = await open({ batchSize: 64, maxDelayMs: 30 });
    // Time stands still while the calls are made: a busy machine may need longer than maxDelayMs for that.
    const learned = async (count, first) => {
      const call = () => Array.from({ length: count }, (_, i) => learner.learn(item(first + i)));
      return Promise.all(await withClock(call, { of: performance, time: performance.now() }));
    };
    const together = await learned(10, 0);
    assert.ok(together.every(({ updates }) => updates === 1));
    assert.equal(learner.metrics().updates, 1);
    await learned(130, 100);
    assert.equal(learner.metrics().updates, 4);
    const waiting = learner.learn(item(1000));
    await learner.close();
    assert.equal((await waiting).updates, 1);
  });
});
