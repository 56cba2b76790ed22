// A rollback that cannot be made rejects, and is not recorded in the journal.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { repairLearner } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { learn, open, sample, stateOf } from './journal-support.mjs';

describe('a rollback that cannot be made', () => {
  const at = temporaryFolder();

  it('to a version that earlier batches make the learner forget rejects, and the learner continues', async () => {
    const options = { keepVersions: 2, gate: { every: 1 } };
    const learner = await open(at('race'), options);
    await learn(learner, 0, 3);
    const oldest = learner.versions()[0].version;
    // Nothing is being learned, so that the next call begins a batch at once.
    await new Promise(setImmediate);
    const learned = [3, 4, 5, 6].map((number) => learner.learn(sample(number)));
    await assert.rejects(learner.rollback(oldest), {
      code: 'ERR_INVALID_OPTION',
      message: /^Expected one of the versions \d, \d for "version" but received number \(2\)/,
    });
    await Promise.all(learned);
    await learn(learner, 7, 9);
    assert.equal((await learner.rollback()).version, 8);
    const fingerprint = await learner.fingerprint();
    await learner.close();
    assert.equal((await repairLearner(at('race'))).damaged, false);
    assert.deepEqual(await stateOf(at('race'), options), { learned: 9, updates: 9, fingerprint });
  });

  const damages = [
    ['is cut short', (file) => fs.truncateSync(file, 900)],
    ['is missing', (file) => fs.rmSync(file)],
  ];
  for (const [how, damage] of damages) {
    it(`to version 0, whose file ${how}, rejects naming the file, and the learner continues`, async () => {
      const dir = at(how);
      const options = { gate: { every: 1 } };
      const learner = await open(dir, options);
      await learn(learner, 0, 4);
      damage(`${dir}/versions/version-000000000.pth`);
      await assert.rejects(learner.rollback(0), { name: 'LearnError', message: /version-000000000\.pth/ });
      assert.equal(learner.metrics().version, 4);
      await learn(learner, 4, 6);
      const fingerprint = await learner.fingerprint();
      await learner.close();
      assert.deepEqual(await stateOf(dir, options), { learned: 6, updates: 6, fingerprint });
    });

    it(`to a version whose file ${how} reproduces it if the journal leads there, with the same bits`, async () => {
      const dir = at(`${how}, again`);
      const options = { gate: { every: 1 } };
      const learner = await open(dir, options);
      await learn(learner, 0, 4);
      const before = fs.readFileSync(`${dir}/versions/version-000000002.pth`);
      damage(`${dir}/versions/version-000000002.pth`);
      assert.equal((await learner.rollback(2)).version, 2);
      assert.deepEqual(fs.readFileSync(`${dir}/versions/version-000000002.pth`), before);
      await learner.close();
    });
  }

  it('to something that is not a version number rejects at once', async () => {
    const learner = await open(at('wrong'));
    for (const version of ['1', -1, 0.5, NaN, null, {}]) {
      await assert.rejects(learner.rollback(version), { code: 'ERR_INVALID_OPTION' });
    }
    await learn(learner, 0, 1);
    await learner.close();
  });
});
