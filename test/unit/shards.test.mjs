// Sharded checkpoints: several files and their index are one state, wherever a path is taken.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  createState,
  evaluate,
  linear,
  loadState,
  relu,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

const model = sequential({ a: linear(4, 6), relu: relu(), b: linear(6, 6), c: linear(6, 3) }, { input: [4] });
const data = arrays({ inputs: new Float32Array(32).map((_, i) => i % 5), labels: new Int32Array(8), shape: [4] });

describe('a sharded checkpoint', () => {
  const at = temporaryFolder();
  let state;
  before(async () => {
    state = await createState(model, { seed: 1 });
  });

  /** Writes a folder as transformers does, and returns its path. */
  async function sharded(name, parts, { extension = 'safetensors', metadata = {} } = {}) {
    const folder = at(name);
    fs.mkdirSync(folder);
    const weights = {};
    for (const [i, part] of parts.entries()) {
      const file = `model-0000${i + 1}-of-0000${parts.length}.${extension}`;
      await saveState(part, path.join(folder, file));
      for (const tensor of part.names) weights[tensor] = file;
    }
    const index = { metadata, weight_map: Object.fromEntries(Object.entries(weights).sort()) };
    fs.writeFileSync(path.join(folder, `model.${extension}.index.json`), JSON.stringify(index, null, 2));
    return folder;
  }
  const parts = () => [state.select('a'), state.select('b'), state.select('c')];

  async function warningsOf(work) {
    const warnings = [];
    const listen = (warning) => warnings.push(warning);
    process.on('warning', listen);
    await work();
    await new Promise(setImmediate);
    process.off('warning', listen);
    return warnings.filter(({ name }) => name === 'LearnWarning').map(({ code, message }) => `${code}: ${message}`);
  }

  it('is one state, in the order of its files, and keeps the versions of modules that they have', async () => {
    const folder = await sharded('bin', parts(), { extension: 'bin' });
    for (const place of [folder, path.join(folder, 'model.bin.index.json')]) {
      const loaded = await loadState(place);
      assert.ok(loaded.equals(state));
      assert.deepEqual(loaded.metadata.get('_metadata'), state.metadata.get('_metadata'));
    }
    const plain = await loadState(await sharded('safe', parts()));
    assert.deepEqual(new Set(plain.names), new Set(state.names));
    for (const name of state.names) assert.deepEqual(plain.tensor(name), state.tensor(name));
  });

  it('is trained from, evaluated and saved like any other', async () => {
    const folder = await sharded('source', parts(), { extension: 'bin' });
    const options = { model, data, epochs: 1, seed: 1, threads: 1 };
    const [one, other] = [await trainIncremental(folder, options), await trainIncremental(state, options)];
    assert.ok(one.state.equals(other.state));
    assert.equal((await evaluate(folder, { model, data })).loss, (await evaluate(state, { model, data })).loss);
    await saveState(await loadState(folder), at('whole.pth'));
    assert.ok((await loadState(at('whole.pth'))).equals(state));
  });

  it('loses the prefix of all its names, and what belongs to the wrapper', async () => {
    const wrapped = state
      .renamed((name) => `module.${name}`)
      .with({ n_averaged: { dtype: 'int64', shape: [], data: BigInt64Array.of(5n) } });
    const folder = await sharded('wrapped', [wrapped.select('module.a'), wrapped.without('module.a')], {
      extension: 'bin',
    });
    let loaded;
    const warnings = await warningsOf(async () => {
      loaded = await loadState(folder, { stripPrefix: 'auto' });
    });
    assert.deepEqual(loaded.names, state.names);
    assert.deepEqual(loaded.stripped, { prefix: 'module.', leftOut: ['n_averaged'] });
    assert.equal(loaded.metadata.get('n_averaged').data[0], 5n);
    assert.match(warnings.join(), /WARN_LEFT_OUT/);
  });

  it('of another total_size is loaded with a warning, and of the right one without', async () => {
    const bytes = state.tensors.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    const [right, wrong] = [bytes, 2 * bytes].map((total_size) => ({ metadata: { total_size } }));
    assert.deepEqual(await warningsOf(async () => loadState(await sharded('right', parts(), right))), []);
    const warnings = await warningsOf(async () => loadState(await sharded('wrong', parts(), wrong)));
    assert.match(warnings.join(), new RegExp(`WARN_TOTAL_SIZE: .* gives ${2 * bytes} bytes .* have ${bytes}`));
  });

  it('is a snapshot of links, as in the cache of the Hugging Face hub', async () => {
    const folder = await sharded('blobs', parts());
    fs.mkdirSync(at('snapshot'));
    for (const name of fs.readdirSync(folder)) fs.symlinkSync(path.join('..', 'blobs', name), at(`snapshot/${name}`));
    assert.equal((await loadState(at('snapshot'))).names.length, state.names.length);
  });

  it('stops loading when it is aborted, and frees what it had', async () => {
    const folder = await sharded('aborted', parts());
    await assert.rejects(loadState(folder, { signal: AbortSignal.abort('enough') }), (reason) => reason === 'enough');
  });
});
