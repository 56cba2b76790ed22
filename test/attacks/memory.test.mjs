// Tests files of a kilobyte with a tensor of gigabytes, whose elements are all the same one: they load, and operations that need more
// memory than is available throw.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { needsPrlimit, root, temporaryFolder } from '../support.mjs';
import { checkpoint, pickle, tensor } from '../unit/checkpoint-support.mjs';
import { isSanitized } from './limited.mjs';

const library = path.join(root, 'dist/index.mjs');

/** Loads a file, limits its own address space to `room` bytes more than it has, and prints the result of each use. */
const script = (file, room) => `
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { loadState } from ${JSON.stringify(library)};
const state = await loadState(${JSON.stringify(file)});
const used = Number(fs.readFileSync('/proc/self/status', 'utf8').match(/VmSize:\\s*(\\d+)/)[1]) * 1024;
execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + (used + ${room})]);
for (const use of [() => state.tensor('weight').data.length, () => state.equals(state)]) {
  try { console.log(use()); } catch (error) { console.log(error.code); }
}`;

describe('a tensor that is far larger than its file', () => {
  const temporary = temporaryFolder();
  const usesOf = (elements, room) => {
    fs.writeFileSync(temporary('large.pth'), checkpoint(pickle(tensor({ shape: [elements], stride: [0] }))));
    const args = ['--input-type=module', '-e', script(temporary('large.pth'), room)];
    return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n');
  };

  before(function () {
    if (isSanitized) this.skip();
    needsPrlimit(this);
  });

  it('throws without enough memory for its elements', () => {
    assert.deepEqual(usesOf(2 ** 40, 2 ** 29), ['ERR_OUT_OF_MEMORY', 'ERR_OUT_OF_MEMORY']);
  });

  it('throws with enough memory for its elements but not for a copy of them', () => {
    assert.equal(usesOf(2 ** 26, 400 * 2 ** 20)[0], 'ERR_OUT_OF_MEMORY');
  });

  it('is copied with enough memory', () => {
    assert.deepEqual(usesOf(2 ** 20, 2 ** 30), [String(2 ** 20), 'true']);
  });
});
