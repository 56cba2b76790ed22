// Weights of classes from data: what is refused, and losses that take them from the data of a training.
import assert from 'node:assert/strict';
import {
  arrays,
  bceWithLogitsLoss,
  cifar10,
  classWeights,
  createState,
  crossEntropyLoss,
  evaluate,
  linear,
  loadState,
  nllLoss,
  OnlineLearner,
  posWeights,
  saveState,
  sequential,
  subset,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder, writeCifar10 } from '../support.mjs';
import { recorded } from './resume-support.mjs';

const numbers = (count) => ({ input: { data: Float32Array.from({ length: count }, (_, i) => i % 5), shape: [1] } });
const ofClasses = (labels, options) => arrays({ inputs: numbers(labels.length), labels, ...options });
const ofTargets = (data, shape, kind) => {
  const count = data.length / shape.reduce((product, side) => product * side, 1);
  return arrays({ inputs: numbers(count), targets: { ...(kind && { kind }), data, shape } });
};

const refusal = (code, message) => ({ name: 'LearnError', code, message });

describe('classWeights', () => {
  const at = temporaryFolder();
  const labels = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2];

  it('gives a class that is missing the weight that is given for it, and counts the others', async () => {
    assert.deepEqual(await classWeights(ofClasses(labels)), [12 / 15, 12 / 9, 1]);
    assert.deepEqual(await classWeights(ofClasses(labels, { classes: 5 }), { missing: 0.5 }), [
      ...[12 / 15, 12 / 9, 1],
      ...[0.5, 0.5],
    ]);
    assert.deepEqual(await classWeights(subset(ofClasses(labels), { end: 0 }), { missing: 2 }), [2, 2, 2]);
  });

  it('names the class that has no samples, and how many others', async () => {
    const data = ofClasses([0, 2, 5]);
    const words =
      /class 1, as 2 other classes, does not have them.*missing: 1 \}\), or the number of classes, numClasses/;
    await assert.rejects(classWeights(data), refusal('ERR_DATA_FORMAT', words));
    writeCifar10(at('data'), { train: 10, test: 1 });
    const two = subset(cifar10({ root: at('data') }), { end: 2 });
    await assert.rejects(
      classWeights(two),
      refusal('ERR_DATA_FORMAT', /class \d \((airplane|automobile|bird)\), as \d oth/),
    );
  });

  it('refuses other targets, other options, more classes than can be counted, and indices beyond the classes', async () => {
    const several = ofTargets(Uint8Array.of(0, 1), [2], 'classes');
    await assert.rejects(classWeights(several), refusal('ERR_INVALID_OPTION', /"class" or "tokens".*posWeights\(\)/));
    await assert.rejects(
      classWeights(ofClasses(labels), { scheme: 'balanced' }),
      refusal('ERR_INVALID_OPTION', /scheme/),
    );
    await assert.rejects(classWeights({}), refusal('ERR_INVALID_OPTION', /a data set made by/));
    for (const wrong of [{ missing: -1 }, { missing: Number.NaN }, { numClasses: 0 }, { ignoreIndex: 0.5 }]) {
      await assert.rejects(classWeights(ofClasses(labels), wrong), { code: 'ERR_INVALID_OPTION' });
    }
    const huge = ofClasses([0, 2 ** 31 - 1]);
    await assert.rejects(classWeights(huge, { missing: 1 }), refusal('ERR_INVALID_OPTION', /1 to 1048576 classes/));
    await assert.rejects(
      classWeights(ofClasses(labels), { numClasses: 2 }),
      refusal('ERR_DATA_FORMAT', /indices of 2 classes, from 0 to 1, but the target of sample 8 holds 2/),
    );
    await assert.rejects(
      classWeights(ofClasses(labels), { signal: AbortSignal.abort('no') }),
      (reason) => reason === 'no',
    );
  });

  it('leaves the JavaScript thread while it counts', async () => {
    const data = ofTargets(new Int32Array(3_000_000).fill(1).fill(0, 0, 1_000_000), [3000]);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const weights = await classWeights(data);
    clearInterval(timer);
    assert.deepEqual(weights, [1.5, 0.75]);
    assert.ok(turns > 0);
  });
});

describe('posWeights', () => {
  it('gives each label a weight, one to numbers and to targets of several axes', async () => {
    const ones = Float32Array.of(0, 1, 0, 0, 1, 1, 0, 1);
    assert.deepEqual(await posWeights(ofTargets(ones, [2])), [3, 1 / 3]);
    assert.deepEqual(await posWeights(ofTargets(ones, [])), [1]);
    assert.deepEqual(
      await posWeights(
        ofTargets(
          ones.map((one, i) => (i < 2 ? one : 0)),
          [2, 2],
        ),
      ),
      [7],
    );
  });

  it('refuses labels whose targets are all equal, unless they are given a weight', async () => {
    const data = ofTargets(Uint8Array.of(1, 0, 1, 0, 1, 1), [2], 'classes');
    await assert.rejects(
      posWeights(data),
      refusal('ERR_DATA_FORMAT', /zeros and ones of each label but label 0 does not/),
    );
    assert.deepEqual(await posWeights(data, { missing: 4 }), [4, 2]);
  });

  it('refuses targets that are no labels', async () => {
    await assert.rejects(
      posWeights(ofTargets(Float32Array.of(0, 1, 0.5, 1), [2])),
      refusal('ERR_DATA_FORMAT', /the target of sample 1 holds 0\.5/),
    );
    await assert.rejects(posWeights(ofClasses([0, 1])), refusal('ERR_INVALID_OPTION', /"classes".*classWeights\(\)/));
    await assert.rejects(posWeights(ofClasses([0, 1]), { numClasses: 2 }), refusal('ERR_INVALID_OPTION', /numClasses/));
  });
});

describe("a loss with the weights 'balanced'", () => {
  const at = temporaryFolder();
  const model = sequential({ fc: linear(1, 3) }, { input: [1] });
  const labels = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
  const data = ofClasses(labels);
  const marked = ofTargets(
    Uint8Array.from({ length: 36 }, (_, i) => +(i % 5 === 0)),
    [3],
    'classes',
  );
  const options = { model, epochs: 3, batchSize: 4, seed: 1 };
  let state;
  before(async () => {
    state = await createState(model, { seed: 0 });
  });

  for (const [loss, option, weights, samples] of [
    [crossEntropyLoss, 'weight', classWeights, data],
    [nllLoss, 'weight', classWeights, data],
    [bceWithLogitsLoss, 'posWeight', posWeights, marked],
  ]) {
    it(`trains as with the numbers, in validation too, and records them: ${loss.name}`, async () => {
      const given = { ...options, data: samples, validation: { data: samples } };
      const own = { reduction: 'sum', output: 'output' };
      const kept = { ...given, checkpoint: { path: at('run.ckpt') }, maxSteps: 4 };
      const values = await weights(samples);
      const usual = await recorded(state, { ...given, loss: loss({ ...own, [option]: values }) });
      const balanced = loss({ ...own, [option]: 'balanced' });
      const same = await recorded(state, { ...given, loss: balanced });
      assert.deepEqual(same.losses, usual.losses);
      assert.deepEqual(
        same.history.map(({ validation }) => validation.loss),
        usual.history.map(({ validation }) => validation.loss),
      );
      assert.ok(same.state.equals(usual.state));
      await recorded(state, { ...kept, loss: balanced });
      const { metadata } = await loadState(at('run.ckpt'), { key: 'model' });
      assert.deepEqual(metadata.get('options').get('loss').get(option), values);
      for (const again of [{}, { loss: balanced }]) {
        const resumed = await recorded('', {
          model,
          data: samples,
          validation: given.validation,
          resume: at('run.ckpt'),
          ...again,
        });
        assert.deepEqual(resumed.losses, usual.losses.slice(4));
        assert.ok(resumed.state.equals(usual.state));
      }
    });
  }

  it('is refused where a class of the data has no samples, before anything is trained', async () => {
    const without = ofClasses(labels, { classes: 4 });
    await assert.rejects(
      trainIncremental(state, { ...options, data: without, loss: crossEntropyLoss({ weight: 'balanced' }) }),
      refusal('ERR_DATA_FORMAT', /class 3 does not have them.*classWeights\(data, \{ missing: 1 \}\)/),
    );
  });

  it('is refused where there are no such data: by evaluate and by the learner', async () => {
    const words =
      /crossEntropyLoss\(\{ weight: 'balanced' \}\) takes its numbers from the data of trainIncremental\(\).*classWeights\(data\)/;
    const loss = crossEntropyLoss({ weight: 'balanced' });
    await assert.rejects(evaluate(state, { model, data, loss }), refusal('ERR_INVALID_OPTION', words));
    await saveState(state, at('init.pth'));
    const learner = OnlineLearner.open({ dir: at('learner'), checkpoint: at('init.pth'), model, loss });
    await assert.rejects(learner, refusal('ERR_INVALID_OPTION', words));
    const labelled = OnlineLearner.open({
      ...{ dir: at('learner'), checkpoint: at('init.pth'), model, target: { kind: 'classes', shape: [3] } },
      loss: bceWithLogitsLoss({ posWeight: 'balanced' }),
    });
    await assert.rejects(labelled, refusal('ERR_INVALID_OPTION', /posWeight: 'balanced'.*posWeights\(data\)/));
  });

  it('takes no other word', () => {
    const wrong = refusal('ERR_INVALID_OPTION', /weights, null, or 'balanced' for "weight" but received string/);
    assert.throws(() => crossEntropyLoss({ weight: 'balance' }), wrong);
    assert.throws(() => bceWithLogitsLoss({ weight: 'balanced' }), { code: 'ERR_INVALID_OPTION' });
  });
});
