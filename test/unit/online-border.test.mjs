// Inputs of a learner are checked and copied at the call. Wrong types reject the call and count nothing,
// wrong values are quarantined, and neither affects other calls.
import assert from 'node:assert/strict';
import { idOf } from '../../dist/online/seen-ids.js';
import { temporaryFolder } from '../support.mjs';
import { assertExact, good, noIds, noNumbers, openIn, rejects, revoked, size, throwing } from './border-support.mjs';

describe('the border of a learner', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let folders = 0;
  const open = (options) => openIn(at(`border ${folders++}`), options);

  it('rejects calls with values of wrong types, counts nothing of them, and continues', async () => {
    const learner = await open();
    const { ids } = await learner.predict(good(0, 2).inputs);
    for (const label of noNumbers) {
      await rejects(learner.learn({ ...good(1, 2), labels: [0, label] }));
      await rejects(learner.feedback(ids[0], label));
      await rejects(learner.feedback(ids, [0, label]));
    }
    for (const id of noIds) await rejects(learner.learn({ ...good(1, 2), ids: ['fine', id] }));
    for (const samples of [null, undefined, 5, 'x', () => {}, [], { labels: [0] }, revoked()]) {
      await rejects(learner.learn(samples));
    }
    const { inputs } = good(1, 2);
    for (const labels of [
      null,
      undefined,
      1,
      '01',
      [],
      new Array(2),
      new Uint8Array(2),
      new Set([0]),
      revoked(),
      { length: 2 },
    ]) {
      await rejects(learner.learn({ inputs, labels }));
    }
    for (const some of ['ab', {}, ['a'], ['a', 'b', 'c'], new Set(['a', 'b']), revoked(), 7]) {
      await rejects(learner.learn({ inputs, labels: [0, 1], ids: some }));
    }
    for (const name of ['inputs', 'labels', 'ids']) {
      await rejects(learner.learn(Object.defineProperty(good(1), name, { get: throwing })));
    }
    const items = Object.defineProperty([0, 0], 1, { get: throwing });
    await rejects(learner.learn({ inputs, labels: items }));
    await rejects(learner.learn({ inputs, labels: [0, 1], ids: items }));
    await rejects(learner.feedback(items, [0, 1]));
    // More labels than values: not even a sample of the wrong size each.
    await rejects(learner.learn({ inputs, labels: new Int32Array(1000) }), ['ERR_SHAPE']);
    const endless = new Proxy([], { get: (_, key) => (key === 'length' ? 2 ** 40 : 0) });
    await rejects(learner.learn({ inputs, labels: endless }), ['ERR_SHAPE']);
    await rejects(
      (async () => {
        for await (const _ of learner.stream([good(2), { ...good(3), labels: [1n] }]));
      })(),
    );
    assert.equal((await learner.learn(good(4))).updates, 1);
    assert.equal((await learner.feedback(ids, [0, 1])).prequential.samples, 2);
    const metrics = learner.metrics();
    assertExact(metrics);
    assert.deepEqual([metrics.offered, metrics.learned, metrics.quarantined], [4, 4, 0]);
    await learner.close();
  });

  it('quarantines samples with wrong values, reports which and why, and learns the others', async () => {
    const learner = await open({ batchSize: 8 });
    const { inputs, labels } = good(1, 8);
    inputs[2 * size] = Number.NaN;
    inputs[3 * size + 1] = -Infinity;
    labels.splice(5, 3, 3, -1, 0.5);
    const ids = [0, 'b', undefined, 3n, null, 'f', 6, 'h'];
    const result = await learner.learn({ inputs, labels, ids });
    const value = { code: 'value', message: 'a value is not finite' };
    const label = { code: 'label', message: 'expected a label from 0 to 2' };
    assert.deepEqual(result.reasons, [
      { index: 2, id: null, ...value },
      { index: 3, id: '3', ...value },
      { index: 5, id: 'f', ...label },
      { index: 6, id: '6', ...label },
      { index: 7, id: 'h', ...label },
    ]);
    assert.deepEqual([result.quarantined, result.updates, result.prequential.samples], [5, 1, 3]);
    const short = await learner.learn({ inputs: new Float32Array(6), labels: [0, 1] });
    assert.deepEqual(
      short.reasons.map(({ index, code }) => [index, code]),
      [
        [0, 'shape'],
        [1, 'shape'],
      ],
    );
    // Nobody knows where one sample of such a call ends.
    await assert.rejects(learner.learn({ inputs: new Float32Array(7), labels: [0, 1] }), { code: 'ERR_SHAPE' });
    assertExact(learner.metrics());
    await learner.close();
  });

  it('distinguishes all ids that are strings, integers or bigints of at most 1 KiB, and takes undefined and null for none', async () => {
    const ids = [
      '',
      ' ',
      'a',
      'A',
      'é',
      'e\u0301',
      '\u0000',
      'null',
      'undefined',
      'NaN',
      '\ufffd',
      '😀',
      0,
      -1,
      1,
      2 ** 53 - 1,
    ];
    ids.push('x'.repeat(1024), `${'x'.repeat(1023)}y`, '€'.repeat(341), 10n ** 1023n, -(10n ** 1022n), 2n ** 64n);
    const learner = await open();
    for (const [i, id] of ids.entries())
      assert.equal((await learner.learn({ ...good(i), ids: [id] })).duplicates, 0, id);
    for (const id of ids) assert.equal((await learner.learn({ ...good(1), ids: [id] })).duplicates, 1);
    for (const id of [undefined, null, undefined, null]) {
      assert.equal((await learner.learn({ ...good(2), ids: [id] })).updates, 1);
    }
    assert.equal((await learner.learn({ ...good(3, 4), ids: new Array(4) })).prequential.samples, 4);
    for (const none of [undefined, null]) assert.equal((await learner.learn({ ...good(3), ids: none })).updates, 1);
    // They are written alike.
    assert.equal((await learner.learn({ ...good(4), ids: ['1'] })).duplicates, 1);
    const { learned, duplicates } = learner.metrics();
    assert.deepEqual([learned, duplicates], [ids.length + 10, ids.length + 1]);
    await learner.close();
    for (const id of noIds) assert.throws(() => idOf(id, 'id'), { code: 'ERR_INVALID_OPTION' });
  });

  it('copies samples of a stream when they arrive, also those that wait', async () => {
    const prints = [];
    for (const overflow of ['block', 'dropOldest']) {
      for (const isReused of [false, true]) {
        const learner = await open();
        async function* source() {
          const buffer = new Float32Array(2 * size);
          const labels = new Int32Array(2);
          for (let i = 0; i < 10; i++) {
            const { inputs, labels: own } = good(i, 2);
            buffer.set(inputs);
            labels.set(own);
            yield isReused ? { inputs: buffer, labels } : { inputs, labels: own };
          }
        }
        for await (const _ of learner.stream(source(), { overflow, highWaterMark: 1000 }));
        prints.push(await learner.fingerprint());
        await learner.close();
      }
    }
    assert.equal(prints[0], prints[1]);
    assert.equal(prints[2], prints[3]);
  });
});
