// States fit the program that they are saved with, or nothing is written.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadState, State } from 'torch-incremental';
import { writeProgram } from '../../dist/pt2/save-model.js';
import { temporaryFolder } from '../support.mjs';
import { archive, written } from './archives.mjs';
import { model } from './descriptions.mjs';
import { described, float, mismatch, originAt, read, saved, weights } from './saved.mjs';

describe('states of saved programs', () => {
  const at = temporaryFolder();

  it('may have no counts of batches, which then start at 0, as in old checkpoints', async () => {
    const tensors = {
      weight: { role: 'parameter', shape: [2] },
      num_batches_tracked: { role: 'buffer', dtype: 'int64', shape: [] },
    };
    const [{ values }] = await read(await saved(at, archive(described(tensors)), { weight: float([2], 1, 2) }));
    assert.deepEqual(values, [[1, 2], [0]]);
  });

  it('may have no count before tensors that are stored apart', async () => {
    const tensors = {
      weight: { role: 'parameter', shape: [2, 1] },
      num_batches_tracked: { role: 'buffer', dtype: 'int64', shape: [] },
      other: { role: 'parameter', shape: [1] },
      view: { role: 'parameter', shape: [1, 2], shares: 'weight' },
    };
    const state = { weight: float([2, 1], 1, 2), other: float([1], 3), view: float([1, 2], 4, 5) };
    const [{ program, values }] = await read(await saved(at, archive(described(tensors)), state));
    assert.deepEqual(values, [[1, 2], [0], [3], [4, 5]]);
    assert.equal(new Set(program.tensors.map(({ storage }) => storage)).size, 4);
  });

  it('have the names, dtypes and shapes of the program, or nothing is written', async () => {
    const refused = (state, message) =>
      assert.rejects(saved(at, archive(model()), state, 'refused.pt2'), mismatch(message));
    const { 'fc.bias': bias, ...rest } = weights;
    await refused(rest, /Expected a tensor "fc\.bias" but the state has none/);
    await refused({ ...weights, other: bias }, /only tensors of the program but the state has "other" too/);
    const wide = { dtype: 'float64', shape: [2], data: new Float64Array(2) };
    await refused({ ...weights, 'fc.bias': wide }, /"fc\.bias" to be float32, as in the program, but it is float64/);
    await refused(
      { ...weights, 'fc.bias': float([1, 2], 1, 2) },
      /shape \[2\] for "fc\.bias" but the state has \[1, 2\]/,
    );
    const tied = {
      weight: { role: 'parameter', shape: [2] },
      tied: { role: 'parameter', shape: [2], shares: 'weight' },
    };
    const torn = { weight: float([2], 1, 2), tied: float([2], 1, 3) };
    const saving = saved(at, archive(described(tied)), torn, 'refused.pt2');
    await assert.rejects(saving, mismatch(/Expected equal values for "weight" and "tied", which are one tensor/));
    assert.ok(!fs.existsSync(at('refused.pt2')));
  });

  it('may have one name of a tied tensor, as safetensors files do', async () => {
    const tensors = {
      weight: { role: 'parameter', shape: [2] },
      tied: { role: 'parameter', shape: [2], shares: 'weight' },
    };
    const [{ program, values }] = await read(await saved(at, archive(described(tensors)), { tied: float([2], 1, 2) }));
    assert.deepEqual(program.tensors[0].names, ['weight', 'tied']);
    assert.deepEqual(values, [[1, 2]]);
  });

  it('are saved again into the file of their program', async () => {
    const file = await saved(at, archive(model()));
    const first = fs.readFileSync(file);
    await writeProgram(file, await originAt(file), State.from(weights));
    assert.deepEqual(fs.readFileSync(file), first);
  });

  it('are written although they are disposed, and after the archive is gone', async () => {
    const origin = await originAt(written(at('net.pt2'), archive(model())));
    fs.rmSync(at('net.pt2'));
    const state = State.from(weights);
    const saving = writeProgram(at('new name.pt2'), origin, state);
    state.dispose();
    await saving;
    assert.deepEqual((await read(at('new name.pt2')))[0].values[1], [7, 8]);
    await assert.rejects(writeProgram(at('new name.pt2'), origin, state), { code: 'ERR_DISPOSED' });
  });

  it('make no checkpoint of an archive', async () => {
    await assert.rejects(loadState(await saved(at, archive(model()))), { code: 'ERR_STATE_FORMAT' });
  });

  it('leave the event loop free while a large one is written', async () => {
    const tensors = Object.fromEntries(
      Array.from({ length: 600 }, (_, i) => [`weight${i}`, { role: 'parameter', shape: [64] }]),
    );
    const state = State.from(
      Object.fromEntries(Object.keys(tensors).map((name) => [name, float([64], ...Array(64).keys())])),
    );
    const origin = await originAt(written(at('net.pt2'), archive(described(tensors))));
    let turns = 0;
    const counter = setInterval(() => turns++, 0);
    await writeProgram(at('new name.pt2'), origin, state);
    clearInterval(counter);
    assert.ok(turns >= 3, `${turns} turns`);
  });
});
