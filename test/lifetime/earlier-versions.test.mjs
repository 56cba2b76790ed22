// Folders and checkpoints of an earlier version resume as with that version, bit for bit; and folders that it could not open again can
// be opened. fixtures/earlier/write.mjs wrote them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, repairLearner, sgd } from 'torch-incremental';
import { needsPrlimit, root, temporaryFolder } from '../support.mjs';
import { contents } from '../unit/journal-support.mjs';
import { machine, snapshotBits } from './fixtures/earlier/bits.mjs';
import { batchOf, lives, model, open } from './fixtures/earlier/learner.mjs';
import { continued, resumed } from './fixtures/earlier/training.mjs';

const earlier = path.join(root, 'test/lifetime/fixtures/earlier');
const recorded = (name) => JSON.parse(fs.readFileSync(path.join(earlier, `${name}.json`), 'utf8'));

/** Skips the test where bits differ anyway, and says so. */
async function needsSameMachine(test, { machine: then }) {
  const now = await machine();
  if (now.capability === then.capability && now.model === then.model) return;
  console.warn(
    `      skipped: its bits were recorded on ${then.model} with ${then.capability}; this is ${now.model}, ${now.capability}`,
  );
  test.skip();
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `actual` without what `expected` does not have, at any depth. */
function common(actual, expected) {
  if (Array.isArray(actual) && Array.isArray(expected)) return actual.map((item, i) => common(item, expected[i]));
  if (!isRecord(actual) || !isRecord(expected)) return actual;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, common(actual[key], expected[key])]));
}

/** All that was recorded is the same; a later version may record more. */
function assertIncludes(actual, expected) {
  assert.deepEqual(common(actual, expected), expected);
}

function assertAccounts({ offered, learned, duplicates, dropped, quarantined, queued }) {
  assert.equal(offered, learned + duplicates + dropped + quarantined + queued);
  assert.equal(queued, 0);
}

/** Offers ids again, which the folder must know: each is a duplicate, and nothing is learned. */
async function assertKnown(learner, ids) {
  const { inputs, labels } = batchOf(0, ids.length);
  const before = learner.metrics();
  const { duplicates } = await learner.learn({ inputs, labels, ids });
  assert.equal(duplicates, ids.length);
  assert.equal(learner.metrics().learned, before.learned);
}

/**
 * Folders by what they were written with. The first two record the options of sgd() among the settings, the first three one input and a
 * class a sample, the first four no groups of parameters, and none an average or the weights that score.
 */
const killed = {
  ...{ killed: 'by rules 1', 'killed-rules-2': 'by rules 2' },
  ...{ 'killed-format-2': 'in format 2', 'killed-format-3': 'in format 3', 'killed-format-4': 'in format 4' },
};

for (const [name, what] of Object.entries(killed)) {
  describe(`a learner of an earlier version, killed, ${what}`, function () {
    this.timeout(120_000);
    const at = temporaryFolder();
    const expected = recorded(name);
    // Its predictions wait for their labels, however long ago they were made.
    const options = { ...lives.at(-1), feedback: { ttlMs: 1e15 } };
    const copyOf = (copy) => {
      fs.cpSync(path.join(earlier, name), at(copy), { recursive: true });
      return at(copy);
    };
    const assertBits = async (dir, { snapshot }) => {
      const { bits, core, settings, sequence } = await snapshotBits(dir);
      assert.deepEqual(bits, snapshot.bits);
      assertIncludes(core, snapshot.core);
      // Optimizer and loss had fewer options. Those of the optimizer were recorded among the settings at first.
      const { kind, ...options } = settings.optimizer;
      assert.equal(kind, 'sgd');
      const { optimizer = {}, loss = { kind: 'crossEntropyLoss' }, ...others } = snapshot.settings;
      assertIncludes({ ...settings, ...options }, others);
      assertIncludes(settings.optimizer, optimizer);
      assertIncludes(settings.loss, loss);
      assert.equal(sequence, snapshot.sequence);
    };

    it('opens with the bits that it had, and learns on to those that it would have had', async function () {
      await needsSameMachine(this, expected);
      const dir = copyOf('killed');
      const learner = await open(dir, options);
      assertIncludes(learner.metrics(), expected.opened.metrics);
      assert.deepEqual(learner.versions(), expected.opened.versions);
      await learner.close();
      await assertBits(dir, expected.opened);
      const later = await open(dir, options);
      for (let i = 0; i < 6; i++) await later.learn(batchOf(50_000 + 7 * i, 50_007 + 7 * i));
      assertIncludes(later.metrics(), expected.fed.metrics);
      await later.close();
      await assertBits(dir, expected.fed);
    });

    it('opens with the same bits from the snapshot before the last settings, and from the one before those', async function () {
      await needsSameMachine(this, expected);
      const dir = copyOf('older');
      const snapshots = fs
        .readdirSync(dir)
        .filter((name) => /^snapshot-/.test(name))
        .sort();
      assert.equal(snapshots.length, 3);
      for (const newest of snapshots.slice(1).reverse()) {
        const older = copyOf(`without ${newest}`);
        for (const name of snapshots.filter((one) => one >= newest)) fs.rmSync(path.join(older, name));
        await (await open(older, options)).close();
        await assertBits(older, expected.opened);
      }
    });

    it('knows all ids that it acknowledged', async function () {
      await needsSameMachine(this, expected);
      const learner = await open(copyOf('ids'), options);
      await assertKnown(learner, expected.ids);
      assertAccounts(learner.metrics());
      await learner.close();
    });
  });
}

describe('a training of an earlier version, killed in mid-epoch', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const expected = recorded('training');
  for (const [name, run] of Object.entries({ resumed, continued })) {
    it(`ends in the bits that it would have ended in, ${name === 'resumed' ? 'as it was begun' : 'with more epochs'}`, async function () {
      await needsSameMachine(this, expected);
      fs.copyFileSync(path.join(earlier, 'training.ckpt'), at('training.ckpt'));
      assertIncludes(JSON.parse(JSON.stringify(await run(at('training.ckpt')))), expected[name]);
    });
  }
});

describe('a folder that an earlier version could not open', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  /** Its weights stay as they are: they are the same on every processor. */
  const still = { optimizer: sgd({ learningRate: 0 }), batchSize: 4, gate: { every: 1 } };
  let copies = 0;
  const copyOf = (name) => {
    const dir = at(`${name} ${copies++}`);
    fs.cpSync(path.join(earlier, name), dir, { recursive: true });
    return dir;
  };

  /** It opens, or does so once it was repaired; knows all ids that were acknowledged, learns, and opens again. */
  async function assertMended(dir, options, ids) {
    let learner;
    try {
      learner = await open(dir, options);
    } catch (error) {
      assert.ok(error instanceof LearnError, error.stack);
      const report = await repairLearner(dir, { apply: true, model });
      assert.equal(report.damaged, true, `a repair sees nothing, but: ${error.message}`);
      learner = await open(dir, options);
    }
    await assertKnown(learner, ids);
    const { learned } = learner.metrics();
    const { updates } = await learner.learn(batchOf(7000, 7004));
    assert.equal(updates, 1);
    assert.equal(learner.metrics().learned, learned + 4);
    assertAccounts(learner.metrics());
    await learner.close();
    const again = await open(dir, options);
    assert.equal(again.metrics().learned, learned + 4);
    assertAccounts(again.metrics());
    await assertKnown(again, ids);
    await again.close();
  }

  it('because of a rollback to a version that batches before it made it forget', () =>
    assertMended(copyOf('rollback-forgotten'), { ...still, keepVersions: 2 }, recorded('rollback-forgotten').ids));

  for (const how of ['damaged', 'missing']) {
    it(`because of a rollback to a version whose file is ${how}`, () =>
      assertMended(copyOf(`rollback-${how}`), still, recorded(`rollback-${how}`).ids));
  }

  for (const which of ['capacity-smaller', 'capacity-too-large', 'shape']) {
    it(`because of mistaken settings: ${which.replaceAll('-', ' ')}`, () =>
      assertMended(
        copyOf(`settings-${which}`),
        { ...still, replay: { capacity: 20 } },
        recorded(`settings-${which}`).ids,
      ));
  }

  const sound = { ...still, keepVersions: 3, replay: { capacity: 20 } };
  const xor = (file) => {
    const bytes = fs.readFileSync(file);
    for (let at = 64; at < bytes.length; at += 97) bytes[at] ^= 1;
    fs.writeFileSync(file, bytes);
  };
  for (const [what, damage] of Object.entries({
    'the file of the version that serves is damaged': (dir) => xor(path.join(dir, 'versions/version-000000008.pth')),
    'the file of the version that serves is missing': (dir) =>
      fs.rmSync(path.join(dir, 'versions/version-000000008.pth')),
    'the manifest of the version that serves is missing': (dir) =>
      fs.rmSync(path.join(dir, 'versions/version-000000008.json')),
    'a manifest is cut short': (dir) => fs.truncateSync(path.join(dir, 'versions/version-000000006.json'), 20),
    'its newest snapshot is damaged': (dir) => xor(path.join(dir, 'snapshot-000000000000016.pth')),
    'its newest snapshot is empty': (dir) => fs.truncateSync(path.join(dir, 'snapshot-000000000000016.pth')),
    'the folder of its versions is missing': (dir) => fs.rmSync(path.join(dir, 'versions'), { recursive: true }),
  })) {
    it(`or whose files were damaged: ${what}`, async () => {
      const dir = copyOf('sound');
      damage(dir);
      await assertMended(dir, sound, recorded('sound').ids);
    });
  }

  it('without memory for its last batch: it stays as it is, and a repair can give that batch up', async function () {
    needsPrlimit(this);
    const dir = copyOf('memory');
    const { ids } = recorded('memory');
    const limited = (how) => {
      const script = path.join(root, 'test/lifetime/fixtures/open-wide.mjs');
      const { stdout, stderr } = spawnSync('prlimit', [`--as=${5 * 2 ** 30}`, process.execPath, script, dir, how], {
        encoding: 'utf8',
      });
      assert.notEqual(stdout, '', stderr);
      return JSON.parse(stdout);
    };
    const before = contents(dir);
    const first = limited('open');
    if (first.code) {
      assert.equal(first.code, 'ERR_OUT_OF_MEMORY', first.message);
      assert.deepEqual(contents(dir), before);
      assert.equal(limited('repair').damaged, true);
    }
    assert.deepEqual(limited('open'), { duplicates: ids.length, learned: ids.length });
  });
});
