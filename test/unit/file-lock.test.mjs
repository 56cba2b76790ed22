// lib/download/file-lock.ts: one at a time, also where many find what a killed process left. What a download does with it is
// in download.test.mjs and libtorch-install.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import fileLock from '../../dist/download/file-lock.js';
import { temporaryFolder } from '../support.mjs';

const { withFileLock } = fileLock;
const dead = JSON.stringify({ host: os.hostname(), pid: 2 ** 30 });

describe('file lock', () => {
  const folder = temporaryFolder();

  it('lets one in at a time, whoever of many takes it over from a process that died', async () => {
    const lock = folder('lock');
    fs.writeFileSync(lock, dead);
    const { rm } = fsPromises;
    let removals = 0;
    // Each later than the one before: the last to remove what all of them saw finds somebody's new lock there.
    fsPromises.rm = async (...args) => {
      await sleep(20 * ++removals);
      return rm(...args);
    };
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await sleep(200);
      inside--;
    };
    try {
      await Promise.all([1, 2, 3].map(() => withFileLock(lock, undefined, work)));
    } finally {
      fsPromises.rm = rm;
    }
    assert.equal(most, 1);
    assert.deepEqual(fs.readdirSync(folder()), []);
  });

  it('is free again after work that failed, and takes over what is neither touched nor readable', async () => {
    const lock = folder('lock');
    await assert.rejects(
      withFileLock(lock, undefined, async () => {
        throw new Error('failed');
      }),
      /failed/,
    );
    for (const make of [() => fs.writeFileSync(lock, ''), () => fs.mkdirSync(lock)]) {
      make();
      fs.utimesSync(lock, new Date(0), new Date(0));
      fs.writeFileSync(`${lock}.takeover`, '');
      fs.utimesSync(`${lock}.takeover`, new Date(0), new Date(0));
      assert.equal(await withFileLock(lock, undefined, async () => 'done'), 'done');
    }
    assert.deepEqual(fs.readdirSync(folder()), []);
  });

  it('tells once that it waits', async () => {
    const lock = folder('lock');
    let told = 0;
    const hold = () => sleep(350);
    await Promise.all([1, 2].map(() => withFileLock(lock, undefined, hold, () => told++)));
    assert.equal(told, 1);
  });
});
