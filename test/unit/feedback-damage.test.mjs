// Damaged files of predictions that wait for late labels: a learner opens all the same, and reports how much is lost.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { headerBytesOf } from '../../dist/online/feedback/form.js';
import { PendingStore } from '../../dist/online/feedback/store.js';
import { temporaryFolder } from '../support.mjs';
import {
  bytesOf,
  formOf,
  headerBytes,
  inPlace,
  inputsOf,
  joinLarge,
  knowsNone,
  labelOf,
  labelsOf,
  large,
  largeBytes,
  limits,
  lossOf,
  open,
  rememberLarge,
  size,
  until,
  warningsDuring,
} from './feedback-support.mjs';

describe('late labels with damaged files', function () {
  this.timeout(120_000);
  const at = temporaryFolder();

  /** A learner that remembers ten samples, of which one got its label, and is closed. */
  async function tenIn(dir) {
    const learner = await open(dir);
    const { ids, logits } = await learner.predict(inputsOf(0, 10));
    await learner.feedback(ids[9], labelOf(9));
    await learner.close();
    return { ids, logits };
  }

  const recordBytes = 16 + 4 * 3 + 4 * size;
  const recordAt = (index) => headerBytes + index * recordBytes;
  const flip = (file, offset) => {
    const bytes = fs.readFileSync(file);
    bytes[offset] ^= 4;
    fs.writeFileSync(file, bytes);
  };

  for (const [what, damage, lost] of [
    ['a bit of a sample', (file) => flip(file, recordAt(4) + 50), [4]],
    ['a bit of a time', (file) => flip(file, recordAt(0) + 9), [0]],
    ['a bit of a header', (file) => flip(file, 30), [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['all but half a header', (file) => fs.truncateSync(file, 20), []],
    ['two records, exchanged', exchange, [2, 3]],
    ['zeros at the end', (file) => fs.truncateSync(file, recordAt(10) + 2 * recordBytes), [10, 11]],
    ['a folder instead', replaceByFolder, []],
  ]) {
    it(`opens, reports what is lost, and joins the rest: ${what}`, async () => {
      const dir = at(what);
      const { ids, logits } = await tenIn(dir);
      damage(path.join(dir, 'pending-000000001.log'));
      const { result: learner, warnings } = await warningsDuring(() => open(dir));
      const isReadable = (i) => lost.length > 0 && !lost.includes(i) && i !== 9;
      const left = ids.filter((_, i) => isReadable(i));
      const { feedback } = learner.metrics();
      assert.equal(feedback.lost, lost.length);
      assert.equal(feedback.pending, left.length);
      assert.equal(warnings.length, Number(what !== 'all but half a header'), warnings.join());
      if (lost.length > 0)
        assert.match(warnings[0], new RegExp(`${lost.length} of 1\\d in .*pending-000000001.log`, 's'));
      for (const [i, id] of ids.entries()) {
        const { prequential, unknown, duplicates } = await learner.feedback(id, labelOf(i));
        const expected = i === 9 ? [0, 0, 1] : isReadable(i) ? [1, 0, 0] : [0, 1, 0];
        assert.deepEqual([prequential.samples, unknown, duplicates], expected, `sample ${i}`);
        if (isReadable(i))
          assert.ok(Math.abs(prequential.loss - lossOf(logits.slice(3 * i, 3 * i + 3), labelOf(i))) < 1e-9);
      }
      await learner.close();
      const { result: reopened } = await warningsDuring(() => open(dir));
      assert.equal(reopened.metrics().feedback.lost, lost.length);
      await reopened.close();
    });
  }

  function exchange(file) {
    const bytes = fs.readFileSync(file);
    const [a, b] = [2, 3].map((i) => Buffer.from(bytes.subarray(recordAt(i), recordAt(i + 1))));
    b.copy(bytes, recordAt(2));
    a.copy(bytes, recordAt(3));
    fs.writeFileSync(file, bytes);
  }

  function replaceByFolder(file) {
    fs.rmSync(file);
    fs.mkdirSync(file);
  }

  it('ignores a torn last record and a torn last note', async () => {
    const dir = at('torn');
    const { ids } = await tenIn(dir);
    const [pending, joined] = ['pending-000000001.log', 'joined-000000001.log'].map((name) => path.join(dir, name));
    fs.truncateSync(pending, recordAt(9) + 30);
    fs.appendFileSync(joined, Buffer.from([1, 2, 3]));
    let { result: learner, warnings } = await warningsDuring(() => open(dir));
    assert.deepEqual(warnings, []);
    assert.deepEqual(learner.metrics().feedback, { pending: 9, joined: 0, expired: 0, lost: 0 });
    assert.equal((await learner.feedback(ids.slice(0, 4), labelsOf(0, 4))).prequential.samples, 4);
    await learner.close();
    // Notes after the torn end are found.
    learner = await open(dir, { rememberIds: 1 });
    assert.deepEqual(learner.metrics().feedback, { pending: 5, joined: 4, expired: 0, lost: 0 });
    await learner.close();
  });

  it('counts from 0 if the counts cannot be read', async () => {
    const dir = at('counts');
    await tenIn(dir);
    fs.writeFileSync(path.join(dir, 'pending.json'), '{"joined": 1');
    const { result: learner, warnings } = await warningsDuring(() => open(dir));
    assert.match(warnings.join(), /the counts in .*pending.json/);
    assert.deepEqual(learner.metrics().feedback, { pending: 9, joined: 1, expired: 0, lost: 0 });
    await learner.close();
  });

  it('counts no file twice that a crash left after its counts were saved', async () => {
    const dir = at('left');
    const { ids } = await tenIn(dir);
    const file = path.join(dir, 'pending-000000001.log');
    const bytes = fs.readFileSync(file);
    let learner = await open(dir);
    await learner.feedback(ids.slice(0, 9), labelsOf(0, 9));
    await until(() => !fs.existsSync(file));
    await learner.close();
    fs.writeFileSync(file, bytes);
    learner = await open(dir);
    assert.deepEqual(learner.metrics().feedback, { pending: 0, joined: 10, expired: 0, lost: 0 });
    assert.ok(!fs.existsSync(file));
    await learner.close();
  });

  it('counts a record as lost that is found damaged only when its label arrives', async () => {
    const dir = at('late');
    fs.mkdirSync(dir);
    const store = await PendingStore.open(dir, large, limits, knowsNone, inPlace);
    const ids = await rememberLarge(store, 0, 1000);
    await until(() => bytesOf(dir) >= 1000 * largeBytes);
    flip(path.join(dir, 'pending-000000001.log'), headerBytesOf(large) + 3 * largeBytes + 100);
    const { result, warnings } = await warningsDuring(() =>
      Promise.all([2, 3, 4].map((i) => joinLarge(store, ids[i]))),
    );
    assert.deepEqual(result, [2, undefined, 4]);
    assert.match(warnings.join(), new RegExp(ids[3]));
    assert.deepEqual(store.counts, { pending: 997, joined: 2, expired: 0, lost: 1 });
    await store.close();
  });

  it('counts predictions as lost whose samples no longer have the size that the learner takes', async () => {
    const dir = at('size');
    fs.mkdirSync(dir);
    let store = await PendingStore.open(dir, large, limits, knowsNone, inPlace);
    await rememberLarge(store, 0, 5);
    await store.close();
    const { result, warnings } = await warningsDuring(() =>
      PendingStore.open(dir, formOf('float32', 10, 2), limits, knowsNone, inPlace),
    );
    store = result;
    assert.match(warnings.join(), /samples of another type or size/);
    assert.deepEqual(store.counts, { pending: 0, joined: 0, expired: 0, lost: 5 });
    await store.close();
  });

  it('keeps its counts through a loss of power: they are on the disk before they get their name', async () => {
    const calls = [];
    const { writeFile, rename } = fs.promises;
    const noting = (call, note) => {
      return (...args) => {
        calls.push(note(...args));
        return call(...args);
      };
    };
    Object.assign(fs.promises, {
      writeFile: noting(writeFile, (_file, _data, { flush }) => (flush ? 'flushed' : 'written')),
      rename: noting(rename, () => 'renamed'),
    });
    try {
      const { writeCounts } = await import('../../dist/online/feedback/counts.js');
      await writeCounts(at(''), { joined: 1, expired: 0, lost: 0, removing: [] });
    } finally {
      Object.assign(fs.promises, { writeFile, rename });
    }
    assert.deepEqual(calls, ['flushed', 'renamed']);
  });
});
