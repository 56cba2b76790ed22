// Predictions that wait for their labels, in a folder that another learner has meanwhile.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { PendingStore } from '../../dist/online/feedback/store.js';
import { temporaryFolder } from '../support.mjs';
import {
  bytesOf,
  filesOf,
  headerBytes,
  inPlace,
  inputsOf,
  joinLarge,
  knowsNone,
  labelsOf,
  large,
  largeBytes,
  limits,
  open,
  rememberLarge,
  until,
  warningsDuring,
} from './feedback-support.mjs';

describe('a store of predictions in a folder that was renamed', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  /** Nothing but what is tested here notices that the folder is another one, until the learner closes. */
  const options = { journal: { sync: { everyMs: 600_000 } } };
  const contentsOf = (dir) =>
    [...filesOf(dir), ...fs.readdirSync(dir).filter((name) => name.includes('pending.json'))].map((name) => [
      name,
      fs.readFileSync(path.join(dir, name)),
    ]);

  /** A warning comes at once, if it comes. */
  async function untilWarned(warnings) {
    const end = performance.now() + 5000;
    await until(() => warnings.length > 0 || performance.now() > end);
    assert.equal(warnings.length, 1);
  }

  /** A learner at a path whose own learner was moved away: 20 predictions, of which 5 have their labels. */
  async function secondAt(dir) {
    fs.renameSync(dir, `${dir} renamed`);
    const second = await open(dir, options);
    const { ids } = await second.predict(inputsOf(100, 20));
    await second.feedback(ids.slice(0, 5), labelsOf(100, 5));
    // A header, 20 records, and 5 notes of labels.
    await until(() => bytesOf(dir) === headerBytes + 20 * 92 + 5 * 8);
    return { second, ids };
  }

  async function assertUnharmed(second, ids, dir) {
    await second.close();
    const { result: again, warnings } = await warningsDuring(() => open(dir, options));
    assert.deepEqual(warnings, []);
    assert.deepEqual(again.metrics().feedback, { pending: 15, joined: 5, expired: 0, lost: 0 });
    assert.equal((await again.feedback(ids.slice(5), labelsOf(105, 15))).prequential.samples, 15);
    await again.close();
  }

  it('neither adds to the files of the learner at its old path nor removes them', async () => {
    const dir = at('joined');
    const first = await open(dir, options);
    const { ids } = await first.predict(inputsOf(0, 10));
    await until(() => bytesOf(dir) > 10 * 92);
    const { second, ids: others } = await secondAt(dir);
    const before = contentsOf(dir);
    const { warnings } = await warningsDuring(async (warned) => {
      assert.equal((await first.feedback(ids, labelsOf(0, 10))).prequential.samples, 10);
      await untilWarned(warned);
      await assert.rejects(first.close(), { code: 'ERR_JOURNAL', message: /moved or deleted/ });
    });
    assert.match(warnings.join(), /cannot be written to .*moved or deleted/s);
    assert.deepEqual(contentsOf(dir), before);
    await assertUnharmed(second, others, dir);
  });

  it('overwrites none of its files, still answers, and counts as lost what it cannot keep', async () => {
    const dir = at('predicted');
    const first = await open(dir, options);
    const { second, ids: others } = await secondAt(dir);
    const before = contentsOf(dir);
    await warningsDuring(async (warned) => {
      const { ids } = await first.predict(inputsOf(0, 10));
      await untilWarned(warned);
      assert.equal((await first.feedback(ids.slice(0, 3), labelsOf(0, 3))).prequential.samples, 3);
      assert.deepEqual(first.metrics().feedback, { pending: 7, joined: 3, expired: 0, lost: 0 });
      await assert.rejects(first.close(), { code: 'ERR_JOURNAL' });
      assert.deepEqual(first.metrics().feedback, { pending: 0, joined: 3, expired: 0, lost: 7 });
    });
    assert.deepEqual(contentsOf(dir), before);
    await assertUnharmed(second, others, dir);
  });

  it("reads no sample of another's", async () => {
    const dir = at('read');
    fs.mkdirSync(dir);
    const first = await PendingStore.open(dir, large, limits, knowsNone, inPlace);
    const ids = await rememberLarge(first, 0, 1000);
    await until(() => bytesOf(dir) >= 1000 * largeBytes);
    fs.renameSync(dir, at('read renamed'));
    fs.mkdirSync(dir);
    const second = await PendingStore.open(dir, large, limits, knowsNone, inPlace);
    await rememberLarge(second, 5000, 1000);
    await until(() => bytesOf(dir) >= 1000 * largeBytes);
    const { result, warnings } = await warningsDuring(() => joinLarge(first, ids[3]));
    assert.equal(result, undefined);
    assert.match(warnings.join(), new RegExp(ids[3]));
    assert.deepEqual(first.counts, { pending: 999, joined: 0, expired: 0, lost: 1 });
    await first.close();
    await second.close();
  });
});
