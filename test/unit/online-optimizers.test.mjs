// A learner with every optimizer: what it remembers of the weights is in snapshots and follows from the journal, so that a learner
// that was closed, or killed at any moment, continues to the same bits.
import assert from 'node:assert/strict';
import {
  adam,
  adamW,
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  flatten,
  linear,
  loadState,
  OnlineLearner,
  relu,
  rprop,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { optimizers } from '../../dist/optimizers/index.js';
import { temporaryFolder } from '../support.mjs';
import { copy } from './journal-support.mjs';

const model = sequential(
  { conv: conv2d(1, 3, 2), norm: batchNorm2d(3), relu: relu(), flat: flatten(), fc: linear(12, 4) },
  { input: [1, 3, 3] },
);
const batch = (round, count = 6) => ({
  inputs: Float32Array.from({ length: count * 9 }, (_, i) => ((i * 7 + round * 5) % 13) / 6 - 1),
  labels: Int32Array.from({ length: count }, (_, i) => (i + round) % 4),
});

describe('a learner and its optimizer', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let checkpoint;
  before(async () => {
    checkpoint = await createState(model, { seed: 3 });
  });

  const open = (dir, optimizer, options = {}) =>
    OnlineLearner.open({
      ...{ dir: at(dir), checkpoint, model, optimizer, transforms: [], shape: [1, 3, 3], batchSize: 6, maxDelayMs: 0 },
      ...{ seed: 5, threads: 1, replay: { capacity: 30, perUpdate: 4 }, gate: { every: 7 }, ...options },
    });
  const learn = async (learner, from, to) => {
    for (let round = from; round < to; round++) await learner.learn(batch(round));
  };

  const matrices = { parameterGroups: [{ parameters: ['conv', 'norm', '*.bias'], optimizer: adamW() }] };
  const each = [
    ...optimizers.words.map((kind) => [kind, kind === 'muon' ? matrices : {}]),
    ...['adafactor', 'muon'].map((kind) => [kind, { mode: 'fast', ...(kind === 'muon' && matrices) }]),
  ];

  for (const [kind, more] of each) {
    const name = `${kind}()${more.mode ? ' in fast mode' : ''}`;
    it(`${name}: resumes from a snapshot and from the journal to the bits of a learner that never stopped`, async () => {
      const optimizer = optimizers.makers[kind]({ learningRate: 0.01 });
      const whole = await open(`${name} whole`, optimizer, more);
      await learn(whole, 0, 30);
      const fingerprint = await whole.fingerprint();

      const killed = await open(`${name} killed`, optimizer, more);
      await learn(killed, 0, 11);
      copy(at(`${name} killed`), at(`${name} copy`));
      await killed.close();
      // From the journal alone, since the copy has the first snapshot and no other.
      const first = await open(`${name} copy`, undefined);
      await learn(first, 11, 19);
      await first.close();
      // From the snapshot that close() took.
      const second = await open(`${name} copy`, undefined);
      await learn(second, 19, 30);
      assert.equal(await second.fingerprint(), fingerprint);
      await Promise.all([whole.close(), second.close()]);
    });
  }

  it('learns what a training on the same batches learns', async () => {
    const optimizer = adamW({ learningRate: 0.02, weightDecay: 0.1 });
    const learner = await open('as training', optimizer, { replay: { capacity: 0, perUpdate: 0 }, gate: { every: 1 } });
    await learn(learner, 0, 12);
    await learner.save(at('learned.pth'));
    await learner.close();
    const batches = Array.from({ length: 12 }, (_, round) => batch(round));
    const inputs = Float32Array.from(batches.flatMap((one) => [...one.inputs]));
    const labels = Int32Array.from(batches.flatMap((one) => [...one.labels]));
    const data = arrays({ inputs, labels, shape: [1, 3, 3] });
    const options = { model, data, optimizer, batchSize: 6, epochs: 1, shuffle: false, threads: 1 };
    const { state } = await trainIncremental(checkpoint, options);
    assert.ok(state.equals(await loadState(at('learned.pth'))), 'the weights differ');
  });

  it('changes the options of its optimizer when it is opened again, but not the optimizer', async () => {
    const learner = await open('changed', adam({ learningRate: 0.01 }));
    await learn(learner, 0, 3);
    await learner.close();
    for (const other of [sgd(), adamW(), rprop()]) {
      await assert.rejects(open('changed', other), {
        code: 'ERR_INVALID_OPTION',
        message: /Expected the optimizer that the learner began with, adam\(\), but received \w+\(\)/,
      });
    }
    const again = await open('changed', adam({ learningRate: 0.5, amsgrad: true }));
    await learn(again, 3, 6);
    copy(at('changed'), at('changed copy'));
    const fingerprint = await again.fingerprint();
    await again.close();
    const copied = await open('changed copy', undefined);
    assert.equal(await copied.fingerprint(), fingerprint);
    await copied.close();
  });

  it('leaves a sample out that would make its averages infinite, and learns the others', async () => {
    const learner = await open('offender', adam({ learningRate: 0.01 }));
    await learn(learner, 0, 2);
    const spoiled = batch(2);
    spoiled.inputs[9] = 3e38;
    const { quarantined, updates } = await learner.learn(spoiled);
    assert.deepEqual([quarantined, updates], [1, 1]);
    await learn(learner, 3, 6);
    assert.ok(Number.isFinite(learner.metrics().prequential.loss));
    await learner.close();
  });

  it('refuses an update that divides by nothing, and keeps its weights finite', async () => {
    const learner = await open('no epsilon', adam({ eps: 0 }));
    const nothing = { ...batch(0), inputs: new Float32Array(6 * 9) };
    const { quarantined, updates, reasons } = await learner.learn(nothing);
    assert.deepEqual([quarantined, updates, reasons[0].code], [6, 0, 'update']);
    await learn(learner, 1, 4);
    await learner.save(at('no epsilon.pth'));
    const state = await loadState(at('no epsilon.pth'));
    for (const name of state.names) assert.ok(state.tensor(name).data.every((value) => Number.isFinite(Number(value))));
    await learner.close();
  });
});
