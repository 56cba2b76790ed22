// Journals and damage: a crash at any byte costs at most records that were not acknowledged; any other wrong byte is found.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { readJournal } from '../../dist/online/storage/journal-reader.js';
import { Journal } from '../../dist/online/storage/journal-writer.js';
import { temporaryFolder } from '../support.mjs';
import {
  anyPlace,
  contents,
  copy,
  journalsIn,
  makeLearner,
  randomNumbers,
  recordsIn,
  rejectsWithByte,
  stateOf,
} from './journal-support.mjs';

describe('a journal', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const dir = at('damaged');
  let whole;
  let names;

  before(async () => {
    whole = await makeLearner(at('whole'), { keep: 1 });
    names = journalsIn(at('whole'));
    assert.equal(whole.learned, 24);
    assert.equal(names.length, 4);
  });

  /** The learner again, with one of its files changed. */
  const damaged = (name, change) => {
    copy(at('whole'), dir);
    const file = path.join(dir, name);
    fs.writeFileSync(file, change(fs.readFileSync(file)));
  };

  it('that is cut at any byte of its last record opens without that record', async () => {
    await makeLearner(at('short'), { lives: 2, every: 100 });
    const [, last] = journalsIn(at('short'));
    const file = path.join(at('short'), last);
    const bytes = fs.readFileSync(file);
    const [begin, end] = recordsIn(file).slice(-2);
    const cutAt = async (length) => {
      copy(at('short'), dir);
      fs.writeFileSync(path.join(dir, last), bytes.subarray(0, length));
      return stateOf(dir);
    };
    const before = await cutAt(begin);
    assert.equal(before.learned, 11);
    assert.notEqual((await cutAt(end)).fingerprint, before.fingerprint);
    for (let cut = begin + 1; cut < end; cut++) assert.deepEqual(await cutAt(cut), before, `cut at byte ${cut}`);
  });

  it('whose last file was being created opens with all its records', async () => {
    const [begin] = recordsIn(path.join(at('whole'), names.at(-1))).slice(-1);
    const header = Buffer.alloc(24);
    // The number after the last record does not matter for an incomplete one.
    for (let length = 0; length <= 24; length += 4) {
      damaged(names.at(-1), (bytes) => bytes.subarray(0, begin));
      fs.writeFileSync(path.join(dir, 'journal-000000000000029.log'), header.subarray(0, length));
      assert.deepEqual(await stateOf(dir), whole, `${length} bytes of its header`);
    }
  });

  it('followed by zeros, as a loss of power may leave them, opens with all its records', async () => {
    for (const zeros of [1, 23, 24, 100, 70_000]) {
      damaged(names.at(-1), (bytes) => Buffer.concat([bytes, Buffer.alloc(zeros)]));
      assert.deepEqual(await stateOf(dir), whole, `${zeros} zeros`);
    }
  });

  const flips = [
    [1000, 'byte', (random) => 1 + random.below(255)],
    [200, 'bit', (random) => 1 << random.below(8)],
  ];
  for (const [count, what, drawMask] of flips) {
    it(`with a wrong ${what} anywhere is refused, with file and byte: ${count} of them`, async () => {
      const random = randomNumbers(count);
      copy(at('whole'), dir);
      const before = contents(dir);
      const sizes = names.map((name) => before[name].length);
      for (let i = 0; i < count; i++) {
        let where = random.below(sizes.reduce((sum, size) => sum + size));
        let file = 0;
        while (where >= sizes[file]) where -= sizes[file++];
        const mask = drawMask(random);
        const bytes = Buffer.from(before[names[file]], 'latin1');
        bytes[where] ^= mask;
        fs.writeFileSync(path.join(dir, names[file]), bytes);
        const begin = recordsIn(path.join(at('whole'), names[file])).findLast((offset) => offset <= where) ?? 0;
        const { byte } = await rejectsWithByte(dir, names[file]);
        assert.ok(byte === begin || (begin === 0 && byte < 24), `byte ${byte} for a flip of ${mask} at ${where}`);
        fs.writeFileSync(path.join(dir, names[file]), Buffer.from(before[names[file]], 'latin1'));
      }
      assert.deepEqual(contents(dir), before, 'a refused folder was changed');
      assert.deepEqual(await stateOf(dir), whole);
    });
  }

  it('with any missing file is refused', async () => {
    for (const name of names) {
      copy(at('whole'), dir);
      fs.rmSync(path.join(dir, name));
      if (name === names.at(-1)) continue;
      const { byte, reason } = await rejectsWithByte(dir, name);
      assert.equal(byte, 0);
      assert.match(reason, /^it is missing, with records \d+ to \d+$/);
    }
    // Only a snapshot proves that there was a last one.
    await makeLearner(at('snapshots'), { lives: 3 });
    const last = journalsIn(at('snapshots')).at(-1);
    fs.rmSync(path.join(at('snapshots'), last));
    assert.match(
      (await rejectsWithByte(at('snapshots'), last)).reason,
      /^it is missing, though there is a snapshot of record 14$/,
    );
    for (const name of journalsIn(at('snapshots'))) fs.rmSync(path.join(at('snapshots'), name));
    assert.match((await rejectsWithByte(at('snapshots'), last)).reason, /^it is missing/);
  });

  it('with two files swapped is refused', async () => {
    copy(at('whole'), dir);
    const [, one, two] = names.map((name) => path.join(dir, name));
    fs.renameSync(one, `${one}.tmp`);
    fs.renameSync(two, one);
    fs.renameSync(`${one}.tmp`, two);
    const { byte, reason } = await rejectsWithByte(dir, names[1]);
    assert.equal(byte, 8);
    assert.match(reason, /^it begins with record 15, but its name says 8$/);
  });

  it('with a file of another learner is refused, even if that learned the same', async () => {
    await makeLearner(at('other'), { keep: 1 });
    for (const name of names) {
      copy(at('whole'), dir);
      fs.copyFileSync(path.join(at('other'), name), path.join(dir, name));
      const { byte, reason } = await rejectsWithByte(dir, name);
      assert.equal(byte, 16);
      assert.match(reason, /from another one, or from another time$/);
    }
  });

  it('with foreign bytes after its last record is refused, or loses just them', async () => {
    const random = randomNumbers(5);
    const { length } = fs.readFileSync(path.join(at('whole'), names.at(-1)));
    for (const count of [1, 10, 23, 24, 25, 100, 5000]) {
      const garbage = Buffer.from(Array.from({ length: count }, () => 1 + random.below(255)));
      damaged(names.at(-1), (bytes) => Buffer.concat([bytes, garbage]));
      // Fewer than a header has may be the begin of one.
      if (count < 24) assert.deepEqual(await stateOf(dir), whole);
      else assert.equal((await rejectsWithByte(dir, names.at(-1))).byte, length);
    }
    // In the middle they are damage however many.
    damaged(names[1], (bytes) => Buffer.concat([bytes, Buffer.alloc(5)]));
    await rejectsWithByte(dir, names[1]);
  });

  it('with a record that this version does not know is refused, though its checksums are right', async () => {
    const batch = Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from('{}'), Buffer.alloc(12)]);
    const cases = [
      [77, Buffer.from('{}'), /^record 29 is of a kind, 77, that this version does not know$/],
      [0, Buffer.alloc(0), /^record 29 is of a kind, 0,/],
      [1, batch, /^record 29 has a form that this version does not know$/],
      [2, Buffer.from('not JSON'), /^record 29 has a form/],
      [3, Buffer.from('null'), /^record 29 has a form/],
      [4, Buffer.from('{"kind":"batch"}'), /^record 29 has a form/],
    ];
    for (const [kind, payload, expected] of cases) {
      copy(at('whole'), dir);
      let end = { sequence: 0, chain: fs.readFileSync(path.join(dir, names[0])).readUInt32LE(16) };
      for await (const { sequence, chain } of readJournal(dir, end, 0, assert.fail)) end = { sequence, chain };
      const journal = await Journal.open(dir, end, 'always', anyPlace);
      const { bytes } = journal;
      await journal.append(kind, [payload]);
      await journal.close();
      const { byte, reason } = await rejectsWithByte(dir, names.at(-1));
      assert.equal(byte, bytes);
      assert.match(reason, expected);
    }
  });
});
