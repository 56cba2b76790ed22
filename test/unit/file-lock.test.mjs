// Tests lib/download/file-lock.ts: one holder at a time, also if many find the lock of a killed process. Downloads with locks are
// tested in download.test.mjs and libtorch-install.test.mjs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import fileLock from '../../dist/download/file-lock.js';
import { deadHolder, temporaryFolder } from '../support.mjs';

const require = createRequire(import.meta.url);
const { withFileLock } = fileLock;
const often = { pollMs: 5, heartbeatMs: 5, staleMs: 30_000 };

describe('file lock', () => {
  const folder = temporaryFolder();

  it('has one holder at a time, also when many take it over from a process that ended', async () => {
    const lock = folder('lock');
    fs.writeFileSync(lock, deadHolder());
    const { rm } = fsPromises;
    let removals = 0;
    // Each is later than the one before: the last one that removes the abandoned lock finds a new one in its place.
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

  it('is free after work that failed, and takes over a lock that is neither touched nor readable', async () => {
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

  it('reports once that it waits', async () => {
    const lock = folder('lock');
    let waits = 0;
    const hold = () => sleep(350);
    await Promise.all([1, 2].map(() => withFileLock(lock, undefined, hold, () => waits++)));
    assert.equal(waits, 1);
  });

  for (const [how, take] of [
    ['has taken it', (lock) => fs.writeFileSync(lock, 'of another')],
    ['has taken it and ended', (lock) => fs.rmSync(lock)],
  ]) {
    it(`stops the work if another ${how}, and does not touch that one's lock`, async () => {
      const lock = folder('lock');
      const work = async (signal) => {
        take(lock);
        const left = fs.readdirSync(folder());
        await once(signal, 'abort');
        assert.equal(signal.reason.code, 'ERR_BUSY');
        assert.deepEqual(fs.readdirSync(folder()), left);
        signal.throwIfAborted();
      };
      await assert.rejects(withFileLock(lock, undefined, work, undefined, often), {
        name: 'LearnError',
        code: 'ERR_BUSY',
        message: /another one took over its work.*Run it again/,
      });
      fs.rmSync(lock, { force: true });
    });
  }

  it('reports the loss of the lock as the reason of failed work, and keeps the result of work that succeeded', async () => {
    const lock = folder('lock');
    const failing = async () => {
      fs.writeFileSync(lock, 'of another');
      throw new Error('ENOENT');
    };
    await assert.rejects(withFileLock(lock, undefined, failing), { code: 'ERR_BUSY', cause: new Error('ENOENT') });
    assert.equal(fs.readFileSync(lock, 'utf8'), 'of another');
    fs.rmSync(lock);
    const done = async () => fs.writeFileSync(lock, 'of another');
    await withFileLock(lock, undefined, done);
    assert.equal(fs.readFileSync(lock, 'utf8'), 'of another');
    fs.rmSync(lock);
  });

  it('is taken from a suspended process, which notices that when it resumes', async () => {
    const lock = folder('lock');
    const script = `
      const { withFileLock } = require(${JSON.stringify(require.resolve('../../dist/download/file-lock.js'))});
      const work = (signal) => {
        console.log('held');
        return new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      };
      const keep = setInterval(() => {}, 1000);
      withFileLock(process.argv[1], undefined, work, undefined, ${JSON.stringify({ ...often, staleMs: 300 })})
        .catch((error) => console.log(error.code))
        .finally(() => clearInterval(keep));`;
    const child = spawn(process.execPath, ['-e', script, lock], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      assert.equal(String(await once(child.stdout, 'data')), 'held\n');
      child.kill('SIGSTOP');
      const work = async () => {
        child.kill('SIGCONT');
        assert.equal(String(await once(child.stdout, 'data')), 'ERR_BUSY\n');
        await once(child, 'close');
        assert.deepEqual(fs.readdirSync(folder()), ['lock']);
      };
      await withFileLock(lock, undefined, work, undefined, { ...often, staleMs: 300 });
    } finally {
      child.kill('SIGKILL');
    }
    assert.deepEqual(fs.readdirSync(folder()), []);
  });

  for (const other of [{ pidNamespace: 'pid:[1]' }, { pidNamespace: null }, { host: 'elsewhere' }]) {
    it(`waits if the process may be running: ${JSON.stringify(other)} instead of this process's`, async () => {
      const lock = folder('lock');
      const held = JSON.stringify({ ...JSON.parse(deadHolder()), ...other });
      fs.writeFileSync(lock, held);
      const controller = new AbortController();
      const work = async () => assert.fail('was let in');
      const waits = withFileLock(lock, controller.signal, work, () => controller.abort(), often);
      await assert.rejects(waits, { name: 'AbortError' });
      assert.equal(fs.readFileSync(lock, 'utf8'), held);
      fs.rmSync(lock);
    });
  }
});
