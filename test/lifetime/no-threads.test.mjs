// Threads that the system refuses: the call rejects, leaves nothing, and the process ends by itself.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root, temporaryFolder } from '../support.mjs';

describe('where no thread can be made', () => {
  const folder = temporaryFolder('torch-incremental-threads-');
  const library = () => folder('threads.so');

  before(function () {
    if (process.platform !== 'linux') this.skip();
    const source = path.join(root, 'test/lifetime/fixtures/threads.c');
    const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library(), source, '-ldl'], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
  });

  let runs = 0;
  function run(script, what, granted, threads) {
    const place = folder(`run ${runs++}`);
    fs.mkdirSync(place);
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(root, 'test/lifetime/fixtures', script), what, place, String(granted), String(threads)],
      {
        encoding: 'utf8',
        timeout: 30_000,
        env: { ...process.env, LD_PRELOAD: library(), NO_THREADS: path.join(place, 'no-threads') },
      },
    );
    return { status, signal, stdout: stdout.trim(), stderr };
  }
  const clean = (stdout) => ({ status: 0, signal: null, stdout, stderr: '' });

  const refused = 'LearnError ERR_OUT_OF_MEMORY, then done';
  // How many there are to be had, and how many are to compute.
  for (const [what, granted, threads, missing] of [
    ['train', 0, 1, 'its own'],
    ['train', 1, 1, 'the one that makes batches'],
    ['train', 1, 3, 'those of its team'],
    ['train', 2, 3, 'one of its team'],
    ['evaluate', 0, 1, 'its own'],
    ['evaluate', 1, 2, 'that of its team'],
    ['predict', 0, 1, 'its own'],
    ['batches', 0, 1, 'the one that makes them'],
    ['open', 0, 1, 'its own'],
  ]) {
    it(`${what} rejects without ${missing}, and works afterwards`, () => {
      assert.deepEqual(run('no-threads.mjs', what, granted, threads), clean(refused));
    });
  }

  it('a learner that has its thread learns', () => {
    assert.deepEqual(run('no-threads.mjs', 'learn', 0, 1), clean('done, then done'));
  });

  it('a state is read by the threads that there are', () => {
    assert.deepEqual(run('no-threads.mjs', 'load', 0, 1), clean('done, then done'));
  });

  for (const what of ['train', 'predict', 'open']) {
    it(`${what} rejects in a worker, whose end leaves the process alive`, () => {
      assert.deepEqual(run('no-threads-worker.mjs', what, 0, 1), clean(`${refused}\nworker ended with 0`));
    });
  }
});
