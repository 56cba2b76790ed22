// Names of classes: extendClasses() adds them, and states, files and training keep them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  createState,
  evaluate,
  extendClasses,
  linear,
  loadState,
  merge,
  OnlineLearner,
  relu,
  State,
  saveState,
  sequential,
  sgd,
  swa,
  trainIncremental,
} from 'torch-incremental';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import { treeOf } from '../../dist/state/state.js';
import { temporaryFolder } from '../support.mjs';

const model = sequential({ body: linear(4, 6), relu: relu(), fc: linear(6, 3) }, { input: [4] });
const oldNames = ['cat', 'dog', 'emu'];
const namesOf = (state) => state.metadata.get('class_names');
const invalid = (message) => ({ code: 'ERR_INVALID_OPTION', message });

describe('names of classes', () => {
  const at = temporaryFolder();
  const data = arrays({
    inputs: new Float32Array(40).map((_, i) => (i % 7) - 3),
    labels: new Int32Array(10).map((_, i) => i % 3),
    shape: [4],
    classes: 3,
  });
  let state;
  let named;
  before(async () => {
    state = await createState(model, { seed: 1 });
    named = await extendClasses(state, { model, names: ['fox', 'owl'], oldNames });
  });

  it('follow those that exist, and give the rows that their number gives', async () => {
    assert.deepEqual(named.classNames, ['cat', 'dog', 'emu', 'fox', 'owl']);
    assert.deepEqual(namesOf(named.state), named.classNames);
    const counted = await extendClasses(state, { model, classes: 5 });
    assert.ok(counted.state.equals(named.state));
    assert.equal(counted.classNames, undefined);
    assert.equal(namesOf(counted.state), undefined);
    assert.equal(namesOf(state), undefined, 'the given state is unchanged');
    assert.equal(named.model.tensors.at(-1).shape[0], 5);
    const more = await extendClasses(named.state, { model: named.model, names: ['ape'] });
    assert.deepEqual(namesOf(more.state), ['cat', 'dog', 'emu', 'fox', 'owl', 'ape']);
    assert.deepEqual(namesOf(named.state), named.classNames);
    assert.deepEqual([...more.state.metadata.keys()], ['_metadata', 'class_names']);
  });

  it('are not changed by later changes of what was given or returned', async () => {
    const [names, old] = [['fox'], [...oldNames]];
    const extending = extendClasses(state, { model, names, oldNames: old });
    names[0] = old[0] = 'gnu';
    const { state: extended, classNames } = await extending;
    assert.ok(Object.isFrozen(classNames));
    assert.deepEqual(namesOf(extended), ['cat', 'dog', 'emu', 'fox']);
  });

  it('are refused, by name, where a class has it, or none is given', async () => {
    const refused = (options, message) => assert.rejects(extendClasses(state, { model, ...options }), invalid(message));
    await refused(
      { names: ['fox', 'dog'], oldNames },
      /each name of a class once, but 'dog' is that of class 1 already/,
    );
    await refused({ names: ['fox', 'owl', 'fox'], oldNames }, /but 'fox' is names\[0\] already/);
    await refused({ names: ['fox'], oldNames: ['a', 'b', 'a'] }, /but 'a' is oldNames\[0\] already/);
    await refused({ names: [], oldNames }, /an array of names of classes for "names" but received an array of 0/);
    await refused({ names: 'fox', oldNames }, /an array of names of classes for "names"/);
    await refused({ names: ['fox', ''], oldNames }, /a name of 1 to 1000 characters for "names\[1\]"/);
    await refused({ names: ['x'.repeat(1001)], oldNames }, /"names\[0\]"/);
    await refused({ names: ['\ud800'], oldNames }, /"names\[0\]"/);
    await refused({ names: [3], oldNames }, /"names\[0\]" but received number \(3\)/);
    await refused({ names: ['fox'], classes: 4 }, /either "classes" or "names" but received both/);
    await refused({ oldNames, classes: 4 }, /"names" of new classes beside "oldNames"/);
    await refused({}, /the number of classes afterwards, or "names" of new ones, for "classes" but received undefined/);
  });

  it('are refused where the layer has another number of outputs than there are names', async () => {
    const refused = (from, options, message) => assert.rejects(extendClasses(from, options), invalid(message));
    await refused(
      state,
      { model, names: ['fox'] },
      /names of the 3 classes of fc\.weight but the state has none; give them/,
    );
    await refused(
      state,
      { model, names: ['fox'], oldNames: ['cat', 'dog'] },
      /names of the 3 classes of fc\.weight but received 2; give all as "oldNames"/,
    );
    const other = merge(named.state.without('fc'), state.select('fc'));
    await refused(
      other,
      { model, names: ['ape'] },
      /the 3 classes of fc\.weight but the state has 5; give all as "oldNames"/,
    );
    const { classNames } = await extendClasses(other, { model, names: ['ape'], oldNames: ['x', 'y', 'z'] });
    assert.deepEqual(classNames, ['x', 'y', 'z', 'ape']);
  });

  it('never move', async () => {
    const { state: from, model: grown, classNames } = named;
    const swapped = ['dog', 'cat', ...classNames.slice(2)];
    await assert.rejects(
      extendClasses(from, { model: grown, names: ['ape'], oldNames: swapped }),
      invalid(
        /Expected 'cat' for "oldNames\[0\]", as the state names that class, but received 'dog'; no name is ever moved/,
      ),
    );
    await assert.rejects(
      extendClasses(from, { model: grown, names: ['ape'], oldNames: classNames.slice(1) }),
      invalid(/Expected 'cat' for "oldNames\[0\]"/),
    );
    await assert.rejects(
      extendClasses(from, { model: grown, names: ['ape'], oldNames: classNames.slice(0, 4) }),
      invalid(/received 4; give all/),
    );
    const same = await extendClasses(from, { model: grown, names: ['ape'], oldNames: classNames });
    assert.deepEqual(same.classNames, [...classNames, 'ape']);
    await assert.rejects(
      extendClasses(from, { model: grown, classes: 7 }),
      invalid(/"names" of the new classes instead of "classes", since the 5 classes of fc\.weight have names/),
    );
  });

  it('go through saving, loading, edits and training, and are in evaluations', async () => {
    await saveState(named.state, at('names.pth'));
    const loaded = await loadState(at('names.pth'));
    const { classNames, model: grown } = named;
    assert.deepEqual(namesOf(loaded), classNames);
    for (const edited of [
      loaded.select('fc'),
      loaded.with({ 'fc.bias': { dtype: 'float32', shape: [5], data: new Float32Array(5) } }),
      loaded.renamed({ 'fc.bias': 'b' }),
    ])
      assert.deepEqual(namesOf(edited), classNames);
    const options = { model: grown, data, epochs: 2, seed: 1, batchSize: 5, average: swa() };
    const file = at('run.ckpt');
    const trained = await trainIncremental(loaded, { ...options, checkpoint: { path: file } });
    for (const one of [trained.state, trained.lastState, await loadState(file, { key: 'model' })])
      assert.deepEqual(namesOf(one), classNames);
    const resumed = await trainIncremental('', { model: grown, data, epochs: 3, resume: file });
    assert.deepEqual(namesOf(resumed.state), classNames);
    const { perClass } = await evaluate(resumed.state, { model: grown, data });
    assert.deepEqual(
      perClass.map(({ name }) => name),
      classNames,
    );
    const other = merge(named.state.without('fc'), state.select('fc'));
    const evaluation = await evaluate(other, { model, data });
    assert.deepEqual(
      evaluation.perClass.map(({ name }) => name),
      ['0', '1', '2'],
      'three classes cannot have five names',
    );
    const more = await extendClasses(await loadState(file, { key: 'model' }), { model: grown, names: ['ape'] });
    assert.deepEqual(namesOf(more.state), [...classNames, 'ape']);
  });

  it('are read from an entry beside the state dict, and are something else where they are no list of names', async () => {
    const part = State.from(Object.fromEntries(state.names.map((name) => [name, state.tensor(name)])));
    const around = async (names) => {
      await writeCheckpoint(
        new Map([
          ['model', treeOf(part).root],
          ['class_names', names],
        ]),
        at('entry.ckpt'),
      );
      return loadState(at('entry.ckpt'));
    };
    const { state: extended } = await extendClasses(await around(oldNames), { model, names: ['fox'] });
    await saveState(extended, at('entry2.ckpt'));
    const { root: saved, part: dict } = treeOf(await loadState(at('entry2.ckpt')));
    const all = [...oldNames, 'fox'];
    assert.deepEqual([saved.get('class_names'), dict.attributes.get('class_names')], [all, all]);
    for (const odd of [['cat', 'cat', 'dog'], new Map([[0, 'cat']]), ['cat', 1, 'dog'], 'cat', null])
      await assert.rejects(extendClasses(await around(odd), { model, names: ['fox'] }), invalid(/the state has none/));
  });

  it('stay in the versions, snapshots and saved weights of a learner, through restarts and other settings', async () => {
    const dir = at('learner');
    const open = (options) =>
      OnlineLearner.open({ ...{ dir, transforms: [], batchSize: 1, maxDelayMs: 0, threads: 1, seed: 1 }, ...options });
    const names = [...oldNames, 'fox', 'owl'];
    const learn = (learner, label) => learner.learn({ inputs: Float32Array.of(1, 2, 3, label), labels: [label] });
    const savedBy = async (learner) => {
      await learner.save(at('saved.pth'));
      return namesOf(await loadState(at('saved.pth')));
    };
    let learner = await open({ checkpoint: named.state, model: named.model });
    await learn(learner, 4);
    assert.deepEqual(await savedBy(learner), names);
    await learner.publish();
    await learner.close();
    learner = await open({ optimizer: sgd({ learningRate: 0.01 }) });
    await learn(learner, 3);
    assert.deepEqual(await savedBy(learner), names);
    await learner.publish();
    const versions = learner.versions().map(({ version }) => version);
    await learner.close();
    assert.deepEqual(versions, [0, 1, 2]);
    for (const version of versions) {
      assert.deepEqual(namesOf(await loadState(path.join(dir, `versions/version-00000000${version}.pth`))), names);
    }
    const [file] = fs
      .readdirSync(dir)
      .filter((name) => name.startsWith('snapshot-'))
      .slice(-1);
    assert.deepEqual(namesOf(await loadState(path.join(dir, file), { key: 'model' })), names);
  });
});
