// The folder of a learner of an exported model: everything works from it alone, and large constants are in it once.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { loadState, OnlineLearner, repairLearner, reproduceVersion } from 'torch-incremental';
import { node, ref } from '../pt2/descriptions.mjs';
import { temporaryFolder } from '../support.mjs';
import { exported, learn, length, openLearner, reader, sentences, weights } from './exported-support.mjs';
import { copy, damageFirstJournal, journalsIn, snapshotsIn } from './journal-support.mjs';

const base64 = (bytes) => Buffer.alloc(bytes, 3).toString('base64');

describe('the folder of a learner of an exported model', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let model;
  const open = (dir, options = {}) => openLearner(dir, { model, ...options });

  before(async () => {
    model = await exported(at('reader.pt2'));
  });

  describe('which has the model', () => {
    const [whole, dir] = [at('whole'), at('copy')];
    let expected;

    const facts = async (learner) => [
      await learner.fingerprint(),
      (await learner.predict(sentences(9, 2).inputs)).logits,
    ];
    before(async () => {
      const learner = await open(whole, { gate: { every: 3 }, replay: { capacity: 8 }, batchSize: 4 });
      await learn(learner, 0, 8);
      expected = await facts(learner);
      await learner.close();
    });
    beforeEach(() => copy(whole, dir));
    const reopened = async (options = {}) => {
      const learner = await OnlineLearner.open({ dir, maxDelayMs: 0, ...options });
      const found = await facts(learner);
      await learner.close();
      return found;
    };

    it('opens again without it, and with it changes nothing', async () => {
      assert.deepEqual(await reopened(), expected);
      const files = journalsIn(dir);
      assert.deepEqual(await reopened({ model: await exported(at('again.pt2')) }), expected);
      assert.deepEqual(journalsIn(dir), files, 'a record of settings would begin another file');
    });

    it('resumes from version 0 and its journal when all snapshots are lost', async () => {
      for (const name of snapshotsIn(dir)) fs.rmSync(path.join(dir, name));
      for (const name of journalsIn(dir).slice(1)) fs.rmSync(path.join(dir, name));
      assert.deepEqual(await reopened(), expected);
    });

    it('has its versions reproduced, and made again where their files are lost', async () => {
      assert.equal((await reproduceVersion(dir, 2)).version.version, 2);
      fs.rmSync(path.join(dir, 'versions', 'version-000000001.pth'));
      const learner = await OnlineLearner.open({ dir });
      assert.equal((await learner.rollback(1)).version, 1);
      await learner.close();
    });

    it('is repaired, its journal replayed', async () => {
      damageFirstJournal(dir, 5);
      const report = await repairLearner(dir, { apply: true });
      assert.deepEqual([report.replayed, report.journal.firstRecord], [true, 5]);
      const learner = await OnlineLearner.open({ dir });
      assert.ok(learner.metrics().learned < 32);
      await learner.close();
    });

    it('saves the weights that serve by the names of the state dict', async () => {
      const learner = await OnlineLearner.open({ dir });
      await learner.save(at('saved.pth'));
      await learner.close();
      const saved = await loadState(at('saved.pth'));
      assert.deepEqual(
        saved.tensors.map(({ name, shape }) => [name, shape]),
        weights().tensors.map(({ name, shape }) => [name, shape]),
      );
    });
  });

  describe('with a constant of a megabyte', () => {
    const [whole, dir] = [at('large'), at('large copy')];
    let expected;

    before(async () => {
      const { tensors, nodes } = reader();
      const description = reader({
        tensors: { ...tensors, table: { role: 'buffer', shape: [2 ** 18], persistent: false } },
        nodes: [
          ...nodes.slice(0, -3),
          node('torch.ops.aten.sum.default', { self: ref('b_table') }, 'total'),
          node('torch.ops.aten.add.Tensor', { self: ref('sum_1'), other: ref('total') }, 'pooled'),
          ...nodes.slice(-2),
        ],
      });
      const large = await exported(at('large.pt2'), description);
      const learner = await open(whole, { model: large, gate: { every: 3 } });
      await learn(learner, 0, 4);
      expected = await learner.fingerprint();
      await learner.close();
    });
    beforeEach(() => copy(whole, dir));

    it('writes that once, and not with each snapshot and each version', () => {
      const sizes = (folder) => fs.readdirSync(folder).map((name) => [name, fs.statSync(path.join(folder, name)).size]);
      const heavy = [...sizes(dir), ...sizes(path.join(dir, 'versions'))].filter(([, size]) => size > 100_000);
      assert.equal(snapshotsIn(dir).length, 2);
      assert.deepEqual(
        heavy.map(([name, size]) => [name.replace(/[0-9a-f]{64}/, 'SHA-256'), size]),
        [['constant-SHA-256.bin', 2 ** 20]],
      );
    });

    it('opens again from the folder alone, also from version 0', async () => {
      for (let isYoung = false; ; isYoung = true) {
        const learner = await OnlineLearner.open({ dir });
        assert.equal(await learner.fingerprint(), expected);
        await learner.close();
        if (isYoung) break;
        copy(whole, dir);
        for (const name of snapshotsIn(dir)) fs.rmSync(path.join(dir, name));
        for (const name of journalsIn(dir).slice(1)) fs.rmSync(path.join(dir, name));
      }
    });

    it('records another model with a constant of its own', async () => {
      const changed = await exported(at('changed.pt2'), reader());
      const other = { ...changed.program.constants[0], name: 'unused', shape: [2 ** 17], data: base64(2 ** 19) };
      const program = { ...changed.program, constants: [...changed.program.constants, other] };
      await (await OnlineLearner.open({ dir, model: { ...changed, program } })).close();
      assert.equal(fs.readdirSync(dir).filter((name) => /^constant-/.test(name)).length, 2);
      const learner = await OnlineLearner.open({ dir });
      assert.deepEqual(learner.sample.inputs[0].shape, [length]);
      await learner.close();
    });

    it('is refused without that file, or with another content, and its folder stays as it is', async () => {
      const name = fs.readdirSync(dir).find((one) => /^constant-/.test(one));
      const file = path.join(dir, name);
      fs.writeFileSync(file, fs.readFileSync(file).fill(1, 0, 1));
      await assert.rejects(OnlineLearner.open({ dir }), { code: 'ERR_JOURNAL', message: /its SHA-256 is another/ });
      fs.rmSync(file);
      const before = fs.readdirSync(dir);
      await assert.rejects(OnlineLearner.open({ dir }), { code: 'ERR_JOURNAL', message: /Cannot read .*constant-/ });
      assert.deepEqual(fs.readdirSync(dir), before);
      fs.copyFileSync(path.join(whole, name), file);
      const learner = await OnlineLearner.open({ dir });
      assert.equal(await learner.fingerprint(), expected);
      await learner.close();
    });
  });

  it('has a model of thousands of calls too, whose text no pickle may hold', async () => {
    const dir = at('long');
    const { program } = model;
    const place = `the module "${'layer.'.repeat(30)}", line 1 of model`;
    const alias = (i) => ({
      ...{ op: 'aten::alias', overload: '', args: { self: { value: 'logits' } }, outputs: [`y${i}`], place },
    });
    const nodes = [...program.nodes, ...Array.from({ length: 4000 }, (_, i) => alias(i))];
    const long = { ...model, program: { ...program, nodes } };
    const learner = await open(dir, { model: long });
    await learn(learner, 0, 3);
    const expected = await learner.fingerprint();
    await learner.close();
    for (const isRepaired of [false, true]) {
      if (isRepaired) assert.equal((await repairLearner(dir)).replayed, true);
      const again = await OnlineLearner.open({ dir });
      assert.equal(await again.fingerprint(), expected);
      await again.close();
    }
  });
});
