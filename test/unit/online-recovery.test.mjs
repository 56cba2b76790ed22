// A learner opened with other options, and one whose last batch cannot be computed: it opens with nothing lost, or stays as it is.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { adwin, createState, ddm, linear, normalize, relu, repairLearner, sequential, sgd } from 'torch-incremental';
import { native } from '../../dist/native/native.js';
import { temporaryFolder } from '../support.mjs';
import {
  contents,
  copy,
  journalsIn,
  learn,
  open,
  recordsIn,
  sample,
  snapshotsIn,
  stateOf,
  warningsOf,
} from './journal-support.mjs';

async function settingsOf(dir) {
  const learner = await open(dir, { model: undefined });
  await learner.close();
  const { loadPart } = await import('../../dist/state/load.js');
  const state = await loadPart(path.join(dir, snapshotsIn(dir).at(-1)), { key: ['model'] });
  return JSON.parse(state.metadata.get('learner')).settings;
}

describe('a learner opened with other options', () => {
  const at = temporaryFolder();
  const dir = at('learner');
  const first = { replay: { capacity: 30 } };

  async function begin(options = first, count = 6) {
    fs.rmSync(dir, { recursive: true, force: true });
    const learner = await open(dir, options);
    await learn(learner, 0, count);
    await learner.close();
  }

  const mistaken = {
    shape: { shape: [1, 3] },
    inputs: { inputs: 'uint8' },
    transforms: { transforms: [normalize([0.5], [0.5])] },
    replay: { replay: { capacity: 1e15 } },
    model: { model: sequential({ out: linear(3, 4) }, { input: [3] }) },
  };
  for (const [name, options] of Object.entries(mistaken)) {
    it(`refuses a mistaken ${name} by its name, and leaves the folder as it was`, async () => {
      await begin();
      const before = contents(dir);
      await assert.rejects(open(dir, options), ({ name: kind, message }) => {
        assert.equal(kind, 'LearnError');
        assert.match(message, new RegExp(`cannot be opened with another "${name}"`));
        return true;
      });
      assert.deepEqual(contents(dir), before);
      assert.equal((await stateOf(dir, first)).learned, 6);
    });
  }

  it('keeps a part of a replay buffer that becomes smaller, and learns on', async () => {
    for (const capacity of [4, 0]) {
      await begin();
      const learner = await open(dir, { replay: { capacity } });
      await learn(learner, 6, 9);
      const fingerprint = await learner.fingerprint();
      await learner.close();
      assert.deepEqual(await stateOf(dir), { learned: 9, updates: 9, fingerprint });
    }
  });

  it('reaches the same state after a kill that follows the change, from any snapshot', async () => {
    await begin();
    const learner = await open(dir, { replay: { capacity: 3 }, optimizer: sgd({ learningRate: 0.01, momentum: 0 }) });
    await learn(learner, 6, 10);
    const fingerprint = await learner.fingerprint();
    copy(dir, at('killed'));
    await learner.close();
    assert.equal((await stateOf(copy(at('killed'), at('again')))).fingerprint, fingerprint);
    // From the snapshot before the change.
    const killed = copy(at('killed'), at('again'));
    assert.ok(snapshotsIn(killed).length > 1);
    for (const name of snapshotsIn(killed).slice(1)) fs.truncateSync(path.join(killed, name), 50);
    assert.deepEqual(
      await warningsOf(async () => {
        assert.equal((await stateOf(killed)).fingerprint, fingerprint);
      }),
      ['WARN_SNAPSHOT_UNUSABLE'],
    );
  });

  it('merges groups of options into the recorded ones', async () => {
    const replay = { capacity: 30, policy: 'classBalanced', perUpdate: 3 };
    const gate = { every: 5, maxDrop: 0.3, perClassMaxDrop: 0.5, onRefused: 'continue' };
    await begin({ batchSize: 8, replay, gate, drift: { detector: adwin(), onDrift: 'rollback' } });
    const options = { gate: { every: 6 }, replay: { capacity: 20 }, drift: { detector: ddm() }, batchSize: 4 };
    await (await open(dir, options)).close();
    const settings = await settingsOf(dir);
    assert.deepEqual(settings.replay, { ...replay, capacity: 20 });
    assert.deepEqual(settings.gate, { ...gate, every: 6 });
    assert.deepEqual(settings.drift, { detector: ddm(), onDrift: 'rollback', cooldown: 1000 });
    await begin({ batchSize: 8 });
    await (await open(dir, { batchSize: undefined, replay: { capacity: 5 } })).close();
    assert.equal((await settingsOf(dir)).replay.perUpdate, 8);
    await begin({});
    await assert.rejects(open(dir, { drift: { onDrift: 'rollback' } }), {
      code: 'ERR_INVALID_OPTION',
      message: /drift\.detector/,
    });
  });

  it('replays with the recorded model, whatever model is passed', async () => {
    const shapes = (extra) => sequential({ hidden: linear(3, 3), ...extra, out: linear(3, 2) }, { input: [3] });
    const [with_, without] = [shapes({ relu: relu() }), shapes({})];
    const begun = { model: with_, checkpoint: await createState(with_, { seed: 1 }) };
    fs.rmSync(dir, { recursive: true, force: true });
    const learner = await open(dir, begun);
    await learn(learner, 0, 5);
    const fingerprint = await learner.fingerprint();
    copy(dir, at('other model'));
    await learner.close();
    // The models have the same tensors: only what they compute differs.
    for (const options of [{ model: without }, { model: undefined }]) {
      const other = await open(copy(at('other model'), at('replayed')), options);
      assert.equal(await other.fingerprint(), fingerprint);
      await other.close();
    }
    const again = await open(at('replayed'), { model: without });
    const { logits } = await again.predict(Float32Array.of(-3, 2, -1));
    await again.close();
    const kept = await open(at('replayed'), { model: undefined });
    assert.deepEqual((await kept.predict(Float32Array.of(-3, 2, -1))).logits, logits);
    await kept.close();
  });
});

describe('a batch that cannot be computed', () => {
  const at = temporaryFolder();
  let restore = () => {};
  afterEach(() => restore());

  /** Lets the next update fail, as where there is no memory for it. */
  function failNextUpdate() {
    const addon = native();
    const { learnerUpdate } = addon;
    restore = () =>
      Object.defineProperty(addon, 'learnerUpdate', { value: learnerUpdate, writable: true, configurable: true });
    const failing = () => {
      restore();
      const error = Object.assign(new Error('Out of memory'), { code: 'ERR_OUT_OF_MEMORY' });
      return Promise.reject(error);
    };
    Object.defineProperty(addon, 'learnerUpdate', { value: failing, writable: true, configurable: true });
  }

  for (const sync of ['always', { everyMs: 1 }]) {
    it(`is removed from the journal, and the learner opens without it (sync ${JSON.stringify(sync)})`, async () => {
      const dir = at(`back ${typeof sync}`);
      const learner = await open(dir, { journal: { sync } });
      await learn(learner, 0, 3);
      const [name] = journalsIn(dir);
      const records = recordsIn(path.join(dir, name)).length;
      const { fingerprint } = learner;
      const before = await fingerprint.call(learner);
      failNextUpdate();
      await assert.rejects(learner.learn(sample(3)), { code: 'ERR_OUT_OF_MEMORY' });
      assert.equal(recordsIn(path.join(dir, name)).length, records);
      await assert.rejects(learner.learn(sample(4)), { code: 'ERR_OUT_OF_MEMORY' });
      await assert.rejects(learner.close(), { code: 'ERR_OUT_OF_MEMORY' });
      assert.deepEqual(await stateOf(dir), { learned: 3, updates: 3, fingerprint: before });
    });
  }

  it('for want of memory at open() leaves the folder as it is, and a repair can give it up', async () => {
    const dir = at('open');
    const learner = await open(dir);
    await learn(learner, 0, 3);
    copy(dir, at('killed'));
    await learner.close();
    const killed = at('killed');
    const before = contents(killed);
    failNextUpdate();
    await assert.rejects(open(killed), {
      code: 'ERR_OUT_OF_MEMORY',
      message: /^Record 1 of the journal, .* --from 1$/,
    });
    assert.deepEqual(contents(killed), before);
    assert.equal((await stateOf(copy(killed, at('opened')))).learned, 3);
    const report = await repairLearner(killed, { from: 2, apply: true });
    assert.equal(report.journal.firstRecord, 2);
    assert.equal(report.journal.samples, 2);
    assert.equal((await stateOf(killed)).learned, 1);
  });
});
