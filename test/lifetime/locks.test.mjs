// Locks of a worker are released when it is terminated, at any moment.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root, temporaryFolder } from '../support.mjs';

describe('a worker that is terminated', () => {
  const folder = temporaryFolder();

  before(function () {
    if (process.platform !== 'linux') this.skip(); // /proc says what is open
  });

  it('between taking a lock and giving it back leaves nothing locked', () => {
    const script = path.join(root, 'test/lifetime/fixtures/locks.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder('locks'), '40'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '0 left locked\n', stderr: '' });
  });
});
