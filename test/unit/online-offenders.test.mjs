// One bad sample never costs its neighbours: the samples of a batch that are left out, and the others, learned as if those
// had not come.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  adaptiveAvgPool2d,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  linear,
  loadState,
  OnlineLearner,
  relu,
  sequential,
  sgd,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { copy, randomNumbers } from './journal-support.mjs';

const size = 4;
const models = {
  plain: sequential({ hidden: linear(size, 8), relu: relu(), out: linear(8, 3) }, { input: [size] }),
  'with dropout': sequential({ hidden: linear(size, 8), drop: dropout(0.3), out: linear(8, 3) }, { input: [size] }),
  'with batch norm': sequential(
    { conv: conv2d(1, 4, 2), norm: batchNorm2d(4), relu: relu(), flat: flatten(), out: linear(4, 3) },
    { input: [1, 2, 2] },
  ),
};
const lines = (dir) => fs.readFileSync(path.join(dir, 'quarantine.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);

describe('samples that a learner cannot learn', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let folders = 0;

  const open = async (model, options = {}) =>
    OnlineLearner.open({
      ...{ dir: at(`offenders ${folders++}`), checkpoint: await createState(model, { seed: 1 }), model },
      ...{
        transforms: [],
        batchSize: 8,
        maxDelayMs: 0,
        seed: 1,
        threads: 1,
        gate: { every: 1_000_000 },
        ...options,
      },
    });

  /** The weights that learn, the optimizer, the random numbers and the replay buffer, as a snapshot has them. */
  async function contents(dir) {
    const name = fs
      .readdirSync(dir)
      .filter((file) => file.startsWith('snapshot-'))
      .sort()
      .at(-1);
    const state = await loadState(path.join(dir, name), { key: 'model' });
    const bytes = {};
    for (const tensor of state.names) bytes[tensor] = Buffer.from(state.tensor(tensor).data.buffer).toString('base64');
    const { random, replay } = Object.fromEntries(state.metadata);
    const plain = (value) =>
      value instanceof Map ? [...value].map(([key, one]) => [key, plain(one)]) : String(value.data);
    return { bytes, random: plain(random), replay: plain(replay) };
  }

  for (const [name, model] of Object.entries(models)) {
    for (const mode of ['exact', 'fast']) {
      it(`are left out, and the others are learned as if they were alone: a model ${name}, ${mode}`, async () => {
        const random = randomNumbers(name.length);
        const options = { mode, replay: { capacity: 12, perUpdate: 3 }, optimizer: sgd({ learningRate: 0.05 }) };
        const [all, alone] = [
          await open(model, { ...options, dir: at(`all ${name} ${mode}`) }),
          await open(model, { ...options, dir: at(`alone ${name} ${mode}`) }),
        ];
        const learned = [];
        let [number, left] = [0, 0];
        for (let batch = 0; batch < 25; batch++) {
          const count = 3 + random.below(6);
          const samples = Array.from({ length: count }, () => {
            const input = Float32Array.from({ length: size }, () => random.next() * 2 - 1);
            // Two of them at least are good.
            const isBad = random.below(3) === 0;
            if (isBad) input[random.below(size)] = [3e38, -3e38, 1e38, 2e30][random.below(4)];
            return { input, isBad, label: random.below(3), id: `${number++}` };
          });
          for (const [i, sample] of samples.entries()) {
            if (i < 2 && sample.isBad)
              Object.assign(sample, { isBad: false, input: sample.input.map((x) => Math.sin(x)) });
          }
          const join = (some) => ({
            inputs: Float32Array.from(some.flatMap(({ input }) => [...input])),
            labels: some.map(({ label }) => label),
            ids: some.map(({ id }) => id),
          });
          const result = await all.learn(join(samples));
          // An outlier may be learned where nothing of it comes through.
          const refused = new Set(result.reasons.map(({ id }) => id));
          const good = samples.filter(({ id }) => !refused.has(id));
          assert.ok(samples.every(({ id, isBad }) => isBad || !refused.has(id)));
          const { reasons, quarantined, ...rest } = result;
          const { reasons: none, quarantined: zero, ...expected } = await alone.learn(join(good));
          assert.deepEqual(rest, expected, `batch ${batch}`);
          assert.deepEqual([none, zero], [[], 0]);
          assert.ok(reasons.every(({ code }) => code === 'output'));
          left += quarantined;
          learned.push(...good.map(({ id }) => id));
        }
        assert.ok(left > 10, `${left} were left out`);
        const { learned: count, quarantined, queued, updates } = all.metrics();
        assert.deepEqual(
          { count, quarantined, queued, updates },
          { count: learned.length, quarantined: left, queued: 0, updates: 25 },
        );
        // All ids are known, of those that were left out too.
        const one = { inputs: new Float32Array(size), labels: [0] };
        for (let id = 0; id < number; id += 7)
          assert.equal((await all.learn({ ...one, ids: [`${id}`] })).duplicates, 1);
        assert.deepEqual(all.metrics().prequential, alone.metrics().prequential);
        await Promise.all([all.close(), alone.close()]);
        assert.deepEqual(await contents(at(`all ${name} ${mode}`)), await contents(at(`alone ${name} ${mode}`)));
        assert.equal(lines(at(`all ${name} ${mode}`)).length, left);
      });
    }
  }

  /** A state of one linear layer without a bias to speak of, as a safetensors file. */
  async function stateOf(weights, outputs, inputs) {
    const bias = new Float32Array(outputs);
    const bytes = weights.length * 4;
    const header = JSON.stringify({
      'out.weight': { dtype: 'F32', shape: [outputs, inputs], data_offsets: [0, bytes] },
      'out.bias': { dtype: 'F32', shape: [outputs], data_offsets: [bytes, bytes + bias.byteLength] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const values = [Float32Array.from(weights), bias].map(({ buffer }) => Buffer.from(buffer));
    fs.writeFileSync(at('state.safetensors'), Buffer.concat([length, Buffer.from(header), ...values]));
    return loadState(at('state.safetensors'));
  }

  const line = sequential({ out: linear(1, 2) }, { input: [1] });

  it('keep their ids if only all of them together exceed the range', async () => {
    const dir = at('together');
    const learner = await open(line, { dir, checkpoint: await stateOf([1e30, -1e30], 2, 1), gate: { every: 2 } });
    // Each has a loss of 2e38, which is a number; two have more than the largest.
    const together = { inputs: Float32Array.of(1e8, 1e8), labels: [1, 1], ids: ['a', 'b'] };
    const message = 'the loss is not finite';
    for (let i = 0; i < 2; i++) {
      const { reasons, updates, quarantined } = await learner.learn(together);
      assert.deepEqual([updates, quarantined], [0, 2]);
      assert.deepEqual(reasons, [
        { index: 0, id: 'a', code: 'update', message },
        { index: 1, id: 'b', code: 'update', message },
      ]);
    }
    assert.deepEqual(
      lines(dir).map(({ id, code, reason }) => [id, code, reason]),
      ['a', 'b', 'a', 'b'].map((id) => [id, 'update', message]),
    );
    const { learned, quarantined, offered, updates } = learner.metrics();
    assert.deepEqual(
      { learned, quarantined, offered, updates },
      { learned: 0, quarantined: 4, offered: 4, updates: 0 },
    );
    // Others with their ids, and one that came with them meanwhile.
    const [first, second] = await Promise.all([
      learner.learn({ ...together, ids: ['a', 'c'] }),
      learner.learn({ inputs: Float32Array.of(1), labels: [0], ids: ['a'] }),
    ]);
    assert.deepEqual([first.quarantined, second.quarantined, second.duplicates, second.updates], [2, 0, 0, 1]);
    assert.equal((await learner.learn({ inputs: Float32Array.of(2), labels: [0], ids: ['a'] })).duplicates, 1);
    assert.equal((await learner.learn({ inputs: Float32Array.of(2), labels: [0], ids: ['c'] })).updates, 1);
    copy(dir, at('together killed'));
    const print = await learner.fingerprint();
    await learner.close();
    const again = await open(line, { dir: at('together killed'), gate: { every: 2 } });
    assert.equal(await again.fingerprint(), print);
    await again.close();
  });

  it('keep their ids if a step would leave a weight that is not finite, and harm no weight', async () => {
    const learner = await open(models.plain, {
      optimizer: sgd({ learningRate: 1e38, momentum: 0.9 }),
      gate: { every: 1_000_000 },
    });
    const before = await learner.predict(Float32Array.of(1, 2, 3, 4));
    const huge = { inputs: Float32Array.of(1e3, 2e3, 3e3, 4e3), ids: ['a'] };
    const [right] = (await learner.predict(huge.inputs)).labels;
    for (let i = 0; i < 3; i++) {
      const { reasons } = await learner.learn({ ...huge, labels: [(right + 1) % 3] });
      assert.deepEqual(
        reasons.map(({ code, message }) => [code, message]),
        [['update', 'a weight would not be finite']],
      );
    }
    const after = await learner.predict(Float32Array.of(1, 2, 3, 4));
    assert.deepEqual(after.logits, before.logits);
    await learner.close();
  });

  it('poison no later update from the replay buffer', async () => {
    const replay = { capacity: 4, perUpdate: 4 };
    const learner = await open(line, {
      checkpoint: await stateOf([0.5, -0.5], 2, 1),
      optimizer: sgd({ learningRate: 1, momentum: 0.9 }),
      replay,
    });
    // It is learned. Its gradient moves the weights further, until its output exceeds the largest number.
    assert.equal((await learner.learn({ inputs: Float32Array.of(1.2e19), labels: [1] })).updates, 1);
    for (let i = 0; i < 40; i++) {
      const { updates, loss } = await learner.learn({ inputs: Float32Array.of(1e-3 * (i + 1)), labels: [i % 2] });
      assert.equal(updates, 1, `sample ${i}`);
      assert.ok(Number.isFinite(loss));
    }
    const { learned, quarantined, updates } = learner.metrics();
    assert.deepEqual({ learned, quarantined, updates }, { learned: 41, quarantined: 0, updates: 41 });
    await learner.close();
  });

  describe('alone, since batch norm would see one value of each channel', () => {
    const pooled = sequential([conv2d(1, 4, 2), adaptiveAvgPool2d(1), batchNorm2d(4), flatten(), linear(4, 2)], {
      input: [1, 2, 2],
    });
    const sample = (i, count = 1) => ({
      inputs: Float32Array.from({ length: 4 * count }, (_, j) => Math.sin(i * 4 + j)),
      labels: Array.from({ length: count }, (_, j) => (i + j) % 2),
      ids: Array.from({ length: count }, (_, j) => i + j),
    });

    it('are not learned, keep their ids, change nothing, and are learned in company', async () => {
      const dir = at('alone');
      const learner = await open(pooled, { dir, gate: { every: 5 } });
      const print = await learner.fingerprint();
      for (let i = 0; i < 20; i++) {
        const { updates, reasons } = await learner.learn(sample(i));
        assert.equal(updates, 0);
        assert.deepEqual(
          reasons.map(({ id, code }) => [id, code]),
          [[`${i}`, 'batch']],
        );
        assert.match(reasons[0].message, /batch norm.*batchSize/);
      }
      const { version, refused, quarantined, updates } = learner.metrics();
      assert.deepEqual(
        { version, refused, quarantined, updates },
        { version: 0, refused: 0, quarantined: 20, updates: 0 },
      );
      assert.notEqual(await learner.fingerprint(), print, 'the account is part of it');
      for (let i = 0; i < 20; i += 2) assert.equal((await learner.learn(sample(i, 2))).prequential.samples, 2);
      // Two of which one is left out are one.
      const { inputs, labels } = sample(100, 2);
      inputs[1] = 3e38;
      const { reasons } = await learner.learn({ inputs, labels });
      assert.deepEqual(
        reasons.map(({ code }) => code),
        ['output', 'batch'],
      );
      assert.equal(learner.metrics().version, 2);
      await learner.save(at('alone.pth'));
      const state = await loadState(at('alone.pth'));
      for (const name of state.names)
        assert.ok(
          [...state.tensor(name).data].every((x) => Number.isFinite(Number(x))),
          name,
        );
      await learner.close();
      assert.equal(lines(dir).length, 22);
    });

    it('are learned together with samples of the replay buffer', async () => {
      const learner = await open(pooled, { replay: { capacity: 10, perUpdate: 2 } });
      assert.equal((await learner.learn(sample(0))).updates, 0);
      await learner.learn(sample(0, 2));
      assert.equal((await learner.learn(sample(2))).updates, 1);
      await learner.close();
    });

    it('are not learned by learnFrom() either', async () => {
      const { arrays } = await import('torch-incremental');
      const learner = await open(pooled, { batchSize: 4 });
      const { inputs, labels } = sample(0, 5);
      // A batch of four and one alone.
      const result = await learner.learnFrom(arrays({ inputs, labels, shape: [1, 2, 2] }), { sampleSize: 5 });
      assert.equal(result.updates, 1);
      assert.equal(learner.metrics().learnedFrom, 4);
      assert.ok(Number.isFinite(result.loss));
      await learner.close();
    });
  });
});
