// Snapshots and the journal after them: with a damaged one, a learner resumes from an older one, or not at all; never from
// something else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { arrays, reproduceVersion, sgd } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import {
  copy,
  journalsIn,
  learn,
  makeLearner,
  model,
  open,
  randomNumbers,
  recordsIn,
  rejectsWithByte,
  snapshotsIn,
  stateOf,
} from './journal-support.mjs';

function flip(file, where, mask) {
  const bytes = fs.readFileSync(file);
  bytes[where] ^= mask;
  fs.writeFileSync(file, bytes);
}

describe('the snapshots of a learner', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const dir = at('damaged');

  it('with a wrong byte in the newest: an older one and the journal lead to the same state', async () => {
    const whole = await makeLearner(at('two'), { lives: 3, every: 100 });
    const newest = snapshotsIn(at('two')).at(-1);
    assert.equal(snapshotsIn(at('two')).length, 2);
    const random = randomNumbers(3);
    const { size } = fs.statSync(path.join(at('two'), newest));
    for (let i = 0; i < 60; i++) {
      copy(at('two'), dir);
      const where = random.below(size);
      flip(path.join(dir, newest), where, 1 + random.below(255));
      assert.deepEqual(await stateOf(dir), whole, `byte ${where}`);
      // There is a good one again.
      const [name, before] = snapshotsIn(dir).reverse();
      assert.ok(name > newest && before, 'no snapshot was taken');
    }
  });

  it('with a wrong byte in the only one of an old learner: refused, or not needed', async () => {
    const whole = await makeLearner(at('one'), { lives: 2, every: 100 });
    const [older, newest] = snapshotsIn(at('one'));
    fs.rmSync(path.join(at('one'), older));
    // Version 0 and a whole journal could replace it.
    fs.rmSync(path.join(at('one'), journalsIn(at('one'))[0]));
    const random = randomNumbers(4);
    const { size } = fs.statSync(path.join(at('one'), newest));
    let refused = 0;
    for (let i = 0; i < 100; i++) {
      copy(at('one'), dir);
      const where = random.below(size);
      flip(path.join(dir, newest), where, 1 + random.below(255));
      try {
        // Such as in the padding between two entries of the zip file.
        assert.deepEqual(await stateOf(dir), whole, `byte ${where}`);
      } catch (error) {
        assert.equal(error.code, 'ERR_JOURNAL', `byte ${where}: ${error.stack}`);
        assert.match(error.message, /^No snapshot in .* can be used, .*snapshot-0{14}6\.pth/);
        refused++;
      }
    }
    assert.ok(refused > 50, `${refused} of 100`);
  });

  it('unreadable, the only one of a young learner: version 0 and the journal lead to the same state', async () => {
    const whole = await makeLearner(at('young'), { lives: 3, every: 4 });
    for (const damage of [(file) => fs.truncateSync(file, 100), (file) => flip(file, 60, 1)]) {
      copy(at('young'), dir);
      const [only, ...others] = snapshotsIn(dir);
      for (const name of others) fs.rmSync(path.join(dir, name));
      damage(path.join(dir, only));
      assert.deepEqual(await stateOf(dir), whole);
      assert.ok(snapshotsIn(dir).length > 0, 'no snapshot was taken');
      assert.deepEqual(await stateOf(dir), whole);
    }
  });

  it('unreadable, and a journal that does not reach back to a readable one: refused, with both', async () => {
    await makeLearner(dir, { lives: 3, every: 100 });
    const [, newest] = snapshotsIn(dir);
    const [between] = journalsIn(dir);
    fs.truncateSync(path.join(dir, newest), 100);
    flip(path.join(dir, between), 60, 1);
    const { byte, reason } = await rejectsWithByte(dir, between);
    assert.equal(byte, 24);
    assert.match(reason, /record 7 has a wrong checksum\. It is needed because of this: .*snapshot-0{13}12\.pth/);
  });

  it('without the journal after it: an incomplete header is no torn end', async () => {
    await makeLearner(dir, { lives: 2, every: 100 });
    const last = journalsIn(dir).at(-1);
    fs.truncateSync(path.join(dir, last), 20);
    assert.deepEqual(await rejectsWithByte(dir, last), { byte: 0, reason: 'its header is incomplete' });
  });

  it('make the journal before them unnecessary, whatever it holds', async () => {
    const whole = await makeLearner(dir, { lives: 3, every: 100 });
    const [older, newer] = journalsIn(dir);
    assert.ok(newer);
    flip(path.join(dir, older), 100, 1);
    assert.deepEqual(await stateOf(dir), whole);
  });

  it('all missing: replaced by version 0 and a whole journal, else refused; a new learner begins only if there are no records', async () => {
    const whole = await makeLearner(dir, { lives: 1, every: 100 });
    for (const name of snapshotsIn(dir)) fs.rmSync(path.join(dir, name));
    assert.deepEqual(await stateOf(copy(dir, at('from version 0'))), whole);
    fs.rmSync(path.join(dir, 'versions/version-000000000.pth'));
    await assert.rejects(open(dir), { code: 'ERR_JOURNAL', message: /^No snapshot in .* can be used/ });
    // As a process leaves it that ends before there is a learner: one begins.
    fs.truncateSync(path.join(dir, journalsIn(dir)[0]), 24);
    assert.equal((await stateOf(dir)).learned, 0);
    fs.rmSync(path.join(dir, snapshotsIn(dir)[0]));
    fs.truncateSync(path.join(dir, journalsIn(dir)[0]), 7);
    const learner = await open(dir);
    await learn(learner, 0, 3);
    await learner.close();
    assert.equal((await stateOf(dir)).learned, 3);
  });

  it('of other settings: a learner that resumes from older ones arrives at the current settings', async () => {
    const heldOut = arrays({ inputs: Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]), labels: [0, 1, 0], shape: [3] });
    const changes = [
      { optimizer: sgd({ learningRate: 0.5 }) },
      { optimizer: sgd({ learningRate: 0.1 }), gate: { heldOut, every: 100 } },
      { drift: undefined, gate: {} },
    ];
    const living = at('settings');
    await makeLearner(living, { lives: 1, every: 100 });
    for (const [i, change] of changes.entries()) {
      const learner = await open(living, change);
      await learn(learner, 10 * i + 10, 10 * i + 14);
      if (i < changes.length - 1) await learner.close();
      else {
        copy(living, at('settings whole'));
        await learner.close();
      }
    }
    const whole = await stateOf(copy(at('settings whole'), dir));
    assert.equal(whole.learned, 18);
    // Each time one snapshot more that cannot be read.
    const names = snapshotsIn(at('settings whole'));
    assert.ok(names.length > 1, names.join());
    for (let bad = 1; bad < names.length; bad++) {
      copy(at('settings whole'), dir);
      for (const name of names.slice(-bad)) flip(path.join(dir, name), 300, 255);
      assert.deepEqual(await stateOf(dir), whole, `${bad} of ${names.length}`);
    }
  });

  it('of other settings: a crash between their record and their snapshot does no harm', async () => {
    const living = at('announced');
    await makeLearner(living, { lives: 1, every: 100 });
    const { learned } = await stateOf(living, { optimizer: sgd({ learningRate: 0.5 }) });
    const changed = await stateOf(living);
    // The record of the settings is the last of its file; after it are a snapshot and an empty file.
    const [, last] = snapshotsIn(living).map((name) => Number(/\d+/.exec(name)[0]));
    for (const name of [...journalsIn(living), ...snapshotsIn(living)]) {
      if (Number(/\d+/.exec(name)[0]) >= last) fs.rmSync(path.join(living, name));
    }
    assert.deepEqual(await stateOf(living), changed);
    assert.equal(changed.learned, learned);
  });

  it('of other settings: a version is reproduced from records before and after them', async () => {
    const living = at('reproduced');
    const learner = await open(living, { gate: { every: 8 } });
    await learn(learner, 0, 5);
    await learner.close();
    const other = await open(living, { optimizer: sgd({ learningRate: 0.3 }) });
    await learn(other, 5, 18);
    const [, first] = other.versions();
    await other.close();
    assert.equal(first.updates, 8);
    const { version, from, records } = await reproduceVersion(living, 1, { model });
    assert.equal(version.sha256, first.sha256);
    // After the five samples and the record of the settings.
    assert.deepEqual([from, records], [6, first.records.to - 6]);
  });

  it('that are unreadable but no longer needed do not end a learner', async () => {
    await makeLearner(dir, { lives: 3, every: 6 });
    const [oldest] = snapshotsIn(dir);
    fs.truncateSync(path.join(dir, oldest), 50);
    const learner = await open(dir);
    await learn(learner, 30, 44);
    await learner.close();
    assert.equal((await stateOf(dir)).learned, 32);
  });

  it('that a killed process left half written are removed with the next one', async () => {
    await makeLearner(dir, { lives: 2, every: 100 });
    fs.writeFileSync(path.join(dir, '.snapshot-000000000000099.pth.torch-incremental-00000000-1-abc.tmp'), 'half');
    await stateOf(dir);
    assert.deepEqual(
      fs.readdirSync(dir).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('leave journals that each start after one', async () => {
    await makeLearner(dir, { lives: 3, every: 6 });
    const firsts = journalsIn(dir).map((name) => Number(/\d+/.exec(name)[0]));
    const sequences = snapshotsIn(dir).map((name) => Number(/\d+/.exec(name)[0]));
    assert.deepEqual(
      firsts,
      sequences.map((sequence) => sequence + 1),
    );
    for (const name of journalsIn(dir)) assert.ok(recordsIn(path.join(dir, name)).length > 1);
  });
});
