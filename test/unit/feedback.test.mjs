// Late labels: each joins its predicted sample once, with the prediction of that time; waiting predictions are bounded.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createState, flatten, linear, OnlineLearner, sequential, toTensor } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { inputsOf, labelOf, labelsOf, lossOf, open, withClock } from './feedback-support.mjs';

describe('feedback()', function () {
  this.timeout(120_000);
  const at = temporaryFolder();

  describe('of 20,000 predictions whose labels come in another order, too late, or never', () => {
    const [count, perTick, ttlMs, tickMs] = [20_000, 20, 60_000, 100];
    const ticks = count / perTick;
    /** Delay of each label after its prediction, in ticks; Infinity: never. */
    let state = 7;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const delays = Array.from({ length: count }, () =>
      random() < 0.01 ? Infinity : Math.floor((random() * 1.2 * ttlMs) / tickMs),
    );
    const isJoined = (index) => delays[index] * tickMs < ttlMs;

    /** Numbers of the labels that come at each tick. */
    const due = Array.from({ length: ticks + Math.ceil((1.2 * ttlMs) / tickMs) + 1 }, () => []);
    for (const [index, delay] of delays.entries()) {
      if (delay < Infinity) due[Math.floor(index / perTick) + delay].push(index);
    }

    async function run(dir, restartAt) {
      const options = {
        ...{ batchSize: 256, gate: { every: 50 }, replay: { capacity: 500, perUpdate: 32 } },
        feedback: { ttlMs, memoryBytes: 2 ** 20 },
      };
      return withClock(async (clock) => {
        const begin = clock.time;
        let learner = await open(dir, options);
        const ids = [];
        let [joined, unknown] = [0, 0];
        for (const [tick, indices] of due.entries()) {
          clock.time = begin + tick * tickMs;
          if (tick === restartAt) {
            await learner.close();
            learner = await open(dir, options);
          }
          if (tick < ticks) ids.push(...(await learner.predict(inputsOf(tick * perTick, perTick))).ids);
          if (indices.length > 0) {
            const result = await learner.feedback(
              indices.map((index) => ids[index]),
              indices.map(labelOf),
            );
            const expected = indices.filter(isJoined).length;
            assert.equal(result.prequential.samples, expected);
            assert.equal(result.unknown, indices.length - expected);
            joined += expected;
            unknown += result.unknown;
          }
          if (tick % 97 !== 0) continue;
          const { feedback } = learner.metrics();
          const expired = ids.filter(
            (_, index) =>
              (tick - Math.floor(index / perTick)) * tickMs >= ttlMs &&
              !(isJoined(index) && Math.floor(index / perTick) + delays[index] <= tick),
          ).length;
          assert.deepEqual(
            feedback,
            { pending: ids.length - joined - expired, joined, expired, lost: 0 },
            `at ${tick}`,
          );
        }
        // Whatever joined is known now, and nothing else is.
        const split = (wanted) => ids.filter((_, index) => isJoined(index) === wanted);
        const again = async (some) =>
          learner.feedback(
            some,
            some.map(() => 0),
          );
        assert.equal((await again(split(true))).duplicates, joined);
        assert.equal((await again(split(false))).unknown, count - joined);
        assert.ok(unknown > 2000 && joined > 15_000);
        const { feedback, prequential, learned, updates, duplicates } = learner.metrics();
        assert.deepEqual(feedback, { pending: 0, joined, expired: count - joined, lost: 0 });
        // Their ids alone are others in each run.
        const versions = learner.versions().map(({ version, sha256 }) => ({ version, sha256 }));
        await learner.close();
        assert.ok(!fs.readdirSync(dir).some((name) => /^(pending|joined)-/.test(name)), 'a file that nothing waits in');
        return { feedback, prequential, learned, updates, duplicates, versions };
      });
    }

    it('learns exactly those that an oracle joins; a restart in the middle changes no count and no bit', async () => {
      const whole = await run(at('whole'));
      assert.equal(whole.learned, whole.feedback.joined);
      assert.deepEqual(await run(at('restarted'), 400), whole);
    });
  });

  it('scores by the prediction of the weights that served then, though others serve when the label arrives', async () => {
    const dir = at('versions');
    const options = { batchSize: 6, gate: { every: 1 } };
    let learner = await open(dir, options);
    const before = await learner.predict(inputsOf(500, 4));
    assert.deepEqual(before.version, { durable: 0, updates: 0 });
    const promote = async () => {
      for (let i = 0; i < 10; i++) {
        await learner.learn({ inputs: inputsOf(6 * i, 6), labels: labelsOf(6 * i, 6) });
      }
    };
    const check = async (i) => {
      const now = await learner.predict(inputsOf(500 + i));
      assert.ok(now.version.durable > before.version.durable);
      const label = labelOf(500 + i);
      const { prequential } = await learner.feedback(before.ids[i], label);
      const expected = lossOf(before.logits.subarray(i * 3, (i + 1) * 3), label);
      assert.equal(prequential.samples, 1);
      assert.ok(Math.abs(prequential.loss - expected) < 1e-9, `${prequential.loss}, not ${expected}`);
      assert.ok(Math.abs(lossOf(now.logits, label) - expected) > 0.01, 'both versions say the same');
      assert.equal(prequential.correct, Number(before.labels[i] === label));
    };
    await promote();
    await check(0);
    await learner.close();
    learner = await open(dir, options);
    await promote();
    await check(1);
    // All its samples count in the metrics as they were predicted.
    const { samples, loss } = learner.metrics().prequential;
    await check(2);
    const after = learner.metrics().prequential;
    const third = lossOf(before.logits.subarray(6, 9), labelOf(502));
    assert.equal(after.samples, samples + 1);
    assert.ok(Math.abs(after.loss * (samples + 1) - loss * samples - third) < 1e-9);
    await learner.close();
  });

  it('learns a sample once, however often and however close together its labels arrive', async () => {
    const dir = at('twice');
    let learner = await open(dir);
    const { ids } = await learner.predict(inputsOf(0, 4));
    assert.equal(new Set(ids).size, 4);
    const results = await Promise.all([
      learner.feedback(ids[0], 0),
      learner.feedback(ids[0], 1),
      learner.feedback(ids[0], 0),
    ]);
    assert.deepEqual(
      results.map(({ prequential, duplicates, unknown }) => [prequential.samples, duplicates, unknown]),
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 1, 0],
      ],
    );
    const both = await learner.feedback([ids[1], ids[1], ids[0]], [1, 1, 0]);
    assert.deepEqual([both.prequential.samples, both.duplicates, both.unknown], [1, 2, 0]);
    await learner.close();

    learner = await open(dir);
    assert.deepEqual(learner.metrics().feedback, { pending: 2, joined: 2, expired: 0, lost: 0 });
    const again = await learner.feedback([ids[0], ids[1], ids[2]], [0, 1, 2]);
    assert.deepEqual([again.prequential.samples, again.duplicates, again.unknown], [1, 2, 0]);
    const { learned, duplicates, offered, queued } = learner.metrics();
    assert.deepEqual({ learned, duplicates, offered, queued }, { learned: 3, duplicates: 6, offered: 9, queued: 0 });
    await learner.close();
  });

  it('learns in the order of the labels, also where a sample has to be read from the disk', async () => {
    const dir = at('order');
    const learner = await open(dir, { feedback: { memoryBytes: 2 ** 20 } });
    const ids = [];
    // Two MiB of records.
    for (let i = 0; i < 25; i++) ids.push(...(await learner.predict(inputsOf(1000 * i, 1000))).ids);
    const order = Array.from({ length: 40 }, (_, i) => ids[i % 2 === 0 ? i : ids.length - 1 - i]);
    // Wrong labels: the quarantine file shows which came when.
    await Promise.all(order.map((id) => learner.feedback(id, 99)));
    await learner.close();
    const lines = fs.readFileSync(path.join(dir, 'quarantine.ndjson'), 'utf8').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).id),
      order,
    );
  });

  it('counts ids that it never gave, and continues', async () => {
    const learner = await open(at('unknown'));
    const { ids } = await learner.predict(inputsOf(0, 2));
    const token = ids[0].slice(0, 16);
    const strange = [
      '',
      'x',
      token,
      `${token}-`,
      `${token}-00`,
      `${token}-2`,
      `${token}--1`,
      `${token}-0.5`,
      `${token}-1e0`,
    ];
    strange.push(`${token} 0`, `${token}-NaN`, `${'0'.repeat(16)}-0`, 'x'.repeat(10_000));
    for (const id of strange) {
      const { unknown, updates, duplicates, version } = await learner.feedback(id, 0);
      assert.deepEqual(
        { unknown, updates, duplicates, version },
        { unknown: 1, updates: 0, duplicates: 0, version: 0 },
        id,
      );
    }
    const mixed = await learner.feedback([...strange, ids[1]], [...strange.map(() => 0), 1]);
    assert.deepEqual([mixed.unknown, mixed.prequential.samples], [strange.length, 1]);
    assert.deepEqual(learner.metrics().feedback, { pending: 1, joined: 1, expired: 0, lost: 0 });
    for (const [some, labels] of [
      [5, 0],
      [[], []],
      [[ids[0]], [0, 1]],
      [ids[0], [0]],
      [[ids[0]], 0],
      [[7], [0]],
    ]) {
      await assert.rejects(learner.feedback(some, labels), { code: 'ERR_INVALID_OPTION' });
    }
    await learner.close();
    await assert.rejects(learner.feedback(ids[0], 0), { code: 'ERR_DISPOSED' });
  });

  it('remembers the predicted inputs, even if the caller changes them, also a Buffer', async () => {
    const images = sequential({ flat: flatten(), out: linear(16, 2) }, { input: [1, 4, 4] });
    const options = {
      ...{ dir: at('copies'), checkpoint: await createState(images, { seed: 3 }), model: images, threads: 1 },
      ...{ transforms: [toTensor()], batchSize: 1, maxDelayMs: 0 },
    };
    const original = Buffer.from(Array.from({ length: 48 }, (_, i) => i * 5));
    let learner = await OnlineLearner.open(options);
    const given = Buffer.from(original);
    const asked = learner.predict(given);
    given.fill(0);
    const { ids, logits } = await asked;
    assert.deepEqual(logits, (await learner.predict(original)).logits);
    logits.fill(0);
    await assert.rejects(learner.predict(new Float32Array(16)), { code: 'ERR_INVALID_OPTION' });
    // A sample with a wrong label is in the quarantine file.
    await learner.feedback(ids[0], 7);
    await learner.close();
    learner = await OnlineLearner.open(options);
    await learner.feedback(ids.slice(1), [7, 7]);
    // The same holds for learn().
    given.set(original);
    const learned = learner.learn({ inputs: given, labels: [7, 7, 7] });
    given.fill(0);
    assert.equal((await learned).quarantined, 3);
    await learner.close();
    const lines = fs.readFileSync(path.join(options.dir, 'quarantine.ndjson'), 'utf8').trim().split('\n');
    const bytes = Buffer.concat(lines.map((line) => Buffer.from(JSON.parse(line).input, 'base64')));
    assert.deepEqual(bytes, Buffer.concat([original, original]));
  });

  it('learns what is pending when it closes', async () => {
    const dir = at('closing');
    let learner = await open(dir, { maxDelayMs: 60_000 });
    const { ids } = await learner.predict(inputsOf(0, 3));
    const asked = learner.predict(inputsOf(3, 3));
    const joined = learner.feedback(ids, labelsOf(0, 3));
    const again = learner.feedback(ids[0], 0);
    await learner.close();
    assert.equal((await joined).prequential.samples, 3);
    assert.equal((await again).duplicates, 1);
    learner = await open(dir);
    assert.deepEqual(learner.metrics().feedback, { pending: 3, joined: 3, expired: 0, lost: 0 });
    assert.equal((await learner.feedback((await asked).ids, labelsOf(3, 3))).prequential.samples, 3);
    await learner.close();
  });

  it('gives no ids, writes nothing and knows no label with feedback: false', async () => {
    const dir = at('none');
    const learner = await open(dir, { feedback: false });
    const { ids, labels } = await learner.predict(inputsOf(0, 3));
    assert.deepEqual([ids, labels.length], [[], 3]);
    assert.equal((await learner.feedback('0123456789abcdef-0', 0)).unknown, 1);
    assert.deepEqual(learner.metrics().feedback, { pending: 0, joined: 0, expired: 0, lost: 0 });
    await sleep(20);
    await learner.close();
    assert.ok(!fs.readdirSync(dir).some((name) => /^(pending|joined)/.test(name)));
  });
});
