// `torch-incremental repair`: it reports exactly what is lost, changes nothing unasked, and a repaired folder opens.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { repairLearner } from 'torch-incremental';
import { readJournal } from '../../dist/online/storage/journal-reader.js';
import { Journal } from '../../dist/online/storage/journal-writer.js';
import { temporaryFolder } from '../support.mjs';
import {
  anyPlace,
  contents,
  copy,
  journalsIn,
  learn,
  makeLearner,
  open,
  recordsIn,
  snapshotsIn,
  stateOf,
} from '../unit/journal-support.mjs';
import { lines, run } from './run.mjs';

const isTime = /^lost-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('command line: repair', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const dir = at('learner');
  const inDir = (name) => path.join(dir, name);
  let names;
  let whole;

  // Four files, of six samples and a verdict each, after the only snapshot.
  before(async () => {
    whole = await makeLearner(at('whole'), { keep: 1 });
    names = journalsIn(at('whole'));
  });
  beforeEach(() => copy(at('whole'), dir));

  const repair = (...options) => run(['repair', 'learner', ...options], { cwd: at() });

  /** Checks that its output is the same in all forms, and that it changes nothing. */
  async function report() {
    const before = contents(dir);
    const { code, stdout, stderr } = await repair('--json');
    assert.equal(stderr, '');
    assert.equal(lines(stdout).length, 1);
    const said = JSON.parse(stdout);
    assert.deepEqual(said, await repairLearner(dir));
    assert.equal(code, said.damaged ? 1 : 0);
    const text = await repair();
    assert.equal(text.code, code);
    assert.equal(text.stderr, '');
    assert.deepEqual(contents(dir), before, 'it changed something');
    assert.equal(said.movedTo, null);
    return { ...said, text: text.stdout };
  }

  /** Repairs, opens and learns on; returns the learner's counts and the contents of the folder with the lost files. */
  async function mend(expected) {
    const { code, stdout, stderr } = await repair('--yes', '--json');
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const { movedTo, ...said } = JSON.parse(stdout);
    const { text, movedTo: none, ...foretold } = expected;
    assert.deepEqual(said, foretold);
    assert.match(movedTo, isTime);
    const lost = contents(inDir(movedTo));
    assert.equal((await repairLearner(dir)).damaged, false);
    const state = await stateOf(dir);
    const learner = await open(dir);
    await learn(learner, 100, 110);
    await learner.close();
    assert.equal((await stateOf(dir)).learned, state.learned + 10);
    assert.deepEqual(contents(inDir(movedTo)), lost);
    return { state, lost };
  }

  const flip = (name, where) => {
    const bytes = fs.readFileSync(inDir(name));
    bytes[where] ^= 0x10;
    fs.writeFileSync(inDir(name), bytes);
  };

  it('reports that nothing is damaged if nothing is', async () => {
    const { damaged, journal, snapshot, lastRecord, text } = await report();
    assert.deepEqual([damaged, journal, lastRecord], [false, null, 28]);
    assert.deepEqual(snapshot, { file: 'snapshot-000000000000000.pth', record: 0 });
    assert.equal(
      text,
      'learner resumes from snapshot-000000000000000.pth, and reaches record 28 of its journal\nNothing is damaged\n',
    );
    const { code, stdout } = await repair('--yes');
    assert.deepEqual([code, stdout], [0, text]);
    assert.deepEqual(contents(dir), contents(at('whole')));
  });

  it('reports that a record which a crash cut short is no damage', async () => {
    const { length } = fs.readFileSync(inDir(names[3]));
    fs.truncateSync(inDir(names[3]), length - 5);
    const { damaged, torn, lastRecord, text } = await report();
    const begin = recordsIn(path.join(at('whole'), names[3])).at(-2);
    assert.deepEqual([damaged, lastRecord], [false, 27]);
    assert.equal(torn.file, names[3]);
    assert.equal(torn.offset, begin);
    assert.equal(torn.bytes, length - 5 - begin);
    assert.match(torn.reason, /^record 28 has \d+ of \d+ bytes$/);
    assert.match(text, /\n {2}That is no damage: it was never acknowledged, .*\nNothing is damaged\n$/);
    assert.equal((await repair('--yes')).code, 0);
    assert.deepEqual(await stateOf(dir), whole);
  });

  it('moves a damaged tail and the files after it, and reports what they hold', async () => {
    const offsets = recordsIn(inDir(names[1]));
    flip(names[1], offsets[2] + 40);
    const said = await report();
    const size = (name) => fs.statSync(path.join(at('whole'), name)).size;
    assert.deepEqual(said.journal, {
      file: names[1],
      offset: offsets[2],
      reason: 'record 10 has a wrong checksum',
      firstRecord: 10,
      lastRecord: 28,
      // All except the damaged one: three of the file's samples, and the twelve of the others, with a verdict for each file.
      records: 18,
      samples: 15,
      laterFiles: names.slice(2),
      bytes: size(names[1]) - offsets[2] + size(names[2]) + size(names[3]),
    });
    assert.equal(said.lastRecord, 9);
    assert.match(
      said.text,
      new RegExp(
        `${names[1]} is damaged at byte ${offsets[2]}: record 10 has a wrong checksum\n` +
          '  Lost: records 10 to 28, \\d\\.\\d kB. 18 records of it can be recognised, with 15 samples\n' +
          `  Lost with it: ${names[2]}, ${names[3]}\n` +
          'Nothing was changed. To move it .*: npx torch-incremental repair learner --yes\n$',
      ),
    );
    const { state, lost } = await mend(said);
    assert.equal(state.learned, 8);
    const original = contents(at('whole'));
    assert.deepEqual(Object.keys(lost).sort(), [`${names[1]}.from-byte-${offsets[2]}`, names[2], names[3]]);
    assert.equal(lost[names[2]], original[names[2]]);
    assert.equal(lost[names[3]], original[names[3]]);
    assert.equal(lost[`${names[1]}.from-byte-${offsets[2]}`].length, original[names[1]].length - offsets[2]);
  });

  it('recognises records after a damaged header, though their start has to be searched for', async () => {
    const offsets = recordsIn(inDir(names[3]));
    flip(names[3], offsets[1] + 2);
    const said = await report();
    const { reason, firstRecord, lastRecord, records, samples } = said.journal;
    assert.equal(reason, 'the header of record 23 has a wrong checksum');
    assert.deepEqual([firstRecord, lastRecord, records, samples], [23, 28, 5, 4]);
    assert.equal((await mend(said)).state.learned, 19);
  });

  it('moves a file with a damaged header as a whole, also the first file', async () => {
    for (const [index, learned] of [
      [2, 12],
      [0, 0],
    ]) {
      copy(at('whole'), dir);
      flip(names[index], 9);
      const said = await report();
      assert.deepEqual([said.journal.file, said.journal.offset], [names[index], 0]);
      assert.deepEqual([said.journal.firstRecord, said.journal.lastRecord], [index * 7 + 1, 28]);
      assert.equal(said.journal.records, 28 - index * 7);
      const { state, lost } = await mend(said);
      assert.equal(state.learned, learned);
      assert.deepEqual(Object.keys(lost).sort(), names.slice(index));
    }
  });

  it('describes a missing file, a file of another learner, and files that changed places', async () => {
    fs.rmSync(inDir(names[1]));
    let said = await report();
    assert.deepEqual([said.journal.file, said.journal.offset, said.journal.firstRecord], [names[1], 0, 8]);
    assert.equal(said.journal.reason, 'it is missing, with records 8 to 14');
    assert.deepEqual([said.journal.records, said.journal.lastRecord, said.journal.samples], [14, 28, 12]);
    const mended = await mend(said);
    assert.equal(mended.state.learned, 6);
    assert.deepEqual(Object.keys(mended.lost).sort(), names.slice(2));

    copy(at('whole'), dir);
    await makeLearner(at('other'), { keep: 1 });
    fs.copyFileSync(path.join(at('other'), names[3]), inDir(names[3]));
    said = await report();
    assert.deepEqual([said.journal.offset, said.journal.records, said.journal.firstRecord], [16, 7, 22]);
    assert.match(said.journal.reason, /^it does not follow record 21 of this learner/);
    assert.equal((await mend(said)).state.learned, 18);

    copy(at('whole'), dir);
    fs.renameSync(inDir(names[2]), inDir('tmp'));
    fs.renameSync(inDir(names[3]), inDir(names[2]));
    fs.renameSync(inDir('tmp'), inDir(names[3]));
    said = await report();
    assert.deepEqual([said.journal.offset, said.journal.records, said.journal.lastRecord], [8, 14, 28]);
    assert.equal((await mend(said)).state.learned, 12);
  });

  it('starts a journal again if the one after the snapshot is missing', async () => {
    await makeLearner(dir, { lives: 2, every: 100 });
    const last = journalsIn(dir).at(-1);
    fs.rmSync(inDir(last));
    const said = await report();
    assert.deepEqual([said.journal.file, said.journal.records, said.journal.bytes], [last, 0, 0]);
    assert.match(said.text, /\n {2}Lost: from record 7 on, 0 B\. 0 records of it can be recognised, with 0 samples\n/);
    assert.deepEqual((await mend(said)).lost, {});
  });

  it('describes bytes that are not a record, and records that this version does not know', async () => {
    const { length } = fs.readFileSync(inDir(names[3]));
    fs.appendFileSync(inDir(names[3]), Buffer.alloc(50, 1));
    let said = await report();
    const { offset, records, lastRecord, bytes } = said.journal;
    assert.deepEqual(
      { offset, records, lastRecord, bytes },
      { offset: length, records: 0, lastRecord: null, bytes: 50 },
    );
    assert.deepEqual((await mend(said)).state, whole);

    copy(at('whole'), dir);
    let end = { sequence: 0, chain: fs.readFileSync(inDir(names[0])).readUInt32LE(16) };
    for await (const { sequence, chain } of readJournal(dir, end, 0, assert.fail)) end = { sequence, chain };
    const journal = await Journal.open(dir, end, 'always', anyPlace);
    await journal.append(99, [Buffer.from('of a later version')]);
    await journal.close();
    said = await report();
    assert.match(said.journal.reason, /^record 29 is of a kind, 99, that this version does not know$/);
    assert.deepEqual([said.journal.offset, said.journal.records, said.journal.samples], [length, 1, 0]);
    assert.deepEqual((await mend(said)).state, whole);
  });

  it('describes a snapshot that cannot be read, with which nothing is lost', async () => {
    const before = await makeLearner(dir, { lives: 3, every: 100 });
    const [older, newest] = snapshotsIn(dir);
    fs.truncateSync(inDir(newest), 1000);
    const said = await report();
    assert.deepEqual([said.damaged, said.journal, said.snapshot.file, said.lastRecord], [true, null, older, 18]);
    assert.equal(said.snapshots.length, 1);
    const [{ file, bytes, reason }] = said.snapshots;
    assert.deepEqual([file, bytes], [newest, 1000]);
    assert.match(reason, /the zip file has no directory at its end/);
    assert.match(said.text, /\n {2}Nothing is lost with it/);
    const { state, lost } = await mend(said);
    assert.deepEqual(state, before);
    assert.deepEqual(Object.keys(lost), [newest]);
  });

  it('describes unreadable lines of quarantine.ndjson, and keeps the rest', async () => {
    const learner = await open(dir);
    for (const id of ['a', 'b']) await learner.learn({ inputs: new Float32Array(3), labels: [9], ids: [id] });
    await learner.close();
    const good = fs.readFileSync(inDir('quarantine.ndjson'), 'latin1').split('\n');
    const bad = `${good[0]}\n{"record":3,\xff}\nno line\n${good[1]}\n{"record":9,"rea`;
    fs.writeFileSync(inDir('quarantine.ndjson'), bad, 'latin1');
    const said = await report();
    assert.equal(said.journal, null);
    const [{ file, offset, lines: count, bytes }] = said.quarantine;
    assert.deepEqual([file, offset, count, bytes], ['quarantine.ndjson', good[0].length + 1, 2, 15 + 8]);
    assert.match(said.text, /quarantine\.ndjson is damaged at byte \d+: 2 lines \(23 B\) cannot be read\n/);
    const { lost } = await mend(said);
    assert.deepEqual(lost, { 'quarantine.ndjson': bad });
    assert.equal(fs.readFileSync(inDir('quarantine.ndjson'), 'latin1'), `${good[0]}\n${good[1]}\n`);
  });

  it('refuses a folder that is in use, that holds no learner, or with nothing left to resume from', async () => {
    const learner = await open(dir);
    await assert.rejects(repairLearner(dir), { name: 'LearnError', code: 'ERR_BUSY' });
    assert.match((await repair('--yes')).stderr, /^error\[ERR_BUSY\]: .* is locked by process /);
    await learner.close();

    for (const name of snapshotsIn(dir)) fs.truncateSync(inDir(name), 9);
    fs.rmSync(inDir('versions/version-000000000.pth'));
    await assert.rejects(repairLearner(dir, { apply: true }), {
      code: 'ERR_JOURNAL',
      message: /^No snapshot in .* can be used/,
    });
    for (const name of snapshotsIn(dir)) fs.rmSync(inDir(name));
    await assert.rejects(repairLearner(dir), { code: 'ERR_JOURNAL', message: /^No snapshot in .* can be used/ });
    const { code, stdout, stderr } = await repair();
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error\[ERR_JOURNAL\]: /);

    fs.mkdirSync(at('empty'));
    await assert.rejects(repairLearner(at('empty')), { code: 'ERR_JOURNAL', message: /holds no learner/ });
    assert.deepEqual(fs.readdirSync(at('empty')), []);
    await assert.rejects(repairLearner(at('nowhere')), { name: 'LearnError', code: 'ERR_FILE' });
    await assert.rejects(repairLearner(7), { code: 'ERR_INVALID_OPTION' });
    await assert.rejects(repairLearner(dir, { yes: true }), { code: 'ERR_INVALID_OPTION' });
  });
});
