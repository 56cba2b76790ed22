// Records of optimizer and loss: those of earlier versions are read, those of a newer one are refused by their number and left alone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createState, crossEntropyLoss, loadState, net, repairLearner, sgd, trainIncremental } from 'torch-incremental';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import { optimizerOfFlags, recordedOptimizer, resumedOptimizer } from '../../dist/optimizers/index.js';
import { treeOf } from '../../dist/state/state.js';
import { temporaryFolder } from '../support.mjs';
import { contents, journalsIn, learn, model, open, snapshotsIn, stateOf } from './journal-support.mjs';
import { data, recorded } from './resume-support.mjs';

const optimizer = sgd({ learningRate: 0.01, momentum: 0.8, weightDecay: 0.01, nesterov: true });

/** Writes a file again, with the entries that `change` leaves in it. */
async function rewrite(file, change) {
  const state = await loadState(file, { key: 'model' });
  const { root } = treeOf(state);
  change(root);
  await writeCheckpoint(root, file);
  state.dispose();
}

describe('a training checkpoint', () => {
  const at = temporaryFolder();
  const run = { data, epochs: 2, batchSize: 16, seed: 1, threads: 1, optimizer };
  let state;
  let whole;
  before(async () => {
    state = await createState(net(), { seed: 0 });
    whole = await recorded(state, run);
  });
  const checkpoint = async (name) => {
    await recorded(state, { ...run, epochs: 1, checkpoint: { path: at(name) } });
    return at(name);
  };
  const optionsIn = (metadata) => metadata.get('options');

  it('has optimizer and loss as dicts, under format 3', async () => {
    const { metadata } = await loadState(await checkpoint('dicts'), { key: 'model' });
    const options = optionsIn(metadata);
    assert.equal(options.get('format'), 3);
    assert.deepEqual(Object.fromEntries(options.get('optimizer')), optimizer);
    assert.deepEqual(Object.fromEntries(options.get('loss')), crossEntropyLoss());
    assert.equal(options.has('learningRate'), false);
  });

  it('of format 1 is resumed, with the optimizer that PyTorch would load or without one', async () => {
    for (const isWhole of [true, false]) {
      const file = await checkpoint(`format 1 ${isWhole}`);
      await rewrite(file, (metadata) => {
        const options = optionsIn(metadata);
        for (const name of ['format', 'optimizer', 'loss']) options.delete(name);
        const { kind, ...flat } = optimizer;
        for (const [name, value] of Object.entries(flat)) options.set(name, value);
        if (!isWhole) metadata.delete('optimizer');
      });
      const resumed = await recorded('', { data, resume: file, epochs: 2, checkpoint: { path: at('again') } });
      if (isWhole) assert.deepEqual(resumed.losses, whole.losses.slice(-resumed.losses.length));
      const { metadata } = await loadState(at('again'), { key: 'model' });
      assert.deepEqual(Object.fromEntries(optionsIn(metadata).get('optimizer')), optimizer);
    }
  });

  for (const [what, change, message] of [
    ['of a newer format', (options) => options.set('format', 4), /format 4.* up to 3: a newer version wrote it/],
    ['with an optimizer that is not known', (options) => options.get('optimizer').set('kind', 'lion'), /lion/],
    ['with an option that is not known', (options) => options.get('optimizer').set('warmth', 1), /"warmth" of sgd/],
    ['with a loss that is not known', (options) => options.get('loss').set('kind', 'hingeLoss'), /hingeLoss/],
  ]) {
    it(`${what} is refused by name and left as it is`, async () => {
      const file = await checkpoint(what);
      await rewrite(file, (metadata) => change(optionsIn(metadata)));
      const bytes = fs.readFileSync(file);
      const resuming = trainIncremental('', { data, resume: file, epochs: 3, checkpoint: { path: file } });
      await assert.rejects(resuming, { name: 'LearnError', code: 'ERR_STATE_FORMAT', message });
      assert.deepEqual(fs.readFileSync(file), bytes);
    });
  }
});

describe("a learner's folder", () => {
  const at = temporaryFolder();
  const make = async (name) => {
    const learner = await open(at(name), { optimizer });
    await learn(learner, 0, 3);
    await learner.close();
    return { dir: at(name), file: path.join(at(name), snapshotsIn(at(name)).at(-1)) };
  };
  const rewriteFacts = (file, change) =>
    rewrite(file, (metadata) => {
      const facts = JSON.parse(metadata.get('learner'));
      change(facts);
      metadata.set('learner', JSON.stringify(facts));
    });

  it('of format 1 opens as the learner that it is', async () => {
    const { dir, file } = await make('format 1');
    const before = await stateOf(dir);
    await rewriteFacts(file, (facts) => {
      assert.equal(facts.format, 5);
      const { optimizer, loss, target, parameterGroups, frozenStatistics, ...others } = facts.settings;
      assert.deepEqual([parameterGroups, frozenStatistics], [[], []]);
      const { kind, ...flat } = optimizer;
      Object.assign(facts, { format: 1, settings: { ...others, ...flat } });
    });
    assert.deepEqual(await stateOf(dir), before);
  });

  it('of format 2, whose model has names as inputs, opens as the learner that it is, with its model too', async () => {
    const { dir, file } = await make('format 2');
    const before = await stateOf(dir);
    await rewrite(file, (metadata) => {
      const facts = JSON.parse(metadata.get('learner'));
      const { target, parameterGroups, frozenStatistics, ...settings } = facts.settings;
      assert.deepEqual(target, { kind: 'class', shape: [] });
      metadata.set('learner', JSON.stringify({ ...facts, format: 2, settings }));
      const { name, program, ...others } = JSON.parse(metadata.get('program'));
      const old = { name, input: [3], program: { ...program, inputs: ['input'] }, ...others };
      metadata.set('program', JSON.stringify(old));
    });
    const journals = contents(dir);
    assert.deepEqual(await stateOf(dir), before);
    // Nothing was recorded: opening with the same model is no change.
    assert.deepEqual(
      journalsIn(dir).map((name) => contents(dir)[name]),
      journalsIn(dir).map((name) => journals[name]),
    );
  });

  it('of a newer format is refused by its number, by a repair too, and left as it is', async () => {
    const { dir, file } = await make('newer');
    await rewriteFacts(file, (facts) => Object.assign(facts, { format: 7 }));
    const before = contents(dir);
    const refused = { code: 'ERR_STATE_FORMAT', message: /format 7.* up to 6: a newer version wrote it/ };
    await assert.rejects(open(dir), refused);
    await assert.rejects(repairLearner(dir, { apply: true, model }), refused);
    assert.deepEqual(contents(dir), before);
  });
});

describe('the optimizer of the command line', () => {
  it('changes the options that have flags, and no others', () => {
    assert.equal(optimizerOfFlags({ learningRate: undefined }), undefined);
    assert.deepEqual(optimizerOfFlags({ learningRate: 0.5, momentum: undefined }), sgd({ learningRate: 0.5 }));
    assert.deepEqual(resumedOptimizer(optimizerOfFlags({ learningRate: 0.5 }), optimizer), {
      ...optimizer,
      learningRate: 0.5,
    });
    assert.deepEqual(resumedOptimizer(sgd({ learningRate: 0.5 }), optimizer), sgd({ learningRate: 0.5 }));
    assert.equal(resumedOptimizer(undefined, optimizer), optimizer);
    assert.throws(() => resumedOptimizer(optimizerOfFlags({ momentum: 0 }), optimizer), /requires a momentum/);
  });

  it('continues without a momentum where an earlier version began so', () => {
    const begun = recordedOptimizer({ nesterov: true, momentum: 0 });
    const same = { kind: 'sgd', learningRate: 0.001, momentum: 0, dampening: 0, weightDecay: 0 };
    assert.deepEqual(begun, { ...same, nesterov: true, maximize: false });
    assert.equal(resumedOptimizer(undefined, begun), begun);
  });
});
