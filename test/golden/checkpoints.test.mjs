// Checkpoints that PyTorch made, read and written here: what is stored in test/golden/checkpoints/, and, where there is a
// Python, fresh ones too. checkpoints.py makes them all.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { createState, loadState, net, saveState } from 'torch-incremental';
import { inspectFile } from '../../dist/checkpoint/inspect.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const folder = path.join(root, 'test/golden/checkpoints');
const script = path.join(root, 'test/golden/checkpoints.py');
const expected = JSON.parse(fs.readFileSync(path.join(folder, 'checkpoints.json'), 'utf8'));

/** Files that torch.save does not write like this: loaded and saved again they are other bytes. */
const otherForms = /^(big_endian|old|parameters|protocol\d|unchecked)\.pth$/;

const hash = ({ data }) => createHash('sha256').update(data).digest('hex').slice(0, 16);

function describeState(state) {
  return state.tensors.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape: [...shape],
    sha256: hash(state.tensor(name)),
  }));
}

function modulesOf(metadata) {
  const modules = metadata.get('_metadata');
  return modules ? [...modules].map(([module, facts]) => [module, [...facts]]) : null;
}

describe('checkpoints that PyTorch wrote', () => {
  for (const [name, { tensors, metadata }] of Object.entries(expected)) {
    it(`${name} holds the tensors that PyTorch put there`, async () => {
      const state = await loadState(path.join(folder, name));
      assert.deepEqual(
        describeState(state),
        tensors.map(({ storage, ...tensor }) => tensor),
      );
      assert.deepEqual(modulesOf(state.metadata), metadata);
    });

    it(`${name} is described without loading it`, async () => {
      const description = await inspectFile(path.join(folder, name));
      const first = new Map(tensors.toReversed().map((tensor) => [tensor.storage, tensor.name]));
      assert.deepEqual(
        description.tensors.map((tensor) => [tensor.name, tensor.dtype, tensor.shape, tensor.sharedWith]),
        tensors.map((tensor) => {
          const owner = first.get(tensor.storage);
          return [tensor.name, tensor.dtype, tensor.shape, owner === tensor.name ? undefined : owner];
        }),
      );
      assert.equal(description.bytes, fs.statSync(path.join(folder, name)).size);
      assert.equal(description.byteorder, name.startsWith('big') ? 'big' : 'little');
      JSON.stringify(description);
    });
  }
});

describe('checkpoints written here', () => {
  const temporary = temporaryFolder();

  for (const name of Object.keys(expected).filter((file) => !otherForms.test(file))) {
    it(`${name}, loaded and saved again, has every byte that PyTorch wrote`, async () => {
      const state = await loadState(path.join(folder, name));
      await saveState(state, temporary(name));
      assert.ok(fs.readFileSync(temporary(name)).equals(fs.readFileSync(path.join(folder, name))));
    });
  }

  for (const name of Object.keys(expected).filter((file) => otherForms.test(file))) {
    it(`${name}, loaded and saved again, holds the same`, async () => {
      const state = await loadState(path.join(folder, name));
      await saveState(state, temporary(name));
      const again = await loadState(temporary(name));
      assert.ok(again.equals(state));
      assert.deepEqual(again.metadata, state.metadata);
    });
  }

  it('load in Python with weights_only, mmap, map_location=meta and load_state_dict(strict=True)', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const written = path.join(temporary(), 'for Python');
    fs.mkdirSync(written);
    for (const name of Object.keys(expected)) {
      const state = await loadState(path.join(folder, name));
      await saveState(state, path.join(written, name));
    }
    const facts = Object.assign({}, ...runPython(script, ['check', written]).trim().split('\n').map(JSON.parse));
    assert.deepEqual(facts, expected);
  });

  it('are those that a fresh run of Python writes, byte for byte', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const fresh = path.join(temporary(), 'fresh');
    runPython(script, ['make', fresh]);
    for (const name of fs.readdirSync(fresh).filter((file) => !file.endsWith('.json') && !otherForms.test(file))) {
      const fromPython = fs.readFileSync(path.join(fresh, name));
      const state = await loadState(path.join(fresh, name));
      await saveState(state, path.join(fresh, name));
      assert.ok(fs.readFileSync(path.join(fresh, name)).equals(fromPython), name);
    }
  });

  it('of a new Net are those of torch.save(Net().state_dict())', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const file = temporary('net.pth');
    runPython(script, ['net', file]);
    const fromPython = fs.readFileSync(file);
    const state = await createState(net(), { seed: 3 });
    await saveState(state, file);
    assert.ok(fs.readFileSync(file).equals(fromPython));
  });
});
