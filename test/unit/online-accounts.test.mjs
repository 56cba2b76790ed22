// The accounts of a learner: offered = learned + dropped + quarantined + duplicates + queued, at every moment, and when its folder
// is opened again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createState, linear, OnlineLearner, sequential, sgd } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { copy, journalsIn, randomNumbers, recordsIn } from './journal-support.mjs';

const size = 4;
const model = sequential({ out: linear(size, 3) }, { input: [size] });
const item = (number, count = 1) => ({
  inputs: Float32Array.from({ length: size * count }, (_, i) => Math.sin(number * 7 + i)),
  labels: Array.from({ length: count }, (_, i) => (number + i) % 3),
  ids: Array.from({ length: count }, (_, i) => `${number}.${i}`),
});
const pick = ({ offered, learned, quarantined, duplicates, dropped, queued }) => ({
  ...{ offered, learned, quarantined, duplicates, dropped, queued },
});

function assertExact({ offered, learned, dropped, quarantined, duplicates, queued }) {
  assert.equal(offered, learned + dropped + quarantined + duplicates + queued);
  assert.ok(queued >= 0, `${queued} wait`);
}

describe('the accounts of a learner', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let folders = 0;

  const open = async (dir, options = {}) =>
    OnlineLearner.open({
      ...{ dir, checkpoint: await createState(model, { seed: 1 }), model, batchSize: 4, maxDelayMs: 0 },
      ...{ transforms: [], seed: 1, threads: 1, ...options },
    });

  async function settled(learner) {
    while (learner.metrics().queued > 0) await sleep(1);
    return pick(learner.metrics());
  }

  /** Closes it and opens it again: the accounts, and all that it is, are the same. */
  async function assertLasting(learner, dir, options = {}) {
    const before = pick(learner.metrics());
    const print = await learner.fingerprint();
    await learner.close();
    assert.deepEqual(pick(learner.metrics()), before);
    const again = await open(dir, options);
    assert.deepEqual(pick(again.metrics()), before);
    assert.equal(await again.fingerprint(), print);
    await again.close();
  }

  for (const overflow of ['block', 'dropOldest', 'sample']) {
    it(`are exact when the loop over a stream is left, and samples that were read are learned: '${overflow}'`, async () => {
      const dir = at(`left ${overflow}`);
      const learner = await open(dir);
      let read = 0;
      async function* source() {
        for (let i = 0; i < 400; i++) {
          read++;
          yield item(i);
          if (i % 7 === 0) await sleep(1);
        }
      }
      let seen = 0;
      for await (const _ of learner.stream(source(), { overflow, highWaterMark: 8 })) if (++seen === 3) break;
      const { offered, learned, dropped, queued, ...none } = await settled(learner);
      assert.deepEqual([queued, none], [0, { quarantined: 0, duplicates: 0 }]);
      assert.equal(offered, learned + dropped);
      assert.equal(offered, read);
      assert.ok(overflow === 'block' ? dropped === 0 : learned > 3, JSON.stringify({ learned, dropped }));
      await assertLasting(learner, dir);
    });

    it(`are exact when a source or a caller fails, or the learner closes, in the middle of a stream: '${overflow}'`, async () => {
      const dir = at(`failing ${overflow}`);
      let learner = await open(dir);
      async function* failing() {
        for (let i = 0; i < 30; i++) yield item(i);
        throw new RangeError('the broker is gone');
      }
      async function* mistaken() {
        for (let i = 100; i < 130; i++) yield i === 120 ? { ...item(i), labels: [1n] } : item(i);
      }
      const options = { overflow, highWaterMark: 12 };
      for (const [source, error] of [
        [failing(), { name: 'RangeError' }],
        [mistaken(), { code: 'ERR_INVALID_OPTION' }],
      ]) {
        await assert.rejects(async () => {
          for await (const _ of learner.stream(source, options)) assertExact(learner.metrics());
        }, error);
      }
      assertExact(await settled(learner));
      await assertLasting(learner, dir);

      learner = await open(dir);
      let given = 0;
      async function* endless() {
        for (let i = 1000; ; i++) {
          given++;
          yield item(i);
          if (i % 50 === 0) await sleep(1);
        }
      }
      const results = learner.stream(endless(), options);
      await results.next();
      const before = pick(learner.metrics());
      await learner.close();
      await assert.rejects(
        async () => {
          for await (const _ of results);
        },
        { code: 'ERR_DISPOSED' },
      );
      const after = pick(learner.metrics());
      assertExact(after);
      assert.equal(after.queued, 0);
      assert.ok(after.offered >= before.offered && given > 0);
      const again = await open(dir);
      assert.deepEqual(pick(again.metrics()), after);
      await again.close();
    });
  }

  it('are exact when the learner itself fails: unsettled samples count as never offered', async () => {
    const dir = at('failed');
    const learner = await open(dir);
    await learner.learn(item(0, 3));
    // Its samples can then not be written.
    fs.mkdirSync(path.join(dir, 'quarantine.ndjson'));
    const calls = [
      learner.learn({ ...item(1), labels: [9] }),
      learner.learn(item(2, 6)),
      learner.learn(item(2, 2)),
      learner.learn(item(0)),
    ];
    const [bad, good, known, duplicate] = await Promise.allSettled(calls);
    for (const { reason } of [bad, good, known]) assert.equal(reason.code, 'ERR_JOURNAL');
    assert.equal(duplicate.value.duplicates, 1);
    // Those of a call that wait for a second batch end with that.
    const metrics = await settled(learner);
    assert.deepEqual(metrics, { offered: 4, learned: 3, quarantined: 0, duplicates: 1, dropped: 0, queued: 0 });
    await learner.close().catch(() => {});
  });

  it('record many duplicates together, with the next batch that is learned', async () => {
    const dir = at('flood');
    const learner = await open(dir, { journal: { sync: 'always' } });
    await learner.learn(item(0, 4));
    const records = () => recordsIn(path.join(dir, journalsIn(dir).at(-1))).length - 1;
    const before = records();
    for (let i = 0; i < 500; i++) {
      const { duplicates, updates } = await learner.learn(item(0, 4));
      assert.deepEqual([duplicates, updates], [4, 0]);
    }
    assert.equal(records(), before);
    assert.equal(learner.metrics().duplicates, 2000);
    await learner.learn(item(1));
    // The account, then the batch.
    assert.equal(records(), before + 2);
    copy(dir, at('flood killed'));
    await learner.learn(item(0, 4));
    await assertLasting(learner, dir);
    // Samples that are not in the journal count as never offered.
    const killed = await open(at('flood killed'));
    assert.deepEqual(pick(killed.metrics()), {
      offered: 2005,
      learned: 5,
      quarantined: 0,
      duplicates: 2000,
      dropped: 0,
      queued: 0,
    });
    await killed.close();
  });

  it('record many bad samples of a call in records of bounded size, with a line for each sample', async () => {
    const dir = at('many bad');
    const learner = await open(dir);
    const count = 5000;
    const ids = Array.from({ length: count }, (_, i) => `${'x'.repeat(1000)} ${i}`);
    const { reasons, quarantined } = await learner.learn({
      inputs: new Float32Array(count * size),
      labels: new Int32Array(count).fill(7),
      ids,
    });
    assert.equal(quarantined, count);
    assert.deepEqual(
      reasons.map(({ index, id, code }) => [index, id, code]),
      ids.map((id, i) => [i, id, 'label']),
    );
    const lines = fs.readFileSync(path.join(dir, 'quarantine.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);
    assert.deepEqual(
      lines.map(({ id }) => id),
      ids,
    );
    const file = path.join(dir, journalsIn(dir).at(-1));
    const offsets = recordsIn(file);
    const largest = Math.max(...offsets.slice(1).map((end, i) => end - offsets[i]));
    assert.ok(largest < 2 ** 19, `a record of ${largest} bytes`);
    await assertLasting(learner, dir);
  });

  it('count samples of a wrong size, and keep the beginning of a large one', async () => {
    const dir = at('large');
    const learner = await open(dir);
    const { reasons } = await learner.learn({ inputs: new Float32Array(6 * 2 ** 20), labels: [0] });
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['shape'],
    );
    const [line] = fs.readFileSync(path.join(dir, 'quarantine.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);
    assert.deepEqual([line.inputBytes, Buffer.from(line.input, 'base64').length], [24 * 2 ** 20, 16 * 2 ** 20]);
    await assertLasting(learner, dir);
  });

  for (const seed of [1, 2, 3]) {
    it(`are exact at every moment of many calls at once, and after a kill at any (seed ${seed})`, async () => {
      const random = randomNumbers(seed);
      const dir = at(`calls ${seed}`);
      const options = {
        replay: { capacity: 20, perUpdate: 2 },
        gate: { every: 7 },
        optimizer: sgd({ learningRate: 0.05 }),
      };
      const learner = await open(dir, options);
      const copies = [];
      const pending = new Set();
      const add = (call) => {
        const guarded = call
          .catch((cause) => assert.equal(cause.code, 'ERR_INVALID_OPTION'))
          .finally(() => pending.delete(guarded));
        pending.add(guarded);
      };
      for (let step = 0; step < 120; step++) {
        const samples = item(random.below(40), 1 + random.below(5));
        const kind = random.below(6);
        if (kind === 0) samples.labels[0] = 9;
        if (kind === 1) samples.inputs[0] = [3e38, Number.NaN, 1e38][random.below(3)];
        if (kind === 2) samples.labels[0] = [1n, '0'][random.below(2)];
        if (kind === 3) {
          const { ids } = await learner.predict(samples.inputs);
          add(learner.feedback(ids, samples.labels.with(0, random.below(4))));
        } else add(learner.learn(samples));
        assertExact(learner.metrics());
        if (random.below(4) === 0) await Promise.all(pending);
        else if (random.below(3) === 0) await sleep(0);
        assertExact(learner.metrics());
        if (random.below(20) === 0) copies.push(copy(dir, at(`calls ${seed} ${folders++}`)));
      }
      await Promise.all(pending);
      assert.equal((await settled(learner)).queued, 0);
      await assertLasting(learner, dir, options);
      for (const killed of copies) {
        const again = await open(killed, options);
        const metrics = pick(again.metrics());
        assertExact(metrics);
        assert.equal(metrics.queued, 0);
        await again.close();
      }
    });
  }
});
