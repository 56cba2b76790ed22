// Commands on the folder of a learner whose model no command line names: the folder has it.
import assert from 'node:assert/strict';
import { createState, linear, loadState, OnlineLearner, relu, sequential } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { copy, damageFirstJournal, learn } from '../unit/journal-support.mjs';
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
