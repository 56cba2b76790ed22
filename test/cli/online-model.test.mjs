// Commands on the folder of a learner whose model no command line names: the folder has it.
import assert from 'node:assert/strict';
import { createState, linear, loadState, OnlineLearner, relu, sequential } from 'torch-incremental';
import options from '../../dist/cli/online/options.js';
import { temporaryFolder } from '../support.mjs';
import { copy, damageFirstJournal, learn } from '../unit/journal-support.mjs';
import { classes, modelWith } from '../unit/words-support.mjs';
import { begin, endLeftovers } from './online-support.mjs';
import { run } from './run.mjs';

const model = sequential({ hidden: linear(3, 5), relu: relu(), out: linear(5, 2) }, { input: [3] });

describe("command line: a sequential model's learner", function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const dir = at('learner');

  before(async () => {
    const learner = await OnlineLearner.open({
      ...{ dir: at('whole'), model, checkpoint: await createState(model, { seed: 1 }), gate: { every: 3 } },
      ...{ transforms: [], batchSize: 1, maxDelayMs: 0, seed: 1, threads: 1 },
    });
    await learn(learner, 0, 8);
    await learner.close();
  });
  beforeEach(() => copy(at('whole'), dir));
  afterEach(endLeftovers);

  it('is served by `online` without a checkpoint, and its weights are saved', async () => {
    const { send, answers, finish } = begin(['--dir', 'learner', '--save', 'out.pth'], { cwd: at() });
    send('{"input": [1, 2, 3]}');
    const { value } = await answers.next();
    assert.equal(value.logits.length, 2);
    const { code } = await finish('{"input": [1, 2, 3], "label": 1}');
    assert.equal(code, 0);
    const state = await loadState(at('out.pth'));
    assert.deepEqual(
      state.tensors.map(({ name }) => name),
      ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias'],
    );
  });

  it('has a version reproduced by `versions`', async () => {
    const { code, stdout } = await run(['versions', 'learner', '--reproduce', '2', '--json'], { cwd: at() });
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).version.version, 2);
  });

  it('is replayed and repaired by `repair`', async () => {
    damageFirstJournal(dir, 5);
    const { code, stdout } = await run(['repair', 'learner', '--yes', '--json'], { cwd: at() });
    assert.equal(code, 0);
    const { replayed, journal } = JSON.parse(stdout);
    assert.deepEqual([replayed, journal.firstRecord], [true, 5]);
    const learner = await OnlineLearner.open({ dir });
    assert.equal(learner.metrics().learned, 3);
    await learner.close();
  });
});

describe('command line: a learner with two inputs', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  afterEach(endLeftovers);

  const begun = async (name, model, options = {}) => {
    const learner = await OnlineLearner.open({
      ...{ dir: at(name), model, checkpoint: await createState(model, { seed: 1 }) },
      ...{ batchSize: 1, maxDelayMs: 0, seed: 1, threads: 1, ...options },
    });
    await learner.close();
  };
  const inputs = { ids: [1, 2, 3, 9], dense: [0.5, -1] };
  const errorsOf = (answers) => answers.map(({ error }) => error?.code);

  it('predicts, learns and takes late labels by `online`', async () => {
    await begun('words', modelWith([classes]));
    const { ask, finish } = begin(['--dir', 'words'], { cwd: at() });
    const ids = Buffer.from(BigInt64Array.of(1n, 2n, 3n, 9n).buffer).toString('base64');
    const beyond = { ...inputs, ids: [1, 2, 3, 99] };
    const [failed, first, second, third] = await ask(
      { inputs: beyond },
      { inputs },
      { id: 'own', inputs: { ...inputs, ids } },
      { inputs, label: 1 },
    );
    assert.equal(failed.error.code, 'ERR_TORCH');
    assert.equal(first.logits.length, classes);
    assert.deepEqual(Object.keys(first), ['id', 'label', 'version', 'logits']);
    assert.deepEqual([second.id, second.label, second.logits], ['own', first.label, first.logits]);
    assert.equal(typeof third.loss, 'number');
    const { code, answers } = await finish(
      { feedback: first.id, label: 2 },
      { feedback: second.feedback, label: 7 },
      { input: inputs.ids, label: 1 },
      { inputs: { ...inputs, mask: [1] }, label: 1 },
      { inputs: { ids: inputs.ids }, label: 1 },
      { inputs: { ...inputs, ids: [1, 2, 3, 2 ** 53] } },
      { inputs: { ...inputs, ids: [1, 2, 3] } },
      { inputs: { ...inputs, ids: [1, 2, 3] }, label: 1 },
      { inputs: { ...inputs, dense: [[1, 2]] } },
      { inputs, target: 1 },
      { metrics: true },
    );
    assert.equal(code, 0);
    const wrong = 'ERR_INVALID_OPTION';
    assert.deepEqual(errorsOf(answers), [
      ...[undefined, undefined, wrong, wrong, wrong, wrong, 'ERR_SHAPE', undefined, 'ERR_SHAPE', wrong, undefined],
    ]);
    assert.equal(typeof answers[0].loss, 'number');
    assert.equal(answers[1].reason.code, 'label');
    assert.match(answers[2].error.message, /ids, dense/);
    assert.match(answers[6].error.message, /4 values for "inputs.ids"/);
    assert.equal(answers[7].reason.code, 'shape');
    const { learned, feedback } = answers.at(-1).metrics;
    assert.deepEqual([learned, feedback.joined, feedback.pending], [2, 1, 1]);
  });

  it('learns targets in several indices by `online`', async () => {
    await begun('tokens', modelWith([classes, 2]), { target: { kind: 'tokens', shape: [2] } });
    const { ask, finish } = begin(['--dir', 'tokens', '--target', 'tokens:2'], { cwd: at() });
    const [predicted] = await ask({ inputs });
    assert.deepEqual(Object.keys(predicted), ['id', 'shape', 'version', 'logits']);
    assert.deepEqual([predicted.shape, predicted.logits.length], [[classes, 2], 2 * classes]);
    const { code, answers } = await finish(
      { inputs, target: [2, -100] },
      { feedback: predicted.id, target: [9, 0] },
      { feedback: predicted.id, target: [1, 0] },
      { inputs, target: 1 },
      { inputs, label: 1 },
      { metrics: true },
    );
    assert.equal(code, 0);
    const wrong = 'ERR_INVALID_OPTION';
    assert.deepEqual(errorsOf(answers), [undefined, undefined, undefined, wrong, wrong, undefined]);
    assert.equal(answers[1].reason.code, 'label');
    assert.equal(answers.at(-1).metrics.learned, 2);
  });
});

describe('command line: the option --target of online', () => {
  it('has a kind and maybe a shape', () => {
    const targetOf = (target) => options.learnerOptionsFrom({ dir: 'x', target }).target;
    assert.deepEqual(targetOf('class'), { kind: 'class' });
    assert.deepEqual(targetOf('values'), { kind: 'values' });
    assert.deepEqual(targetOf('values:3'), { kind: 'values', shape: [3] });
    assert.deepEqual(targetOf('classes:20'), { kind: 'classes', shape: [20] });
    assert.deepEqual(targetOf('tokens:64x32'), { kind: 'tokens', shape: [64, 32] });
    assert.equal(targetOf(undefined), undefined);
    const { check } = options.learnerOptions.target;
    for (const wrong of ['', 'none', 'value', 'values:', 'values:0', 'tokens:3x', 'tokens:-1', 'tokens:1,2', 'class 3'])
      assert.throws(() => check(wrong, 'target'), { code: 'ERR_INVALID_OPTION', message: /such as 'values:3'/ });
  });
});
