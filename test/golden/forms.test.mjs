// Checkpoints of all forms that Python makes: read here, written here, and read by Python again. What is stored in
// test/golden/forms/, and, where there is a Python, fresh ones too. forms.py makes them all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { loadState, OrderedDict, saveState, Tuple } from 'torch-incremental';
import { needs, python, root, runPython, temporaryFolder } from '../support.mjs';

const folder = path.join(root, 'test/golden/forms');
const script = path.join(root, 'test/golden/forms.py');
const expected = JSON.parse(fs.readFileSync(path.join(folder, 'forms.json'), 'utf8'));

const hash = ({ data }) => createHash('sha256').update(data).digest('hex').slice(0, 16);

function tensorsOf(state) {
  return state.tensors.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape: [...shape],
    sha256: hash(state.tensor(name)),
  }));
}

/** Of files with what is not written again, or not part of the state. */
const warningsOf = {
  'lightning.ckpt': ['WARN_NOT_WRITTEN'],
  'storages.pt': ['WARN_NOT_WRITTEN'],
  'averaged model.pt': ['WARN_LEFT_OUT'],
  'lightning with loss.ckpt': ['WARN_LEFT_OUT'],
};

/** What is not written again. */
const notWritten = ['hyper_parameters', 'callback', 'storage', 'typed'];

/** Loads and saves; of what the process was warned must be as it should. */
async function rewrite(from, to, options) {
  const warnings = [];
  const listen = (warning) => warnings.push(warning.code);
  process.on('warning', listen);
  const state = await loadState(from, options);
  await saveState(state, to);
  await new Promise(setImmediate);
  process.off('warning', listen);
  assert.deepEqual(warnings, warningsOf[path.basename(from)] ?? []);
  return state;
}

describe('checkpoints of all forms', () => {
  const temporary = temporaryFolder();

  for (const [name, { options, tensors }] of Object.entries(expected)) {
    it(`${name} holds the tensors that PyTorch put there, also when it is loaded and saved again`, async () => {
      const state = await rewrite(path.join(folder, name), temporary(name), options);
      assert.deepEqual(tensorsOf(state), tensors);
      const again = await loadState(temporary(name), options.key ? { key: options.key } : {});
      assert.ok(again.equals(state));
      const kept = [...state.metadata].filter(([key]) => !notWritten.includes(key));
      assert.deepEqual(describeValue(new Map(kept)), describeValue(again.metadata));
    });
  }

  it('load in Python with weights_only, with the same structure, types, bits and shared storages', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const [fresh, kept, ours] = ['fresh', 'kept', 'ours'].map((name) => temporary(name));
    fs.mkdirSync(ours);
    runPython(script, ['make', fresh, kept]);
    const facts = JSON.parse(fs.readFileSync(path.join(fresh, 'forms.json'), 'utf8'));
    for (const [name, { options, tensors }] of Object.entries(facts)) {
      const state = await rewrite(path.join(fresh, name), path.join(ours, name), options);
      assert.deepEqual(tensorsOf(state), tensors, name);
    }
    const checked = runPython(script, ['check', kept, ours]).trim().split('\n');
    assert.deepEqual(checked.sort(), Object.keys(expected).sort());
  });

  it('say what was taken from their names, and keep what was left out beside the state', async () => {
    const options = { stripPrefix: 'auto' };
    const averaged = await loadState(path.join(folder, 'averaged model.pt'), options);
    assert.deepEqual(averaged.stripped, { prefix: 'module.module.', leftOut: ['n_averaged'] });
    assert.deepEqual(averaged.metadata.get('n_averaged').data, BigInt64Array.of(1n));
    const lightning = await loadState(path.join(folder, 'lightning with loss.ckpt'), options);
    assert.deepEqual(lightning.stripped, { prefix: 'model.', leftOut: ['criterion.weight', 'class_weights'] });
    assert.deepEqual(lightning.metadata.get('class_weights').data, Float32Array.of(0, 1, 2));
    const plain = await loadState(path.join(folder, 'training sgd.pt'), options);
    assert.deepEqual(plain.stripped, { prefix: '', leftOut: [] });
  });

  it('give what stands beside the weights as plain values', async () => {
    const { metadata } = await loadState(path.join(folder, 'training adam.pt'));
    assert.deepEqual([metadata.get('epoch'), metadata.get('lr'), metadata.get('loss')], [3, 1, 0.1 + 0.2]);
    const momentum = metadata.get('optimizer').get('state').get(0).get('exp_avg');
    assert.deepEqual(momentum.shape, [2, 1, 3, 3]);
    const [group] = metadata.get('optimizer').get('param_groups');
    assert.ok(group.get('betas') instanceof Tuple);
    assert.ok(metadata.get('_metadata') instanceof OrderedDict);
    assert.equal(metadata.get('rng').get('python')[1].length, 625);
  });
});

/** Tensors by their bytes. */
function describeValue(value) {
  if (value instanceof Map) return [value.constructor.name, [...value].map((item) => item.map(describeValue))];
  if (Array.isArray(value)) return [value.constructor.name, [...value].map(describeValue)];
  if (value instanceof Set) return new Set([...value].map(describeValue));
  return value?.dtype ? [value.dtype, value.shape, hash(value)] : value;
}

describe('safetensors files', () => {
  const temporary = temporaryFolder();
  const hasLibrary = python && spawnSync(python, ['-c', 'import safetensors']).status === 0;

  for (const name of ['dtypes', 'none']) {
    it(`of the safetensors library, of ${name}, are read, and written again byte for byte`, async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      if (!hasLibrary) this.skip();
      runPython(script, ['safetensors', temporary('library')]);
      const [file, pth] = ['safetensors', 'pth'].map((ending) => temporary(`library/${name}.${ending}`));
      const state = await loadState(file);
      const wanted = await loadState(pth);
      assert.deepEqual([...state.names].sort(), [...wanted.names].sort());
      for (const key of wanted.names) assert.deepEqual(state.tensor(key), wanted.tensor(key), key);
      assert.equal(state.metadata.get('format'), 'pt');
      await saveState(state, temporary('again.safetensors'));
      assert.ok(fs.readFileSync(temporary('again.safetensors')).equals(fs.readFileSync(file)));
    });
  }

  it('written here of tied, turned and expanded tensors are read by the safetensors library', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    if (!hasLibrary) this.skip();
    const file = path.join(root, 'test/golden/checkpoints/sharing.pth');
    await saveState(await loadState(file), temporary('sharing.safetensors'));
    runPython(script, ['load', file, temporary('sharing.safetensors')]);
  });
});
