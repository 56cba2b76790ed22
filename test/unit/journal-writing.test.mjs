// Writing a journal: one owner at a time, synced when promised, and safe when the disk fails.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { OnlineLearner } from 'torch-incremental';
import { readJournal } from '../../dist/online/storage/journal-reader.js';
import { Journal } from '../../dist/online/storage/journal-writer.js';
import { needsPrlimit, root, temporaryFolder } from '../support.mjs';
import { anyPlace, learn, open, sample, stateOf } from './journal-support.mjs';

const fixture = (name) => path.join(root, 'test/lifetime/fixtures', name);

/** Runs a fixture to its end; what it printed. */
function run(name, args) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [fixture(name), ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

describe('writing a journal', function () {
  this.timeout(120_000);
  const at = temporaryFolder();

  const isBusy = (dir) =>
    assert.rejects(open(dir), { name: 'LearnError', code: 'ERR_BUSY', message: /is locked by process \d+ on / });

  it('is for one learner of a process at a time', async () => {
    const learner = await open(at('process'));
    await isBusy(at('process'));
    // As a person may do who takes it for a leftover.
    fs.rmSync(path.join(at('process'), 'lock'));
    await assert.rejects(open(at('process')), { code: 'ERR_BUSY', message: /is locked by an unknown process; / });
    await learner.learn(sample(1));
    await learner.close();
    assert.equal((await stateOf(at('process'))).learned, 1);
  });

  it('is for one learner of all threads at a time', async () => {
    const worker = new Worker(fixture('owner.mjs'), { workerData: at('thread') });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await isBusy(at('thread'));
    await worker.terminate();
    await (await open(at('thread'))).close();
  });

  it('is for one process at a time, and for another as soon as that is killed', async () => {
    const child = spawn(process.execPath, [fixture('owner.mjs'), at('owner')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await isBusy(at('owner'));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    await (await open(at('owner'))).close();
  });

  for (const bytes of [10, 24, 60, 400, 1500]) {
    it(`fails on a disk that is full after ${bytes} bytes, and loses nothing that was acknowledged`, async function () {
      needsPrlimit(this);
      const { failure, again, closed, learned, ...rest } = run('full-disk.mjs', [at(`full ${bytes}`), String(bytes)]);
      assert.equal(failure.name, 'LearnError');
      assert.equal(failure.code, 'ERR_JOURNAL');
      assert.match(failure.message, /^Cannot write to the journal in .*full \d+: EFBIG/);
      assert.equal(again, 'ERR_JOURNAL');
      assert.match(closed, /^ERR_JOURNAL Cannot write to the journal/);
      const { predicted, counted, offered, recovered, fingerprint } = rest;
      // Calls that reject were not offered. A batch is learned while it is being written.
      assert.deepEqual([predicted, offered, recovered], [1, counted, learned]);
      assert.ok(counted === learned || counted === learned + 1, `${counted} of ${learned}`);
      const undisturbed = await open(at(`undisturbed ${bytes}`), { gate: { every: 1000 } });
      await learn(undisturbed, 0, learned + 5);
      assert.equal(fingerprint, await undisturbed.fingerprint());
      await undisturbed.close();
    });
  }

  it('fails on a disk with no room for a last snapshot, and loses nothing that was acknowledged', function () {
    needsPrlimit(this);
    const { failure, closed, learned, recovered } = run('full-disk.mjs', [at('full snapshot'), '5000', '3']);
    assert.equal(failure, undefined);
    assert.match(closed, /^ERR_FILE Cannot write to .*snapshot-0{14}3\.pth: /);
    assert.deepEqual([learned, recovered], [3, 3]);
  });

  it("with sync: 'always' is on the disk before learn() resolves", function () {
    if (os.platform() !== 'linux') this.skip();
    const { during } = run('fsyncs.mjs', [at('always'), '"always"']);
    assert.deepEqual(during, Array(5).fill(['writev', 'fsync', 'resolved']).flat());
  });

  it('with periodic syncs is written before learn() resolves, and on the disk when it is closed', function () {
    if (os.platform() !== 'linux') this.skip();
    const { during, after } = run('fsyncs.mjs', [at('later'), '{ "everyMs": 100000 }']);
    assert.deepEqual(during, Array(5).fill(['writev', 'resolved']).flat());
    // Of the old file, before there is a new one; of that, with its header; and at the end.
    assert.deepEqual(after, ['fsync', 'writev', 'fsync', 'fsync']);
  });

  it('syncs at open() what a killed process wrote and did not sync', function () {
    if (os.platform() !== 'linux') this.skip();
    const { opening } = run('fsyncs.mjs', [at('opened'), '{ "everyMs": 100000 }']);
    assert.deepEqual(opening, ['fsync']);
  });

  it('continues in new files while the timer syncs, in any order', async () => {
    fs.mkdirSync(at('rotating'));
    const start = { sequence: 0, chain: 7 };
    const journal = await Journal.open(at('rotating'), start, { everyMs: 0 }, anyPlace);
    const pending = [];
    for (let i = 0; i < 300; i++) {
      pending.push(journal.append(1, [Buffer.from(`record ${i}`)]));
      if (i % 3 === 0) pending.push(journal.rotate());
      if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(pending);
    await journal.close();
    let count = 0;
    for await (const { sequence, payload } of readJournal(at('rotating'), start, 0, assert.fail)) {
      assert.equal(payload.toString(), `record ${count++}`);
      assert.equal(sequence, count);
    }
    assert.equal(count, 300);
    assert.deepEqual({ ...journal.position, sequence: 300 }, journal.position);
  });

  it('is read in parts, so that other work runs meanwhile', async () => {
    fs.mkdirSync(at('long'));
    const start = { sequence: 0, chain: 7 };
    const journal = await Journal.open(at('long'), start, { everyMs: 1000 }, anyPlace);
    for (let i = 0; i < 2000; i++) await journal.append(1, [Buffer.alloc(8000, i)]);
    await journal.close();
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    let count = 0;
    for await (const { payload } of readJournal(at('long'), start, 0, assert.fail)) {
      assert.ok(payload.every((byte) => byte === count % 256) && payload.length === 8000);
      count++;
    }
    isOver = true;
    assert.equal(count, 2000);
    // 16 MB: at least one turn of the event loop each 80 kB.
    assert.ok(turns >= 200, `${turns} turns`);
  });

  it('needs a checkpoint to begin with, and a folder that can be written to', async () => {
    fs.mkdirSync(at('empty'));
    await assert.rejects(OnlineLearner.open({ dir: at('empty') }), {
      ...{ name: 'LearnError', code: 'ERR_INVALID_OPTION', message: /holds no learner: pass the option "checkpoint"/ },
    });
    fs.writeFileSync(at('file'), '');
    for (const dir of [at('file'), path.join(at('file'), 'inside')]) {
      await assert.rejects(open(dir), { name: 'LearnError', code: 'ERR_FILE' }, dir);
    }
    fs.mkdirSync(at('read-only'), { mode: 0o555 });
    // To root everything is writable.
    if (process.getuid() !== 0) await assert.rejects(open(at('read-only')), { code: 'ERR_FILE' });
    else await assert.rejects(open('/proc/self'), { name: 'LearnError', code: 'ERR_FILE' });
    // The failure leaves no lock.
    const learner = await open(at('empty'));
    await learn(learner, 0, 2);
    await learner.close();
  });
});
