// Batch norms of old PyTorch, without a count of batches or with one that has a dimension: taken and refused, trained and
// saved as load_state_dict(strict=True) does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  batchNorm2d,
  conv2d,
  flatten,
  linear,
  loadState,
  OnlineLearner,
  OrderedDict,
  predict,
  saveState,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import { treeOf } from '../../dist/state/state.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { checkpoint, pickle, storage, tensor } from '../unit/checkpoint-support.mjs';

const model = sequential([conv2d(3, 4, 3), batchNorm2d(4), flatten(), linear(16, 2)], { input: [3, 4, 4] });
const inputs = Float32Array.from({ length: 192 }, (_, i) => i / 64 - 1);
const data = arrays({ inputs, labels: [0, 1, 1, 0], shape: [3, 4, 4], classes: 2 });
const options = {
  model,
  data,
  epochs: 3,
  batchSize: 4,
  shuffle: false,
  optimizer: sgd({ learningRate: 0.25, momentum: 0.5 }),
  threads: 1,
};
const count = '1.num_batches_tracked';

/** Whether PyTorch takes it, as batch_counts.py names it. */
const golden = {
  none: true,
  'none, without a version': true,
  'none, version 1': true,
  'none, version 2': false,
  'of one': true,
  'of one, version 2': true,
  'of three': false,
  'of none': false,
  'with two dimensions': false,
  float32: true,
  'int32 of one': true,
  'weights in float64': true,
  'a weight of one': false,
};

describe('a batch norm of an older PyTorch', () => {
  const at = temporaryFolder();
  const stored = (name) => path.join(root, 'test/golden/checkpoints', name);

  /** The stored state with another count, or none, and another version of its batch norm. */
  async function changed(file, { value, version } = {}) {
    const { root: whole } = treeOf(await loadState(stored('batch.norm.pth')));
    const entries = [...whole].filter(([name]) => name !== count);
    if (value) entries.push([count, value]);
    const dict = version === undefined ? new Map(entries) : new OrderedDict(entries);
    if (version !== undefined)
      dict.attributes = new Map([['_metadata', new OrderedDict([['1', new Map([['version', version]])]])]]);
    await writeCheckpoint(dict, at(file));
    return at(file);
  }

  it('without a count begins at 0, and is otherwise trained as with one; the file keeps what it had', async () => {
    const old = await changed('old.pth');
    const { state } = await trainIncremental(old, options);
    const { state: whole } = await trainIncremental(stored('batch.norm.pth'), options);
    assert.deepEqual(state.names, whole.names);
    for (const name of whole.names.filter((other) => other !== count))
      assert.deepEqual(state.tensor(name), whole.tensor(name));
    // The stored one had seen a batch.
    assert.deepEqual(
      [state, whole].map((one) => one.tensor(count)),
      [3n, 4n].map((n) => ({ shape: [], dtype: 'int64', data: BigInt64Array.of(n) })),
    );
    await saveState(await loadState(old), at('again.pth'));
    assert.ok(fs.readFileSync(at('again.pth')).includes(fs.readFileSync(old).subarray(100, 400)));
    assert.ok((await loadState(at('again.pth'))).equals(await loadState(old)));
  });

  it('predicts, and learns online from the first sample to a version that is rolled back to', async () => {
    const old = await changed('old.pth', { version: 1 });
    const [one, other] = await Promise.all(
      [old, stored('batch.norm.pth')].map((file) => predict(file, inputs, { model, threads: 1 })),
    );
    assert.deepEqual(one.logits, other.logits);
    const serving = {
      dir: at('learner'),
      checkpoint: old,
      model,
      transforms: [],
      batchSize: 4,
      maxDelayMs: 0,
      threads: 1,
    };
    const learner = await OnlineLearner.open({ ...serving, gate: { every: 1 } });
    await learner.learn({ inputs, labels: Int32Array.of(0, 1, 1, 0) });
    assert.deepEqual((await learner.predict(inputs)).version, { durable: 1, updates: 1 });
    await learner.rollback(0);
    await learner.save(at('served.pth'));
    await learner.close();
    assert.ok((await loadState(at('served.pth'))).names.includes('1.running_var'));
  });

  it('may have a count with a dimension of size 1', async () => {
    const long = storage({ type: 'torch LongStorage', numel: 2 });
    fs.writeFileSync(at('count.pth'), checkpoint(pickle(tensor({ from: long, shape: [1], stride: [1] }))));
    const value = treeOf(await loadState(at('count.pth'))).root.get('weight');
    assert.deepEqual([value.dtype, value.shape], ['int64', [1]]);
    const { state } = await trainIncremental(await changed('one.pth', { value }), options);
    const expected = { shape: [], dtype: 'int64', data: BigInt64Array.of(value.data[0] + 3n) };
    assert.deepEqual(state.tensor(count), expected);
    const three = treeOf(await loadState(stored('dtypes.pth'))).root.get('int64');
    await assert.rejects(trainIncremental(await changed('three.pth', { value: three }), options), {
      code: 'ERR_STATE_MISMATCH',
      message: /num_batches_tracked is \[3\], expected \[\]/,
    });
  });

  it('without a count is refused where its version says that there is one', async () => {
    const load = trainIncremental(await changed('new.pth', { version: 2 }), options);
    await assert.rejects(load, { code: 'ERR_STATE_MISMATCH', message: /Missing: 1\.num_batches_tracked \[\]\./ });
  });

  describe('of a live PyTorch', () => {
    before(function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      for (const folder of ['ours', 'theirs']) fs.mkdirSync(at(folder));
      const taken = runPython(path.join(root, 'test/golden/batch_counts.py'), [at('theirs')]);
      assert.deepEqual(JSON.parse(taken), golden);
    });

    for (const [name, isTaken] of Object.entries(golden)) {
      it(`is ${isTaken ? 'trained to the same bits' : 'refused as there'}: ${name}`, async () => {
        const training = trainIncremental(at(`theirs/${name}.pth`), options);
        if (!isTaken) return assert.rejects(training, { code: 'ERR_STATE_MISMATCH' });
        const { state } = await training;
        const theirs = await loadState(at(`theirs/${name}.trained.pth`));
        assert.deepEqual(state.names, theirs.names);
        for (const tensor of theirs.names) assert.deepEqual(state.tensor(tensor), theirs.tensor(tensor), tensor);
        await saveState(state, at(`ours/${name}.trained.pth`));
        const files = ['ours', 'theirs'].map((folder) => fs.readFileSync(at(`${folder}/${name}.trained.pth`)));
        assert.ok(files[0].equals(files[1]), 'the files differ');
      });
    }
  });
});
