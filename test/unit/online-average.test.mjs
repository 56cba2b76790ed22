// A learner that averages its weights: the average serves and is in versions, snapshots and journal; the weights themselves learn on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { adamW, ema, loadState, repairLearner, reproduceVersion, sgd, swa } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { copy, journalsIn, learn, open, sample, snapshotsIn } from './journal-support.mjs';

const optimizer = sgd({ learningRate: 0.05 });

describe('a learner with an average of its weights', () => {
  const at = temporaryFolder();
  const learnerIn = (name, more) => open(at(name), { optimizer, average: ema({ decay: 0.9 }), ...more });
  const saved = async (learner, name) => {
    await learner.save(at(name));
    return loadState(at(name));
  };

  it('serves the average as swa_utils computes it, over the weights of a learner without one', async () => {
    const [averaged, raw] = await Promise.all([learnerIn('averaged'), open(at('raw'), { optimizer })]);
    let expected;
    for (let i = 0; i < 12; i++) {
      await learn(averaged, i, i + 1);
      await learn(raw, i, i + 1);
      const weights = await saved(raw, 'raw.pth');
      const now = Object.fromEntries(weights.names.map((name) => [name, weights.tensor(name).data]));
      // lerp: a + (1 - decay) (w - a), in float32.
      const step = (a, w) => Math.fround(a + Math.fround(Math.fround(1 - 0.9) * Math.fround(w - a)));
      expected = expected
        ? Object.fromEntries(weights.names.map((name) => [name, expected[name].map((a, k) => step(a, now[name][k]))]))
        : now;
      const served = await saved(averaged, 'averaged.pth');
      for (const name of served.names) {
        for (const [k, value] of served.tensor(name).data.entries()) {
          assert.ok(Math.abs(value - expected[name][k]) < 1e-6, `${name} after ${i + 1} updates`);
        }
      }
    }
    await Promise.all([averaged.close(), raw.close()]);
  });

  for (const score of ['live', 'served']) {
    it(`resumes to the same bits from snapshots and from the journal, scored by the ${score} weights`, async () => {
      const more = { optimizer: adamW({ learningRate: 0.01 }), gate: { every: 4 }, score };
      const whole = await learnerIn(`whole ${score}`, more);
      await learn(whole, 0, 30);
      const expected = { print: await whole.fingerprint(), prequential: whole.metrics().prequential };
      const killed = await learnerIn(`killed ${score}`, more);
      await learn(killed, 0, 11);
      copy(at(`killed ${score}`), at(`copy ${score}`));
      await killed.close();
      const first = await open(at(`copy ${score}`));
      await learn(first, 11, 19);
      await first.close();
      const second = await open(at(`copy ${score}`));
      await learn(second, 19, 30);
      assert.deepEqual({ print: await second.fingerprint(), prequential: second.metrics().prequential }, expected);
      const { version } = second.versions().at(-1);
      await Promise.all([whole.close(), second.close()]);
      assert.equal((await reproduceVersion(at(`copy ${score}`), version)).version.version, version);
    });
  }

  it('goes back to a version and averages from there', async () => {
    const learner = await learnerIn('back', { gate: { every: 5 } });
    await learn(learner, 0, 12);
    await learner.rollback(1);
    const version = await loadState(path.join(at('back'), 'versions/version-000000001.pth'));
    assert.ok((await saved(learner, 'back.pth')).equals(version));
    // The average begins as the weights after the first update.
    const plain = await open(at('from there'), { optimizer, checkpoint: version });
    await learner.learn({ ...sample(20) });
    await plain.learn({ ...sample(20) });
    assert.ok((await saved(learner, 'one.pth')).equals(await saved(plain, 'plain.pth')));
    await Promise.all([learner.close(), plain.close()]);
  });

  it('has the state dict of AveragedModel in its snapshot, beside the weights that learn', async () => {
    const learner = await learnerIn('snapshot');
    await learn(learner, 0, 5);
    const served = await saved(learner, 'served.pth');
    await learner.close();
    const file = path.join(at('snapshot'), snapshotsIn(at('snapshot')).at(-1));
    const state = await loadState(file, { key: 'model' });
    const average = state.metadata.get('average');
    assert.deepEqual([...average.keys()], ['n_averaged', ...served.names.map((name) => `module.${name}`)]);
    assert.equal(Number(average.get('n_averaged').data[0]), 5);
    for (const name of served.names) {
      assert.deepEqual([...average.get(`module.${name}`).data], [...served.tensor(name).data]);
      assert.notDeepEqual([...state.tensor(name).data], [...served.tensor(name).data]);
    }
  });

  it('is what a repair puts in the place of a version that is lost', async () => {
    const learner = await learnerIn('lost', { gate: { every: 5 }, journal: { maxBytes: 2 ** 20 } });
    await learn(learner, 0, 7);
    const served = await saved(learner, 'before.pth');
    await learner.close();
    for (const name of snapshotsIn(at('lost')).slice(0, -1)) fs.rmSync(path.join(at('lost'), name));
    for (const name of journalsIn(at('lost')).slice(0, -1)) fs.rmSync(path.join(at('lost'), name));
    for (const name of fs.readdirSync(at('lost/versions'))) {
      if (name.endsWith('.pth')) fs.rmSync(path.join(at('lost/versions'), name));
    }
    await repairLearner(at('lost'), { apply: true });
    assert.ok((await loadState(path.join(at('lost'), 'versions/version-000000001.pth'))).equals(served));
  });

  it('keeps its kind: another average, or none before, is refused, and another decay is taken', async () => {
    await (await learnerIn('kept')).close();
    await (await learnerIn('kept', { average: ema({ decay: 0.5 }) })).close();
    await (await open(at('none'))).close();
    await assert.rejects(learnerIn('none'), {
      code: 'ERR_INVALID_OPTION',
      message: /Expected the average that the learner began with, none, but received ema\(\).*Nothing was changed/,
    });
    await assert.rejects(learnerIn('epochs', { average: swa() }), {
      code: 'ERR_INVALID_OPTION',
      message: /ema\(\), for "average" but received swa\(\), which averages epochs: a stream has none/,
    });
    assert.ok(!fs.existsSync(at('epochs')));
  });
});
