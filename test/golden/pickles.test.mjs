// Pickles of containers of many sizes: Python's pickler writes their items in groups of 1000, and has three ways to end.
// What torch.save wrote is stored in pickles.json; where there is a Python, whole files are compared too.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { loadState, OrderedDict, saveState, Tuple } from 'torch-incremental';
import { pickleTree } from '../../dist/checkpoint/pickle/write-tree.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/golden/pickles.py');
const stored = path.join(root, 'test/golden/pickles.json');
const golden = JSON.parse(fs.readFileSync(stored, 'utf8'));

const range = (count) => Array.from({ length: count }, (_, i) => i);
const pairs = (count) => range(count).map((i) => [i, i]);
const dict = (entries) => new Map(Object.entries(entries));

/** As in pickles.py. */
const makers = {
  dict: (count) => new Map(pairs(count)),
  OrderedDict: (count) => new OrderedDict(pairs(count)),
  list: range,
  tuple: (count) => Tuple.from(range(count)),
  set: (count) => new Set(range(count)),
  nested(count) {
    const empty = [];
    const ordered = new OrderedDict(range(count).map((i) => [i, new Map([[i, i]])]));
    return [dict({ a: range(count).fill(0), b: Tuple.from(range(count)) }), ordered, range(count).fill(empty)];
  },
};

describe('the pickle of a container', () => {
  const temporary = temporaryFolder();

  for (const [name, sha256] of Object.entries(golden)) {
    it(`has the bytes of Python's: ${name}`, () => {
      const [maker, size] = name.split(' ');
      const { pickle } = pickleTree(makers[maker](Number(size)), assert.fail);
      assert.equal(createHash('sha256').update(pickle).digest('hex'), sha256);
    });
  }

  it('is the one that a fresh run of Python makes, and whole files loaded and saved again have every byte', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    assert.deepEqual(JSON.parse(runPython(script, [temporary('theirs')])), golden);
    const names = fs.readdirSync(temporary('theirs'));
    assert.ok(names.length > 50);
    for (const name of names) {
      const theirs = path.join(temporary('theirs'), name);
      await saveState(await loadState(theirs), temporary(name));
      assert.ok(fs.readFileSync(temporary(name)).equals(fs.readFileSync(theirs)), name);
      fs.rmSync(temporary(name));
    }
  });
});
