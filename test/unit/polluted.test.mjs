// Options and plans are what is given, own property by own property: nothing is read from a prototype.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import {
  adwin,
  arrays,
  batches,
  conv2d,
  createState,
  evaluate,
  linear,
  OnlineLearner,
  predict,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

describe('properties that somebody gave to Object.prototype', () => {
  const folder = temporaryFolder();
  for (const [how, name] of [
    ['enumerable', 'and Array.prototype change nothing'],
    ['hidden', 'and Array.prototype, not enumerable, change nothing'],
    ['traps', 'are never read as options or plans'],
  ]) {
    it(name, () => {
      const script = path.join(import.meta.dirname, 'polluted-run.mjs');
      const place = folder(`${how}`);
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['-e', 'require("node:fs").mkdirSync(process.argv[1])', place],
        { encoding: 'utf8' },
      );
      assert.deepEqual([status, stdout, stderr], [0, '', '']);
      const run = spawnSync(process.execPath, [script, place, how], { encoding: 'utf8', timeout: 120_000 });
      assert.deepEqual([run.status, run.stdout, run.stderr], [0, 'nothing is different\n', '']);
    });
  }
});

describe('options on a prototype', () => {
  const model = sequential([linear(2, 3)], { input: [2] });
  const data = arrays({ inputs: new Float32Array(4), labels: [0, 1], shape: [2] });
  const folder = temporaryFolder();

  class Defaults {
    get seed() {
      return 5;
    }
  }
  const kinds = {
    'of defaults': (options) => Object.create({ seed: 5 }, Object.getOwnPropertyDescriptors(options)),
    'of a class': (options) => Object.assign(new Defaults(), options),
    'that has none itself': (options) =>
      Object.create(Object.assign(Object.create(null), { seed: 5 }), Object.getOwnPropertyDescriptors(options)),
  };
  for (const [kind, inherit] of Object.entries(kinds)) {
    it(`${kind} are refused by name`, async () => {
      const state = await createState(model);
      const options = inherit({ model, data, epochs: 1, threads: 1 });
      const error = {
        code: 'ERR_INVALID_OPTION',
        message: /"seed" is inherited; pass a copy, such as \{ \.\.\.defaults/,
      };
      await assert.rejects(trainIncremental(state, options), error);
      await assert.rejects(createState(model, inherit({})), error);
      await assert.rejects(batches(data, inherit({})).next(), error);
      await assert.rejects(OnlineLearner.open(inherit({ dir: folder('never'), checkpoint: state, model })), error);
    });
  }

  it('that are no options of the function are of no interest', async () => {
    const state = await createState(model);
    await evaluate(state, Object.assign(new Defaults(), { model, data, threads: 1 }));
    await predict(state, new Float32Array(2), Object.assign(Object.create({ name: 'x' }), { model, threads: 1 }));
  });

  it('of objects without a prototype, and of other realms, are read', async () => {
    const { runInNewContext } = await import('node:vm');
    const state = await createState(model);
    const plain = Object.assign(Object.create(null), { model, data, epochs: 1, threads: 1, seed: 1 });
    const foreign = Object.assign(runInNewContext('({})'), plain);
    const [a, b] = [await trainIncremental(state, plain), await trainIncremental(state, foreign)];
    assert.ok(a.state.equals(b.state));
    await saveState(a.state, folder('a.pth'), runInNewContext("({ format: 'pth' })"));
  });

  it('are refused where a group of options, a layer, or a detector has them', async () => {
    const state = await createState(model);
    const inherited = { code: 'ERR_INVALID_OPTION', message: /is inherited/ };
    const checkpoint = Object.assign(Object.create({ every: 1 }), { path: folder('c.ckpt') });
    await assert.rejects(trainIncremental(state, { model, data, checkpoint }), inherited);
    assert.throws(() => conv2d(1, 1, 1, Object.create({ padding: 1 })), inherited);
    assert.throws(() => adwin(Object.create({ delta: 0.5 })), inherited);
  });

  it('that a layer does not know are refused', () => {
    assert.throws(() => conv2d(1, 1, 1, { pad: 1 }), {
      code: 'ERR_INVALID_OPTION',
      message: /Unknown option "pad" of conv2d\(\)/,
    });
  });
});
