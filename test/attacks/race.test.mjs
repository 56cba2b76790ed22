// Tests files that another process replaces or overwrites while they are loaded: the result is always one of the two files, complete.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { loadState } from 'torch-incremental';
import { withCheckpoint } from '../../dist/checkpoint/checkpoint.js';
import { inspectFile } from '../../dist/checkpoint/inspect.js';
import { loadOpened } from '../../dist/state/load.js';
import { temporaryFolder } from '../support.mjs';
import { checkpoint, p, pickle, records, zip } from '../unit/checkpoint-support.mjs';
import { legacy, legacyTensor, safetensors } from './build.mjs';

const floats = (...values) => Buffer.from(new Float32Array(values).buffer);
const entry = (begin) => ({ dtype: 'F32', shape: [2], data_offsets: [begin, begin + 8] });
const two = pickle(null, [p.text('a'), legacyTensor({ key: '7' }), p.text('b'), legacyTensor({ key: '8' })]);
const streamOf = (keys, ...values) =>
  legacy({ object: two, keys, storages: values.map((value) => [4, floats(value, value, value, value)]) });

/** Two files of the same size with tensors in different places or with other values, and their contents. */
const pairs = {
  zip: [
    [checkpoint(), 'weight 1,2,3,4'],
    [zip(records().map(([name, data]) => [name, name === 'x/data/0' ? floats(9, 8, 7, 6) : data])), 'weight 9,8,7,6'],
  ],
  legacy: [
    [streamOf(['7', '8'], 1, 2), 'a 1,1,1,1 b 2,2,2,2'],
    [streamOf(['8', '7'], 22, 11), 'a 11,11,11,11 b 22,22,22,22'],
  ],
  safetensors: [
    [safetensors({ a: entry(0), b: entry(8) }, floats(1, 1, 2, 2)), 'a 1,1 b 2,2'],
    [safetensors({ b: entry(0), a: entry(8) }, floats(22, 22, 11, 11)), 'b 22,22 a 11,11'],
  ],
};

/** Replaces the file by the two contents in turn, until its parent has ended. */
const swapper = `
const fs = require('node:fs');
const [file, ...others] = process.argv.slice(1);
const contents = others.map((other) => fs.readFileSync(other));
const pause = new Int32Array(new SharedArrayBuffer(4));
for (let i = 0; process.ppid === ${process.pid}; i++) {
  fs.writeFileSync(file + '.new', contents[i % 2]);
  fs.renameSync(file + '.new', file);
  if (i === 0) process.stdout.write('ready');
  Atomics.wait(pause, 0, 0, 0.7);
}`;

const loads = 200;

describe('a file that is replaced while it is loaded', function () {
  this.timeout(120_000);
  const temporary = temporaryFolder();

  const write = (name, content) => {
    fs.writeFileSync(temporary(name), content);
    return temporary(name);
  };
  const textOf = (state) => {
    const text = state.names.map((name) => `${name} ${[...state.tensor(name).data]}`).join(' ');
    state.dispose();
    return text;
  };

  for (const [kind, [[first, inFirst], [second, inSecond]]] of Object.entries(pairs)) {
    it(`is one of the two, complete, at each of ${loads} loads (${kind})`, async () => {
      assert.equal(first.length, second.length);
      const file = write(`${kind}.pth`, first);
      const args = [file, write(`${kind} first`, first), write(`${kind} second`, second)];
      const child = spawn(process.execPath, ['-e', swapper, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        await once(child.stdout, 'data');
        for (let i = 0; i < loads; i++) assert.ok([inFirst, inSecond].includes(textOf(await loadState(file))));
      } finally {
        child.kill();
      }
    });

    it(`is read as it was when it was opened (${kind})`, async () => {
      const file = write(`opened ${kind}.pth`, first);
      const state = await withCheckpoint(file, {}, async (opened) => {
        fs.renameSync(write('new', second), file);
        return loadOpened(opened);
      });
      assert.equal(textOf(state), inFirst);
    });

    it(`is refused if it is overwritten in place (${kind})`, async () => {
      const file = write(`written ${kind}.pth`, first);
      fs.utimesSync(file, 1, 1);
      const loading = withCheckpoint(file, {}, async (opened) => {
        fs.writeFileSync(file, second);
        return loadOpened(opened);
      });
      await assert.rejects(loading, { code: 'ERR_FILE', message: /changed while it was being read; load it again/ });
    });
  }

  it('is refused if it is truncated, also if its times are unchanged', async () => {
    const [[content]] = pairs.zip;
    const times = (file) => fs.utimesSync(file, 1, 1);
    const file = write('cut.pth', content);
    times(file);
    const changed = { code: 'ERR_FILE', message: /changed while it was being read/ };
    const cut = inspectFile(file, {}, async () => fs.truncateSync(file, 40));
    await assert.rejects(cut, changed);
    write('cut.pth', content);
    times(file);
    const forged = inspectFile(file, {}, async () => {
      fs.writeFileSync(file, content);
      times(file);
    });
    await assert.rejects(forged, changed);
  });
});
