// Targets that are not classes: tokens, values, and several classes at once. They are learned, scored by their loss, kept and recorded.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { arrays, OnlineLearner, reproduceVersion } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { classes, classifier, inputsOf, numbers, open, tagger, words } from './inputs-support.mjs';
import { copy } from './journal-support.mjs';

/** By kind: a model, targets of one sample from number `first` on, and targets that cannot be learned. */
const kinds = {
  tokens: {
    model: tagger,
    shape: [words],
    values: (first) => Array.from({ length: words }, (_, i) => ((first + i) % 5 === 4 ? -100 : (first + i) % classes)),
    array: Int32Array,
    wrong: [
      [0, 1, classes, 0, 1],
      [0, 1, -1, 0, 1],
    ],
    message: 'expected tokens from 0 to 1, or -100 for those to ignore, at least one of them not ignored',
  },
  values: {
    model: classifier(),
    shape: [classes],
    values: (first) => [0.25 + (first % 3) / 4, 0.75 - (first % 3) / 4],
    array: Float32Array,
    wrong: [
      [0.5, Number.NaN],
      [Infinity, 0],
    ],
    message: 'expected finite values (as float32)',
  },
  classes: {
    model: classifier(),
    shape: [classes],
    values: (first) => [first % 2, 1],
    array: Float32Array,
    wrong: [
      [0, 2],
      [0.5, 1],
    ],
    message: 'expected 0 or 1 for each class',
  },
};

for (const [kind, { model, shape, values, array, wrong, message }] of Object.entries(kinds)) {
  describe(`a learner of targets of the kind ${kind}`, function () {
    this.timeout(120_000);
    const at = temporaryFolder();
    let folders = 0;
    const folder = () => at(`${kind} ${folders++}`);
    const options = { model, target: { kind, shape }, replay: { capacity: 6, perUpdate: 3 } };
    const targetsOf = (first, count) => Array.from({ length: count }, (_, i) => values(first + i)).flat();
    const samples = (first, count) => ({
      inputs: inputsOf(first, count),
      targets: array.from(targetsOf(first, count)),
    });

    it('scores them by their loss alone, and resumes after it was killed with the same bits', async () => {
      const dir = folder();
      const learner = await open(dir, { ...options, gate: { every: 3 }, journal: { sync: 'always' } });
      assert.deepEqual(learner.sample.target, { kind, shape });
      assert.equal(learner.sample.classes, kind === 'tokens' ? classes : 0);
      for (let i = 0; i < 10; i++) {
        const { updates, loss, prequential } = await learner.learn(samples(4 * i, 4));
        assert.deepEqual([updates, prequential.samples, prequential.correct], [1, 4, Number.NaN]);
        assert.ok(Number.isFinite(loss) && Number.isFinite(prequential.loss), `${loss} ${prequential.loss}`);
      }
      const { prequential, version } = learner.metrics();
      assert.deepEqual([prequential.samples, prequential.accuracy, prequential.perClass], [40, Number.NaN, []]);
      assert.deepEqual([prequential.windowed.accuracy, prequential.fading.accuracy], [Number.NaN, Number.NaN]);
      assert.ok(prequential.loss > 0 && prequential.windowed.loss > 0 && prequential.fading.loss > 0);
      const expected = await learner.fingerprint();
      copy(dir, `${dir} killed`);
      await learner.close();
      assert.equal((await reproduceVersion(dir, version)).version.version, version);
      for (const again of [`${dir} killed`, dir]) {
        const resumed = await OnlineLearner.open({ dir: again, maxDelayMs: 0 });
        assert.equal(await resumed.fingerprint(), expected);
        assert.deepEqual(resumed.metrics().prequential, prequential);
        assert.equal((await resumed.learn(samples(40, 4))).updates, 1);
        await resumed.close();
      }
    });

    it('takes them as arrays of other types, and has the same bits', async () => {
      const prints = [];
      const types = kind === 'values' ? [Float32Array] : [Int32Array, BigInt64Array, Float32Array];
      for (const type of types) {
        const learner = await open(folder(), options);
        const plain = targetsOf(0, 4);
        const targets = type === BigInt64Array ? type.from(plain.map(BigInt)) : type.from(plain);
        await learner.learn({ inputs: inputsOf(0, 4), targets });
        prints.push(await learner.fingerprint());
        await learner.close();
      }
      assert.equal(new Set(prints).size, 1);
    });

    it('quarantines those that it cannot learn, with the target, and learns the others', async () => {
      const dir = folder();
      const learner = await open(dir, options);
      const targets = Float32Array.from([...values(0), ...wrong.flat(), ...values(3)]);
      const result = await learner.learn({ inputs: inputsOf(0, 4), targets, ids: ['a', 'b', 'c', 'd'] });
      assert.deepEqual([result.updates, result.quarantined], [1, 2]);
      assert.deepEqual(result.reasons, [
        { index: 1, id: 'b', code: 'label', message },
        { index: 2, id: 'c', code: 'label', message },
      ]);
      await learner.close();
      const lines = fs.readFileSync(`${dir}/quarantine.ndjson`, 'utf8').trim().split('\n').map(JSON.parse);
      assert.deepEqual(
        lines.map(({ id, label, target }) => [id, label, target]),
        // Numbers that JSON does not have are null.
        wrong.map((target, i) => ['bc'[i], undefined, JSON.parse(JSON.stringify(target))]),
      );
    });

    it('rejects calls with targets of another form, and counts nothing of them', async () => {
      const learner = await open(folder(), options);
      const size = shape[0];
      for (const [given, code, expected] of [
        [{ labels: [0] }, 'ERR_INVALID_OPTION', `Expected "targets" instead of "labels"`],
        [{ labels: [0], targets: new array(size) }, 'ERR_INVALID_OPTION', `Expected "targets" instead of "labels"`],
        [{}, 'ERR_INVALID_OPTION', 'for "targets" but received undefined'],
        [{ targets: [0, 1] }, 'ERR_INVALID_OPTION', 'for "targets" but received an array of 2'],
        [{ targets: new array(size + 1) }, 'ERR_SHAPE', `Expected a multiple of ${size} values for "targets"`],
        [{ targets: new array(0) }, 'ERR_SHAPE', `Expected a multiple of ${size} values for "targets"`],
        [{ targets: new array(size * 4) }, 'ERR_SHAPE', `4 targets but there are ${numbers} in "inputs.dense"`],
        [{ targets: new array(size), ids: [1, 2] }, 'ERR_INVALID_OPTION', 'an array of 1 ids'],
      ]) {
        await assert.rejects(learner.learn({ inputs: inputsOf(0), ...given }), (error) => {
          assert.equal(error.code, code, error.message);
          assert.ok(error.message.includes(expected), error.message);
          return true;
        });
      }
      assert.equal(learner.metrics().offered, 0);
      await learner.close();
    });

    it('learns from a data set with such targets, and from none with others', async () => {
      const learner = await open(folder(), options);
      const { ids, dense } = inputsOf(0, 4);
      const inputs = { ids: { data: ids, shape: [words] }, dense: { data: dense, shape: [numbers] } };
      const data = array.from(targetsOf(0, 4));
      const dataset = arrays({ inputs, targets: { kind, data, shape }, ...(kind === 'tokens' && { classes }) });
      assert.equal((await learner.learnFrom(dataset, { sampleSize: 4 })).updates, 1);
      await assert.rejects(learner.learnFrom(arrays({ inputs, labels: [0, 1, 0, 1] })), {
        ...{ code: 'ERR_SHAPE', message: new RegExp(`${kind} of shape \\[${shape}\\].* and 2 classes$`) },
      });
      await learner.close();
    });

    it('keeps the kind of its targets', async () => {
      const dir = folder();
      await (await open(dir, options)).close();
      const before = fs.readdirSync(dir);
      for (const target of [{ kind: 'class' }, { kind: kind === 'values' ? 'classes' : 'values', shape }]) {
        await assert.rejects(open(dir, { ...options, target }), /"target"/);
      }
      assert.deepEqual(fs.readdirSync(dir), before);
      await (await OnlineLearner.open({ dir })).close();
    });
  });
}
