// The zoo against torchvision: small members of its families are initialised, trained, evaluated and saved with the same bits, and what PyTorch
// saved is recognised. The others are in test/golden/zoo.long.test.mjs.
import assert from 'node:assert/strict';
import {
  arrays,
  createState,
  getModel,
  linear,
  listModels,
  loadState,
  relu,
  State,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { recogniseModel } from '../../dist/models/recognise.js';
import { builtDifferences } from '../models/compare.mjs';
import { pythonForTests } from '../models/worker.mjs';
import { temporaryFolder } from '../support.mjs';
import { made, small } from './zoo-support.mjs';

describe('architectures of torchvision', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const worker = pythonForTests();

  for (const name of small)
    it(`${name} is initialised, trained and evaluated as in Python`, async () => {
      const model = made(name);
      assert.deepEqual(await builtDifferences(worker, `zoo_${name}`, model, at(name)), []);
    });

  it('have the names that torchvision has', async () => {
    const { result } = await worker.ask({ do: 'list', group: 'zoo' });
    const theirs = new Set(result.zoo.models);
    for (const name of listModels()) assert.ok(theirs.has(`zoo_${name}`), name);
  });

  it('are trained from a file of PyTorch without a model', async () => {
    await worker.ask({ do: 'train', model: 'zoo_resnet18', folder: at('file'), keep: true });
    const data = arrays({ inputs: new Float32Array(4 * 3072), labels: [0, 1, 2, 6], shape: [3, 32, 32] });
    const { state } = await trainIncremental(at('file/trained.pth'), { data, batchSize: 4, epochs: 1 });
    assert.equal(state.tensor('bn1.num_batches_tracked').data[0], 4n);
  });
});

describe('states of the zoo', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  const stateOf = (model) => createState(model);

  it('are recognised by names and shapes alone, each with 1000 and with 7 classes', () => {
    for (const name of listModels())
      for (const options of [{}, { numClasses: 7 }]) {
        const { tensors } = getModel(name, options);
        const found = recogniseModel({ tensors, metadata: new Map() });
        assert.equal(found.name, name);
        assert.deepEqual(found.tensors, tensors, name);
      }
    assert.equal(listModels().length, 80);
  });

  it('are recognised with any number of classes, from a file too', async () => {
    for (const numClasses of [2, 1000]) {
      const model = getModel('resnet18', { numClasses });
      await saveState(await stateOf(model), at('state.pth'));
      assert.deepEqual(recogniseModel(await loadState(at('state.pth'))), model);
    }
  });

  it('are recognised without the counters that PyTorch had not before 0.4.1', async () => {
    const model = getModel('resnet18', { numClasses: 3 });
    const { tensors } = await stateOf(model);
    const all = await stateOf(model);
    const kept = tensors.filter(({ name }) => !name.endsWith('num_batches_tracked'));
    const state = State.from(Object.fromEntries(kept.map(({ name }) => [name, all.tensor(name)])));
    assert.equal(recogniseModel(state).name, 'resnet18');
  });

  it('with another head of one linear layer are recognised', async () => {
    const model = getModel('resnet34', { head: linear(512, 5, { bias: false }) });
    assert.deepEqual(recogniseModel(await stateOf(model)).tensors, model.tensors);
  });

  it('with a head of several layers are refused with the line that states the model', async () => {
    const head = sequential([linear(512, 16), relu(), linear(16, 5)]);
    const model = getModel('resnet18', { head });
    const state = await stateOf(model);
    assert.throws(() => recogniseModel(state), {
      code: 'ERR_MODEL_UNKNOWN',
      message: /of resnet18 with another head.*\n.*getModel\('resnet18', \{ head: sequential\(\[…\]\) \}\)/,
    });
    const data = arrays({ inputs: new Float32Array(4 * 3072), labels: [0, 1, 2, 4], shape: [3, 32, 32] });
    await trainIncremental(state, { model, data, batchSize: 4, epochs: 1 });
  });

  it('that lack a tensor are compared with the architecture that they nearly fit, in ten lines', async () => {
    const state = (await stateOf(getModel('resnet18'))).without(['layer1.0.bn1.weight']);
    assert.throws(
      () => recogniseModel(state),
      ({ code, message }) => {
        assert.equal(code, 'ERR_MODEL_UNKNOWN');
        assert.match(message, /resnet18 is the nearest\.\n {2}Missing: layer1\.0\.bn1\.weight \[64\]\.\n/);
        return message.split('\n').length <= 10;
      },
    );
  });

  it('have no unknown names or options', () => {
    const refused = (message) => ({ name: 'LearnError', code: 'ERR_INVALID_OPTION', message });
    assert.throws(() => getModel('resnet19'), refused(/nearest are .*'resnet18'.*loadModel\(\)/));
    assert.throws(() => getModel(7), refused(/the name of an architecture/));
    assert.throws(() => getModel('resnet18', { classes: 3 }), refused(/"classes" of resnet18\(\)/));
    assert.throws(() => getModel('resnet18', { numClasses: 0 }), refused(/"numClasses"/));
    assert.throws(() => getModel('resnet18', { groups: 2 }), refused(/50 or more layers/));
    assert.throws(
      () => getModel('resnet18', { numClasses: 3, head: linear(512, 3) }),
      refused(/either "numClasses" or "head"/),
    );
    assert.throws(() => getModel('resnet18', { head: 7 }), refused(/a layer.*"head"/));
  });
});
