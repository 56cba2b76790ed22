// Repairs never give a version's number to another, lose undamaged files, or leave a folder that does not open.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { arrays, loadState, repairLearner, sgd } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { contents, copy, journalsIn, learn, open, sample, snapshotsIn, stateOf } from './journal-support.mjs';

describe('a repaired learner', () => {
  const at = temporaryFolder();
  const options = { gate: { every: 2 } };
  const version = (dir, number, type = 'pth') => path.join(dir, 'versions', `version-00000000${number}.${type}`);

  /** A young learner, killed: the one snapshot, and all of its journal. */
  async function killed(name, act = async () => {}) {
    const learner = await open(at(`${name} living`), options);
    await learn(learner, 0, 6);
    await act(learner);
    const fingerprint = await learner.fingerprint();
    copy(at(`${name} living`), at(name));
    await learner.close();
    return { dir: at(name), fingerprint };
  }

  it('whose one snapshot was damaged opens from version 0, and again after that', async () => {
    const { dir, fingerprint } = await killed('young');
    fs.truncateSync(path.join(dir, snapshotsIn(dir)[0]), 9);
    const report = await repairLearner(dir, { apply: true });
    assert.deepEqual(report.snapshot, { file: '', record: 0 });
    for (let i = 0; i < 2; i++) assert.equal((await stateOf(dir, options)).fingerprint, fingerprint);
  });

  it('whose one snapshot is missing opens from version 0, also with a version that is damaged', async () => {
    const { dir, fingerprint } = await killed('missing');
    const whole = fs.readFileSync(version(dir, 1));
    fs.rmSync(path.join(dir, snapshotsIn(dir)[0]));
    fs.truncateSync(version(dir, 1), 9);
    const report = await repairLearner(dir, { apply: true });
    assert.deepEqual(
      report.versions.map((one) => [one.version, one.fate]),
      [[1, 'remade']],
    );
    assert.deepEqual(fs.readFileSync(version(dir, 1)), whole);
    assert.equal((await stateOf(dir, options)).fingerprint, fingerprint);
  });

  it('in which the serving version of its snapshot was lost keeps the numbers and files of all others', async () => {
    const { dir } = await killed('first', async (learner) => {
      await learner.rollback(1);
      await learn(learner, 6, 10);
    });
    const before = contents(dir);
    fs.rmSync(version(dir, 0));
    await assert.rejects(open(dir, options), { code: 'ERR_JOURNAL', message: /Version 0 cannot be loaded/ });
    const report = await repairLearner(dir, { apply: true });
    assert.deepEqual(
      report.versions.map((one) => [one.version, one.serves, one.fate]),
      [[0, true, 'lost']],
    );
    assert.equal(report.journal, null);
    for (const number of [1, 2, 3]) {
      const name = `versions/version-00000000${number}.pth`;
      assert.equal(contents(dir)[name], before[name], name);
    }
    assert.equal((await stateOf(dir, options)).learned, 10);
  });

  it('in which a version was lost gives its number to no other, and rolls back to the intended version', async () => {
    const dir = at('lost');
    const learner = await open(dir, options);
    await learn(learner, 0, 6);
    await learner.close();
    for (const name of snapshotsIn(dir).slice(0, -1)) fs.rmSync(path.join(dir, name));
    for (const name of journalsIn(dir).slice(0, -1)) fs.rmSync(path.join(dir, name));
    const again = await open(dir, options);
    await learn(again, 6, 8);
    await again.rollback(2);
    await learn(again, 8, 9);
    const { learned } = again.metrics();
    copy(dir, at('lost, killed'));
    await again.close();
    const broken = at('lost, killed');
    fs.rmSync(version(broken, 3));
    const report = await repairLearner(broken, { apply: true });
    assert.equal(report.journal, null);
    const mended = await open(broken, options);
    assert.equal(mended.metrics().learned, learned);
    assert.deepEqual(
      mended.versions().map((one) => one.version),
      [0, 1, 2, 3, 4],
    );
    await learn(mended, 9, 13);
    assert.equal(mended.versions().at(-1).version, 6);
    await mended.close();
    const state = await loadState(version(broken, 2));
    assert.ok((await loadState(version(dir, 2))).equals(state));
  });

  it('has version 0 described without the current settings, which would make the replay wrong', async () => {
    const { dir, fingerprint } = await killed('settings');
    fs.rmSync(version(dir, 0, 'json'));
    await (await open(dir, { ...options, optimizer: sgd({ learningRate: 0.5 }) })).close();
    assert.equal(JSON.parse(fs.readFileSync(version(dir, 0, 'json'), 'utf8')).settings, undefined);
    copy(at('settings living'), dir);
    assert.equal((await stateOf(dir, options)).fingerprint, fingerprint);
  });
});

describe('a learner that is closed while it works', () => {
  const at = temporaryFolder();

  it('ends learnFrom(), and its snapshot is what its journal leads to', async () => {
    const inputs = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
    const labels = Array.from({ length: 20 }, (_, i) => i % 2);
    const data = arrays({ inputs, labels, shape: [3] });
    for (let trial = 0; trial < 20; trial++) {
      const dir = at(`${trial}`);
      const learner = await open(dir);
      await learn(learner, 0, 2);
      const learning = learner.learnFrom(data, { rounds: 50, sampleSize: 20 }).then(
        () => 'done',
        ({ code }) => code,
      );
      for (let turn = 0; turn < trial; turn++) await new Promise(setImmediate);
      await learner.close();
      assert.match(await learning, /^(done|ERR_DISPOSED)$/);
      const { fingerprint } = await stateOf(copy(dir, at('closed')));
      const replayed = copy(dir, at('replayed'));
      for (const name of snapshotsIn(replayed).slice(1)) fs.rmSync(path.join(replayed, name));
      for (const name of journalsIn(replayed).slice(-1)) fs.rmSync(path.join(replayed, name));
      assert.equal((await stateOf(replayed)).fingerprint, fingerprint, `trial ${trial}`);
    }
  });

  it('leaves the folder of another learner alone, even if only its snapshot is to be written', async () => {
    const dir = at('path');
    await (await open(dir, { seed: 1 })).close();
    const idle = await open(dir, { seed: 1, feedback: false });
    fs.renameSync(dir, at('elsewhere'));
    const other = await open(dir, { seed: 2, feedback: false });
    await other.learn(sample(1));
    const before = contents(dir);
    await assert.rejects(idle.close(), { code: 'ERR_JOURNAL' });
    assert.deepEqual(contents(dir), before);
    await other.close();
    assert.equal((await stateOf(dir)).learned, 1);
  });
});
