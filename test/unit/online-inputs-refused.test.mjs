// Samples with two inputs that are not learned: by the values of either, since the model fails on them, or since they are held out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { arrays } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { classes, inputsOf, numbers, open, samples, vocabulary, words } from './inputs-support.mjs';

describe('a learner of samples with two inputs, of which some are not learned,', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let folders = 0;
  const folder = () => at(`refused ${folders++}`);
  const replay = { capacity: 6, perUpdate: 3 };

  it('quarantines samples by the values of each input, and keeps all of their inputs', async () => {
    const dir = folder();
    const learner = await open(dir, { batchSize: 1 });
    const [short, long] = [inputsOf(1), inputsOf(2)];
    const infinite = { ...inputsOf(3), dense: Float32Array.of(1, Infinity, 0) };
    const beyond = { ...inputsOf(4), ids: BigInt64Array.of(1n, 2n, BigInt(vocabulary), 3n, 4n) };
    const reasons = [];
    for (const [id, inputs] of Object.entries({
      short: { ...short, ids: short.ids.slice(1) },
      long: { ...long, dense: new Float32Array(4) },
      ...{ infinite, beyond },
    })) {
      const result = await learner.learn({ inputs, labels: [1], ids: [id] });
      assert.deepEqual([result.updates, result.quarantined], [0, 1]);
      reasons.push(result.reasons[0]);
      assert.equal((await learner.learn({ ...samples(1), ids: [id] })).duplicates, 1);
    }
    assert.deepEqual(
      reasons.slice(0, 3).map(({ code, message }) => [code, message]),
      [
        ['shape', 'expected 5 values a sample for "ids", of shape [5], but there are 4'],
        ['shape', 'expected 3 values a sample for "dense", of shape [3], but there are 4'],
        ['value', 'a value of "dense" is not finite'],
      ],
    );
    assert.equal(reasons[3].code, 'value');
    assert.match(reasons[3].message, /^the model fails on it: index out of range/);
    const lines = fs.readFileSync(`${dir}/quarantine.ndjson`, 'utf8').trim().split('\n').map(JSON.parse);
    assert.deepEqual(
      lines.map(({ id, label, input }) => [id, label, input]),
      ['short', 'long', 'infinite', 'beyond'].map((id) => [id, 1, undefined]),
    );
    const kept = lines[3].inputs;
    assert.deepEqual([kept.ids.type, kept.dense.type], ['int64', 'float32']);
    const bytes = Uint8Array.from(Buffer.from(kept.ids.input, 'base64'));
    assert.deepEqual(new BigInt64Array(bytes.buffer), beyond.ids);
    assert.equal((await learner.learn(samples(5))).updates, 1);
    await learner.close();
    const again = await open(dir);
    assert.equal(again.metrics().quarantined, 4);
    await again.close();
  });

  it('learns the others of a batch in which the model fails on one', async () => {
    const [mixed, clean] = [await open(folder(), { replay }), await open(folder(), { replay })];
    const { inputs, labels } = samples(0, 4);
    inputs.ids[2 * words + 1] = BigInt(vocabulary);
    const result = await mixed.learn({ inputs, labels });
    assert.deepEqual([result.updates, result.quarantined, result.prequential.samples], [1, 1, 3]);
    assert.deepEqual(
      result.reasons.map(({ index, code }) => [index, code]),
      [[2, 'value']],
    );
    const without = (values, size) => values.filter((_, i) => Math.floor(i / size) !== 2);
    await clean.learn({
      inputs: { ids: without(inputs.ids, words), dense: without(inputs.dense, numbers) },
      labels: without(labels, 1),
    });
    const probe = inputsOf(50, 3);
    await Promise.all([mixed.save(at('mixed.pth')), clean.save(at('clean.pth'))]);
    assert.deepEqual((await mixed.predict(probe)).logits, (await clean.predict(probe)).logits);
    const { offered, learned, quarantined, queued } = mixed.metrics();
    assert.deepEqual({ offered, learned, quarantined, queued }, { offered: 4, learned: 3, quarantined: 1, queued: 0 });
    await Promise.all([mixed.close(), clean.close()]);
  });

  const dataOf = (first, count, more = {}) => {
    const { ids, dense } = inputsOf(first, count);
    const inputs = { dense: { data: dense, shape: [numbers] }, ids: { data: ids, shape: [words] } };
    return arrays({ inputs, labels: samples(first, count).labels, classes, ...more });
  };

  it('learns from a data set whose inputs have the same names, in any order, and from no other', async () => {
    const learner = await open(folder());
    assert.equal((await learner.learnFrom(dataOf(0, 8), { sampleSize: 8 })).updates, 2);
    assert.equal(learner.metrics().learnedFrom, 8);
    const { ids, dense } = inputsOf(0, 2);
    const other = (inputs) => arrays({ inputs, labels: [0, 1], classes });
    for (const [data, found] of [
      [other({ ids: { data: ids, shape: [words] } }), /the data set has int64 samples of shape \[5\] and 2 classes/],
      [
        other({ ids: { data: ids, shape: [words] }, x: { data: dense, shape: [numbers] } }),
        /has samples with ids \(int64 \[5\]\), x \(float32 \[3\]\)/,
      ],
      [
        other({
          ids: { data: Int32Array.from(ids, Number), shape: [words] },
          dense: { data: dense, shape: [numbers] },
        }),
        /has samples with ids \(int32/,
      ],
      [dataOf(0, 2, { classes: 7 }), /and 7 classes/],
    ]) {
      await assert.rejects(learner.learnFrom(data), (error) => {
        assert.equal(error.code, 'ERR_SHAPE');
        assert.match(error.message, /Expected samples with ids \(int64 \[5\]\), dense \(float32 \[3\]\) and 2 classes/);
        assert.match(error.message, found);
        return true;
      });
    }
    const beyond = new BigInt64Array(words).fill(BigInt(vocabulary));
    const failing = other({
      ids: { data: BigInt64Array.from([...beyond, ...beyond]), shape: [words] },
      dense: { data: dense, shape: [numbers] },
    });
    await assert.rejects(learner.learnFrom(failing), {
      code: 'ERR_DATA_FORMAT',
      message: /the data set: index out of range/,
    });
    assert.equal((await learner.learn(samples(1))).updates, 1);
    await learner.close();
  });

  it('never learns held-out samples, of which all inputs are equal, and measures versions on them', async () => {
    const learner = await open(folder(), { gate: { heldOut: dataOf(0, 4), every: 1 } });
    const held = samples(0, 4);
    const result = await learner.learn({ ...held, labels: [1, 1, 1, 1] });
    assert.deepEqual([result.quarantined, result.reasons[3].code], [4, 'heldOut']);
    const { dense } = inputsOf(90);
    for (let i = 0; i < 4; i++) held.inputs.dense.set(dense, i * numbers);
    assert.equal((await learner.learn(held)).updates, 1);
    assert.ok(learner.versions().every(({ accuracy }) => accuracy >= 0 && accuracy <= 1));
    await learner.close();
  });

  it('does not take held-out samples of another form', async () => {
    const other = arrays({ inputs: new Float32Array(6), labels: [0, 1], shape: [numbers] });
    await assert.rejects(open(folder(), { gate: { heldOut: other } }), {
      ...{ code: 'ERR_SHAPE', message: /for "gate.heldOut" but they are float32 samples of shape \[3\] and 2 classes/ },
    });
  });
});
