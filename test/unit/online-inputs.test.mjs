// Samples with several named inputs are learned, kept and recorded as those with one, and each error names the input.
import assert from 'node:assert/strict';
import { OnlineLearner, repairLearner, reproduceVersion } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { classes, classifier, inputsOf, numbers, open, samples, swapped, words } from './inputs-support.mjs';
import { copy } from './journal-support.mjs';

const int64 = (shape) => ({ dtype: 'int64', shape });

describe('a learner of samples with two inputs', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let folders = 0;
  const folder = () => at(`inputs ${folders++}`);
  const replay = { capacity: 6, perUpdate: 3 };

  it("reports the model's own inputs, and learns them by name, in any order of the names", async () => {
    const prints = [];
    for (const isReversed of [false, true]) {
      const learner = await open(folder(), { replay });
      assert.deepEqual(learner.sample, {
        inputs: [
          { name: 'ids', dtype: 'int64', shape: [words] },
          { name: 'dense', dtype: 'float32', shape: [numbers] },
        ],
        ...{ target: { kind: 'class', shape: [] }, classes },
      });
      const before = learner.metrics().prequential.samples;
      for (let i = 0; i < 12; i++) {
        const { inputs, labels } = samples(4 * i, 4);
        const { ids, dense } = inputs;
        const { updates, loss } = await learner.learn({ inputs: isReversed ? { dense, ids } : inputs, labels });
        assert.deepEqual([updates, Number.isFinite(loss)], [1, true]);
      }
      assert.equal(learner.metrics().prequential.samples - before, 48);
      prints.push(await learner.fingerprint());
      await learner.close();
    }
    assert.equal(prints[0], prints[1]);
  });

  it('resumes with the same bits after it was killed, without the model and the form', async () => {
    const dir = folder();
    const options = { replay, gate: { every: 3 }, journal: { sync: 'always' } };
    const learner = await open(dir, options);
    for (let i = 0; i < 10; i++) await learner.learn({ ...samples(4 * i, 4), ids: [0, 1, 2, 3].map((k) => 4 * i + k) });
    const expected = await learner.fingerprint();
    copy(dir, `${dir} killed`);
    for (let i = 10; i < 14; i++) await learner.learn(samples(4 * i, 4));
    const later = await learner.fingerprint();
    const { version } = learner.metrics();
    await learner.close();
    for (const given of [{}, { model: classifier() }]) {
      copy(`${dir} killed`, `${dir} again`);
      const again = await OnlineLearner.open({ dir: `${dir} again`, maxDelayMs: 0, ...given });
      assert.equal(await again.fingerprint(), expected);
      assert.equal((await again.learn({ ...samples(0, 4), ids: [0, 1, 2, 3] })).duplicates, 4);
      await again.close();
    }
    copy(`${dir} killed`, `${dir} again`);
    const again = await open(`${dir} again`, options);
    for (let i = 10; i < 14; i++) await again.learn(samples(4 * i, 4));
    assert.equal(await again.fingerprint(), later);
    await again.close();
    assert.equal((await reproduceVersion(dir, version)).version.version, version);
    assert.equal((await repairLearner(dir)).damaged, false);
  });

  it('takes other types than the model, where they can be cast, and shapes that the model leaves open', async () => {
    const model = classifier([
      { name: 'ids', dtype: 'int64' },
      { name: 'dense', dtype: 'float32', shape: [numbers] },
    ]);
    const inputs = { dense: 'uint8', ids: { dtype: 'int32', shape: [2] } };
    const learner = await open(folder(), { model, inputs, replay });
    assert.deepEqual(
      learner.sample.inputs.map(({ name, dtype, shape }) => [name, dtype, ...shape]),
      [
        ['ids', 'int32', 2],
        ['dense', 'uint8', numbers],
      ],
    );
    const one = { ids: Int32Array.of(1, 9), dense: Uint8Array.of(0, 1, 2) };
    assert.equal((await learner.learn({ inputs: one, labels: [1] })).updates, 1);
    assert.equal((await learner.predict(one)).logits.length, classes);
    await learner.close();
    await assert.rejects(open(folder(), { model }), {
      ...{ code: 'ERR_INVALID_OPTION', message: /Expected a shape for "inputs.ids": Classifier does not fix/ },
    });
  });

  for (const [what, options, code, message] of [
    [
      'one is missing',
      { inputs: { ids: 'int64' } },
      'ERR_INVALID_OPTION',
      /ids, dense, for "inputs" but "dense" is missing/,
    ],
    ['one is unknown', { inputs: { ids: 'int64', dense: 'float32', x: 'uint8' } }, 'ERR_INVALID_OPTION', /it has "x"/],
    [
      'one cannot be cast',
      { inputs: { ids: 'float32', dense: 'float32' } },
      'ERR_SHAPE',
      /int64 values for the input "ids"/,
    ],
    [
      'one has another shape',
      { inputs: { ids: int64([6]), dense: 'float32' } },
      'ERR_SHAPE',
      /the input "ids" of Classifier/,
    ],
    ['one shape is for both', { shape: [5] }, 'ERR_INVALID_OPTION', /the shape of each input as "inputs"/],
    [
      'targets do not fit the outputs',
      { target: { kind: 'values', shape: [3] } },
      'ERR_SHAPE',
      /\[samples, 3\] .* \[samples, 2\]/,
    ],
    [
      'tokens do not fit the outputs',
      { target: { kind: 'tokens', shape: [5] } },
      'ERR_SHAPE',
      /\[samples, classes, 5\]/,
    ],
    ['there are no targets', { target: { kind: 'none' } }, 'ERR_INVALID_OPTION', /there is nothing to learn from/],
    [
      'a batch has no room in a record',
      { batchSize: 2 ** 26 },
      'ERR_INVALID_OPTION',
      /at most 38347922 samples of 56 bytes/,
    ],
  ]) {
    it(`is not begun if ${what}`, async () => {
      await assert.rejects(open(folder(), options), { code, message });
    });
  }

  it('rejects calls whose inputs are missing, unknown, of another type or too few, and counts nothing of them', async () => {
    const learner = await open(folder());
    const { ids, dense } = inputsOf(0);
    for (const [inputs, code, message] of [
      [{ ids }, 'ERR_INVALID_OPTION', /a Float32Array for "inputs.dense" but received undefined/],
      [{ ids, dense, x: ids }, 'ERR_INVALID_OPTION', /Unknown input "x" in "inputs"; the inputs are ids, dense/],
      [{ ids: new Float32Array(5), dense }, 'ERR_INVALID_OPTION', /a BigInt64Array for "inputs.ids"/],
      [{ ids, dense: [1, 2, 3] }, 'ERR_INVALID_OPTION', /a Float32Array for "inputs.dense" but received an array of 3/],
      [ids, 'ERR_INVALID_OPTION', /an object with values for ids, dense for "inputs"/],
      [undefined, 'ERR_INVALID_OPTION', /an object with values for ids, dense/],
    ]) {
      await assert.rejects(learner.learn({ inputs, labels: [1] }), { code, message });
      await assert.rejects(learner.predict(inputs), { code, message });
    }
    await assert.rejects(learner.learn({ inputs: { ids, dense }, labels: [0, 1, 0, 1] }), {
      ...{ code: 'ERR_SHAPE', message: 'Expected values for each of 4 labels but there are 3 in "inputs.dense"' },
    });
    const targets = Int32Array.of(1);
    await assert.rejects(learner.learn({ inputs: { ids, dense }, targets }), {
      ...{ code: 'ERR_INVALID_OPTION', message: /Expected "labels" instead of "targets"/ },
    });
    assert.equal(learner.metrics().offered, 0);
    await learner.close();
  });

  it('refuses a model whose inputs come in another order than those of its replay buffer', async () => {
    const dir = folder();
    const learner = await open(dir, { replay });
    await learner.learn(samples(0, 4));
    const before = await learner.fingerprint();
    await learner.close();
    await assert.rejects(open(dir, { model: swapped }), {
      ...{ code: 'ERR_SHAPE', message: /another "model": Expected the inputs ids, dense, in this order,/ },
    });
    const again = await open(dir);
    assert.equal(await again.fingerprint(), before);
    await again.close();
  });
});
