// The model in a learner's folder: everything works from the folder alone, and a damaged model is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  createState,
  linear,
  OnlineLearner,
  relu,
  repairLearner,
  reproduceVersion,
  sequential,
} from 'torch-incremental';
import { modelText, readModel } from '../../dist/online/storage/model-text.js';
import { temporaryFolder } from '../support.mjs';
import { copy, damageFirstJournal, journalsIn, learn, sample, snapshotsIn } from './journal-support.mjs';

const model = sequential({ hidden: linear(3, 5), relu: relu(), out: linear(5, 2) }, { input: [3] });

describe('a learner of a sequential model', () => {
  const at = temporaryFolder();
  const whole = at('whole');
  const dir = at('learner');
  let fingerprint;
  let predicted;

  before(async () => {
    const learner = await OnlineLearner.open({
      ...{ dir: whole, model, checkpoint: await createState(model, { seed: 1 }), gate: { every: 3 } },
      ...{ transforms: [], batchSize: 1, maxDelayMs: 0, seed: 1, threads: 1 },
    });
    await learn(learner, 0, 8);
    fingerprint = await learner.fingerprint();
    predicted = (await learner.predict(sample(1).inputs)).logits;
    await learner.close();
  });
  beforeEach(() => copy(whole, dir));

  const reopened = async () => {
    const learner = await OnlineLearner.open({ dir });
    const result = [await learner.fingerprint(), (await learner.predict(sample(1).inputs)).logits];
    await learner.close();
    return result;
  };

  it('opens again without the model', async () => {
    assert.deepEqual(await reopened(), [fingerprint, predicted]);
  });

  it('opens from version 0 and its journal without the model, when all its snapshots are lost', async () => {
    for (const name of snapshotsIn(dir)) fs.rmSync(path.join(dir, name));
    for (const name of journalsIn(dir).slice(1)) fs.rmSync(path.join(dir, name));
    assert.deepEqual(await reopened(), [fingerprint, predicted]);
  });

  it('has its versions reproduced without the model', async () => {
    const { version } = await reproduceVersion(dir, 2);
    assert.equal(version.version, 2);
  });

  it('makes a missing version again without the model', async () => {
    fs.rmSync(path.join(dir, 'versions', 'version-000000001.pth'));
    const learner = await OnlineLearner.open({ dir });
    assert.equal((await learner.rollback(1)).version, 1);
    await learner.close();
  });

  it('is repaired without the model, its journal replayed', async () => {
    damageFirstJournal(dir, 5);
    const report = await repairLearner(dir, { apply: true });
    assert.deepEqual([report.replayed, report.journal.firstRecord], [true, 5]);
    const learner = await OnlineLearner.open({ dir });
    assert.equal(learner.metrics().learned, 3);
    await learner.close();
  });

  it('is refused if the recorded model is damaged, and its folder stays as it is', async () => {
    for (const name of snapshotsIn(dir)) fs.rmSync(path.join(dir, name));
    for (const name of journalsIn(dir).slice(1)) fs.rmSync(path.join(dir, name));
    const file = path.join(dir, 'versions', 'version-000000000.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll('out.bias', 'out.bios'));
    await assert.rejects(OnlineLearner.open({ dir }), {
      code: 'ERR_JOURNAL',
      message: /does not fit|Expected a model/,
    });
  });
});

describe('the text of a model', () => {
  it('is read as the same model, without where its nodes are', () => {
    const placeless = JSON.parse(JSON.stringify(model, (key, value) => (key === 'place' ? undefined : value)));
    assert.deepEqual(readModel(modelText(model)), placeless);
    assert.equal(modelText(placeless), modelText(model));
  });

  it('keeps numbers that JSON does not have', () => {
    const nodes = [{ op: 'aten::clamp', overload: '', args: { min: -0, max: Infinity }, outputs: ['output'] }];
    const clamped = { ...model, program: { ...model.program, nodes } };
    assert.deepEqual(readModel(modelText(clamped)).program.nodes, nodes);
  });

  it('of an earlier version, whose inputs are names, is that of the model that the same maker makes now', () => {
    for (const [now, input] of [
      [model, [3]],
      [sequential({ out: linear(5, 2) }), undefined],
    ]) {
      const { name, program, ...others } = now;
      const old = { name, ...(input && { input }), program: { ...program, inputs: ['input'] }, ...others };
      assert.equal(modelText(readModel(JSON.stringify(old))), modelText(now));
    }
  });

  const damage = {
    'no JSON': (text) => text.slice(1),
    'something else': () => '[]',
    'no program': (text) => text.replace('"program"', '"programme"'),
    'an input without a name': (text) => text.replace('"name":"input",', ''),
    'an input of an unknown type': (text) => text.replace('"dtype":"float32"', '"dtype":"float64"'),
    'an input of no shape': (text) => text.replace('"shape":[3]', '"shape":[0.5]'),
    'a tensor without a shape': (text) => text.replace('"shape":[5,3]', '"shape":null'),
    'a parameter that it does not have': (text) => text.replace('hidden.bias', 'hidden.bios'),
    'a parameter of another shape': (text) => text.replace('"shape":[5,3]', '"shape":[3,5]'),
  };
  for (const [name, harm] of Object.entries(damage)) {
    it(`is refused if it holds ${name}`, () => {
      assert.throws(() => readModel(harm(modelText(model))), { code: 'ERR_STATE_FORMAT' });
    });
  }
});
