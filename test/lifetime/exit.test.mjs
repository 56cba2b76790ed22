// The end of a process or of a worker in the middle of a run: no crash, no hang, and the exit code that was asked for.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../support.mjs';

function run(how) {
  const script = path.join(root, 'test/lifetime/fixtures/run.mjs');
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, how], {
    encoding: 'utf8',
    timeout: 40_000,
  });
  assert.equal(signal, null, `${how} was ended by ${signal}: ${stderr}`);
  return { status, stdout, stderr };
}

describe('a process in the middle of a run', () => {
  it('ends by itself with code 0 when the run is over', () => {
    assert.deepEqual(run('natural'), { status: 0, stdout: 'steps 16\n', stderr: '' });
  });

  it('ends with the code given to process.exit()', () => {
    assert.deepEqual(run('exit'), { status: 7, stdout: '', stderr: '' });
  });

  it('ends with the code given to process.exit() inside a callback of the run', () => {
    assert.deepEqual(run('exit in callback'), { status: 7, stdout: '', stderr: '' });
  });

  it('ends with code 1 at an uncaught exception', () => {
    const { status, stderr } = run('uncaught');
    assert.equal(status, 1);
    assert.match(stderr, /Error: uncaught/);
  });

  it('ends by itself after an abort', () => {
    assert.deepEqual(run('abort then end'), { status: 0, stdout: 'aborted\n', stderr: '' });
  });

  it('outlives workers terminated while they train, and can train afterwards', () => {
    assert.deepEqual(run('terminate'), { status: 0, stdout: 'codes 1,1 steps 8\n', stderr: '' });
  });

  it('outlives workers terminated at any moment', () => {
    assert.deepEqual(run('terminate often'), { status: 0, stdout: 'survived\n', stderr: '' });
  });

  it('exits while it and a worker are training', () => {
    assert.deepEqual(run('exit with worker'), { status: 7, stdout: '', stderr: '' });
  });
});
