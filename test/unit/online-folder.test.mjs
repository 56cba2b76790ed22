// Damage to the versions and snapshots in a learner's folder, and a folder that was moved.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createState, linear, loadState, repairLearner, reproduceVersion, sequential } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { copy, journalsIn, learn, open, sample, snapshotsIn, stateOf, warningsOf } from './journal-support.mjs';

describe('versions and snapshots of a learner', () => {
  const at = temporaryFolder();
  const gate = { every: 2 };

  async function learnerIn(dir, options = {}) {
    const learner = await open(dir, { gate, ...options });
    await learn(learner, 0, 9);
    const fingerprint = await learner.fingerprint();
    await learner.close();
    return { learned: 9, updates: 9, fingerprint };
  }
  const version = (dir, number, type) => path.join(dir, 'versions', `version-00000000${number}.${type}`);

  for (const [how, damage] of [
    ['cut short', (file) => fs.truncateSync(file, 700)],
    ['missing', (file) => fs.rmSync(file)],
  ]) {
    it(`write the serving version again if its file is ${how}; repair names it, and repairs it`, async () => {
      const dir = at(how);
      const state = await learnerIn(dir);
      const file = version(dir, 4, 'pth');
      const whole = fs.readFileSync(file);
      damage(file);
      const report = await repairLearner(dir);
      assert.deepEqual(
        report.versions.map(({ version: number, file: name, serves, fate }) => ({ number, name, serves, fate })),
        [{ number: 4, name: path.basename(file), serves: true, fate: 'remade' }],
      );
      assert.equal(report.damaged, true);
      copy(dir, at('repaired'));
      await repairLearner(at('repaired'), { apply: true });
      assert.deepEqual(fs.readFileSync(version(at('repaired'), 4, 'pth')), whole);
      assert.equal((await repairLearner(at('repaired'))).damaged, false);
      assert.deepEqual(await stateOf(at('repaired'), { gate }), state);
      assert.deepEqual(await warningsOf(async () => assert.deepEqual(await stateOf(dir, { gate }), state)), [
        'WARN_VERSION_REMADE',
      ]);
      assert.deepEqual(fs.readFileSync(file), whole);
    });
  }

  it('that cannot be reproduced, but serves, keep the learner from opening until it is repaired', async () => {
    const dir = at('lost');
    const options = { journal: { maxBytes: 2 ** 20 } };
    await learnerIn(dir, options);
    for (const name of snapshotsIn(dir).slice(0, -1)) fs.rmSync(path.join(dir, name));
    for (const name of journalsIn(dir).slice(0, -1)) fs.rmSync(path.join(dir, name));
    fs.rmSync(version(dir, 4, 'pth'));
    await assert.rejects(open(dir, { gate }), { code: 'ERR_JOURNAL', message: /Version 4 cannot be loaded/ });
    const report = await repairLearner(dir);
    assert.deepEqual(
      report.versions.map(({ version: number, fate }) => [number, fate]),
      [[4, 'lost']],
    );
    await repairLearner(dir, { apply: true });
    // Version 3 serves under the number of the lost one.
    const at3 = await loadState(version(dir, 3, 'pth'));
    assert.ok((await loadState(version(dir, 4, 'pth'))).equals(at3));
    assert.equal((await repairLearner(dir)).damaged, false);
    const learner = await open(dir, { gate });
    assert.equal(learner.metrics().version, 4);
    assert.equal(learner.metrics().learned, 9);
    assert.equal((await learner.learn(sample(0))).duplicates, 1);
    await learn(learner, 9, 12);
    await learner.close();
  });

  it('are named and described again if their manifest is damaged', async () => {
    const dir = at('manifest');
    const state = await learnerIn(dir);
    const manifest = version(dir, 3, 'json');
    const { settings, ...whole } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
    assert.ok(settings);
    fs.truncateSync(manifest, 20);
    await assert.rejects(reproduceVersion(dir, 3), {
      code: 'ERR_FILE',
      message: /version-000000003\.json is not the manifest/,
    });
    assert.deepEqual(
      (await repairLearner(dir)).versions.map(({ file }) => file),
      ['version-000000003.json'],
    );
    assert.deepEqual(await stateOf(dir, { gate }), state);
    assert.deepEqual(JSON.parse(fs.readFileSync(manifest, 'utf8')), whole);
  });

  it('include two good snapshots even if the newest was damaged, with a warning', async () => {
    const dir = at('two');
    for (let life = 0; life < 3; life++) {
      const learner = await open(dir, { keepVersions: 1, gate: { every: 1 } });
      await learn(learner, life * 2, life * 2 + 2);
      await learner.close();
    }
    const newest = snapshotsIn(dir).at(-1);
    fs.writeFileSync(path.join(dir, newest), 'damaged');
    const warnings = await warningsOf(async () => assert.equal((await stateOf(dir)).learned, 6));
    assert.deepEqual(warnings, ['WARN_SNAPSHOT_UNUSABLE']);
    const lost = fs.readdirSync(dir).filter((name) => name.startsWith('lost-'));
    assert.deepEqual(fs.readdirSync(path.join(dir, lost[0])), [newest]);
    for (const name of snapshotsIn(dir)) {
      const alone = copy(dir, at('alone'));
      for (const other of snapshotsIn(alone))
        if (other !== name) fs.writeFileSync(path.join(alone, other), 'damaged too');
      assert.equal((await stateOf(alone)).learned, 6);
    }
  });

  it('include two snapshots even if each is larger than half of journal.maxBytes', async () => {
    const wide = sequential({ a: linear(3, 40_000), b: linear(40_000, 2) }, { input: [3] });
    const options = { model: wide, checkpoint: await createState(wide), journal: { maxBytes: 2 ** 20 } };
    for (let life = 0; life < 3; life++) {
      const learner = await open(at('large'), options);
      await learn(learner, life, life + 1);
      await learner.close();
    }
    assert.equal(snapshotsIn(at('large')).length, 2);
  });
});

describe("the path of a learner's folder", () => {
  const at = temporaryFolder();

  it('is checked before anything is acknowledged with sync always, since the folder may be deleted or moved', async () => {
    for (const [how, act] of [
      ['deleted', (dir) => fs.rmSync(dir, { recursive: true })],
      ['moved', (dir) => fs.renameSync(dir, `${dir} elsewhere`)],
    ]) {
      const dir = at(how);
      const learner = await open(dir, { journal: { sync: 'always' }, feedback: false });
      await learn(learner, 0, 2);
      act(dir);
      await assert.rejects(learner.learn(sample(2)), { code: 'ERR_JOURNAL', message: /it was moved or deleted/ });
      await assert.rejects(learner.close(), { code: 'ERR_JOURNAL' });
      assert.equal(fs.existsSync(dir), false);
    }
    assert.ok((await stateOf(at('moved elsewhere'))).learned >= 2);
  });

  it('is left alone if it leads to another learner now', async () => {
    const dir = at('learner');
    const first = await open(dir, { seed: 1, feedback: false });
    await learn(first, 0, 6);
    fs.renameSync(dir, at('renamed'));
    const second = await open(dir, { seed: 2, feedback: false });
    await learn(second, 10, 13);
    const fingerprint = await second.fingerprint();
    const before = fs.readdirSync(dir);
    await assert.rejects(first.close(), { code: 'ERR_JOURNAL' });
    assert.deepEqual(fs.readdirSync(dir), before);
    await second.close();
    assert.deepEqual(await stateOf(dir), { learned: 3, updates: 3, fingerprint });
  });

  it('holds no links: they are refused, and nothing is written through them', async () => {
    const names = ['lock', 'quarantine.ndjson', 'pending.json', 'pending-000000001.log', 'joined-000000001.log'];
    names.push('journal-000000000000001.log', 'snapshot-000000000000000.pth', 'versions/version-000000000.pth');
    names.push(`constant-${'0'.repeat(64)}.bin`);
    for (const [index, name] of names.entries()) {
      const dir = at(`links ${index}`);
      fs.mkdirSync(path.join(dir, 'versions'), { recursive: true });
      fs.writeFileSync(at('victim'), 'precious');
      fs.symlinkSync(at('victim'), path.join(dir, name));
      await assert.rejects(open(dir), { name: 'LearnError', code: 'ERR_FILE' }, name);
      assert.equal(fs.readFileSync(at('victim'), 'utf8'), 'precious', name);
    }
  });
});
