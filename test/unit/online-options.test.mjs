// Options of a learner: wrong ones, and ones that change when it is opened again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  adwin,
  arrays,
  createState,
  ddm,
  linear,
  OnlineLearner,
  saveState,
  sequential,
  sgd,
  toTensor,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

const model = sequential({ out: linear(4, 3) }, { input: [4] });
const sample = (number) => ({
  inputs: Float32Array.from({ length: 4 }, (_, i) => Math.sin(number * 5 + i)),
  labels: [number % 3],
  ids: [number],
});

describe('the options of a learner', () => {
  const at = temporaryFolder();
  let checkpoint;
  let folders = 0;

  before(async () => {
    checkpoint = await createState(model, { seed: 1 });
  });

  const base = () => ({ model, transforms: [], batchSize: 1, maxDelayMs: 0, threads: 1 });
  const open = (options = {}) =>
    OnlineLearner.open({ dir: at(`options ${folders++}`), checkpoint, ...base(), seed: 3, ...options });

  for (const [options, message] of [
    [{ dir: '' }, /a file path for "dir"/],
    [{ replay: { capacty: 3 } }, /Unknown option "capacty" of replay\(\); did you mean "capacity"\?/],
    [{ replay: {} }, /a value for "replay.capacity"/],
    [{ replay: { capacity: 3, policy: 'random' } }, /'reservoir', 'classBalanced' for "policy"/],
    [{ gate: { maxDrop: 2 } }, /from 0 to 1 for "maxDrop"/],
    [{ gate: { heldOut: [1, 2] } }, /a data set made by/],
    [{ gate: { onRefused: 'stop' } }, /'rollback', 'continue'/],
    [{ drift: { onDrift: 'report' } }, /a value for "drift.detector"/],
    [{ drift: { detector: { kind: 'magic' } } }, /a detector made by adwin\(\)/],
    [{ journal: { sync: 'never' } }, /'always' or \{ everyMs \}/],
    [{ journal: { maxBytes: 10 } }, /at least 1048576/],
    [{ keepVersions: 0 }, /at least 1/],
    [{ maxGradientNorm: 0 }, /above 0/],
    [{ checkpoint: undefined }, /holds no learner: pass the option "checkpoint"/],
    [{ checkpoint: 7 }, /the path of a checkpoint or a State/],
    [{ precision: 'bf16' }, /needs mode: 'fast'/],
    [{ inputs: 'float64' }, /'uint8', 'int32', 'int64', 'float32'/],
    [{ transforms: [toTensor()] }, /./],
    [{ epochs: 3 }, /Unknown option "epochs" of OnlineLearner.open\(\)/],
  ]) {
    it(`that are wrong are refused before anything is created: ${JSON.stringify(options) ?? 'undefined'}`, async () => {
      const dir = at(`wrong ${folders++}`);
      await assert.rejects(OnlineLearner.open({ dir, checkpoint, ...base(), ...options }), (error) => {
        assert.match(error.code, /^ERR_(INVALID_OPTION|SHAPE|DATA_FORMAT)$/, error.stack);
        assert.match(error.message, message);
        return true;
      });
      // The folder is not locked, and holds no learner.
      await (await OnlineLearner.open({ dir, checkpoint, ...base() })).close();
    });
  }

  it('that are not given again stay as they were', async () => {
    const dir = at(`options ${folders++}`);
    const given = {
      optimizer: sgd({ learningRate: 0.1, momentum: 0.5 }),
      replay: { capacity: 7, perUpdate: 2 },
      drift: { detector: adwin() },
    };
    const options = { dir, checkpoint, ...base(), seed: 9, ...given, gate: { every: 3 } };
    const [first, other] = [await OnlineLearner.open(options), await open({ seed: 9, ...given, gate: { every: 3 } })];
    for (let i = 0; i < 10; i++) for (const learner of [first, other]) await learner.learn(sample(i));
    await first.close();
    const again = await OnlineLearner.open({ dir, model, maxDelayMs: 0 });
    for (let i = 10; i < 20; i++) for (const learner of [again, other]) await learner.learn(sample(i));
    assert.equal(await again.fingerprint(), await other.fingerprint());
    await Promise.all([again.close(), other.close()]);
  });

  it('may change when it is opened again, and stay changed', async () => {
    const dir = at(`options ${folders++}`);
    let learner = await OnlineLearner.open({ dir, checkpoint, ...base(), seed: 9, drift: { detector: adwin() } });
    for (let i = 0; i < 10; i++) await learner.learn(sample(i));
    await learner.close();
    const changed = {
      optimizer: sgd({ learningRate: 0.5 }),
      drift: { detector: ddm() },
      replay: { capacity: 5, perUpdate: 1 },
      gate: { every: 2 },
    };
    learner = await OnlineLearner.open({ dir, ...base(), ...changed });
    const { learned, prequential } = learner.metrics();
    assert.deepEqual([learned, prequential.samples], [10, 10]);
    for (let i = 10; i < 14; i++) await learner.learn(sample(i));
    assert.ok(learner.metrics().version >= 1);
    await learner.close();
    learner = await OnlineLearner.open({ dir, model });
    await learner.learn(sample(14));
    await learner.learn(sample(15));
    const { settings } = JSON.parse(
      fs.readFileSync(`${dir}/versions/version-${String(learner.metrics().version).padStart(9, '0')}.json`),
    );
    assert.equal(settings.optimizer.learningRate, 0.5);
    assert.equal(settings.drift.detector.kind, 'ddm');
    await learner.close();
  });

  it('must name the held-out samples again, or drop them explicitly', async () => {
    const dir = at(`options ${folders++}`);
    const heldOut = (seed) =>
      arrays({ inputs: new Float32Array(8).fill(seed), labels: [0, 1], shape: [4], classes: 3 });
    await (await OnlineLearner.open({ dir, checkpoint, ...base(), gate: { heldOut: heldOut(1) } })).close();
    await assert.rejects(OnlineLearner.open({ dir, ...base() }), {
      code: 'ERR_INVALID_OPTION',
      message: /gate: \{ heldOut \}/,
    });
    await (await OnlineLearner.open({ dir, ...base(), gate: { heldOut: heldOut(2) } })).close();
    await (await OnlineLearner.open({ dir, ...base(), gate: {} })).close();
    await (await OnlineLearner.open({ dir, ...base() })).close();
  });

  it('must be of the model that the learner has', async () => {
    const dir = at(`options ${folders++}`);
    await (await OnlineLearner.open({ dir, checkpoint, ...base() })).close();
    const wider = sequential({ out: linear(5, 3) }, { input: [5] });
    await assert.rejects(OnlineLearner.open({ dir, ...base(), model: wider }), { code: 'ERR_STATE_MISMATCH' });
    await (await OnlineLearner.open({ dir, ...base() })).close();
  });

  it('take a checkpoint by its path, which is then no longer needed', async () => {
    const dir = at(`options ${folders++}`);
    await saveState(checkpoint, at('begin.pth'));
    await (await OnlineLearner.open({ dir, ...base(), checkpoint: at('begin.pth') })).close();
    fs.rmSync(at('begin.pth'));
    const learner = await OnlineLearner.open({ dir, ...base(), checkpoint: at('begin.pth') });
    await learner.learn(sample(1));
    await learner.close();
    await learner.close();
  });
});
