// Training that is resumed from checkpoints: it ends as a run that was never stopped.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { arrays, createState, loadState, net, OrderedDict, saveState, sgd, trainIncremental } from 'torch-incremental';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import { treeOf } from '../../dist/state/state.js';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { assertSameEnd, data, drawing, recorded, stopped } from './resume-support.mjs';

const at = temporaryFolder();
const path = at('run.ckpt');
const nesterov = sgd({ nesterov: true, weightDecay: 0.01, momentum: 0.8 });

describe('resume', () => {
  const quick = { data, epochs: 3, batchSize: 16, seed: 1, threads: 1 };
  let state;
  before(async () => {
    state = await createState(net(), { seed: 0 });
  });

  for (const [what, model, options] of [
    ['Net with the default options', net(), {}],
    ['dropout and batch norm', drawing, {}],
    ['dropout and batch norm in the order of the data', drawing, { shuffle: false }],
    ['dropout, weight decay and Nesterov momentum', drawing, { optimizer: nesterov }],
    ['no last short batch', drawing, { dropLast: true }],
    ['dropout, batch norm, and the draws of three workers', drawing, { workers: 3 }],
    [
      'the draws of two workers, no last short batch, in the order of the data',
      drawing,
      { workers: 2, dropLast: true, shuffle: false },
    ],
    ['the draws of two workers, and steps of two batches', drawing, { workers: 2, accumulate: 2 }],
    ['no momentum', net(), { optimizer: sgd({ momentum: 0 }) }],
    ['two threads', net(), { threads: 2 }],
  ]) {
    it(`ends bit for bit where the uninterrupted run ends, wherever it was stopped: ${what}`, async () => {
      const source = await createState(model, { seed: 0 });
      const all = { ...quick, ...options, model };
      const whole = await recorded(source, all);
      const kept = await recorded(source, { ...all, checkpoint: { path, every: 1 } });
      assertSameEnd(kept, whole);
      // A busy machine hears of a step late, and stops twice at one place: it goes round again then, with other steps.
      const positions = new Set();
      const rounds = Math.ceil(whole.losses.length / 3);
      for (let run = 0; run < rounds || (positions.size <= 3 && run < 200); run++) {
        const step = 1 + ((3 * run + Math.floor(run / rounds)) % whole.losses.length);
        await stopped(source, { ...all, checkpoint: { path } }, step, { atEndToo: true });
        const { metadata } = await loadState(path, { key: 'model' });
        positions.add(`${metadata.get('epoch')}.${metadata.get('step')}`);
        assertSameEnd(await recorded('not read', { data, model, resume: path }), whole);
      }
      assert.ok(positions.size > 3, `stopped only at ${[...positions]}`);
    });
  }

  it('resumes again and again from the checkpoint that it writes itself', async () => {
    const long = { ...quick, epochs: 20 };
    const whole = await recorded(state, long);
    await stopped(state, { ...long, checkpoint: { path } }, 3);
    for (let left = 0; left < 3; left++) {
      await stopped(state, { data, resume: path, checkpoint: { path } }, 3);
    }
    assertSameEnd(await recorded(state, { data, resume: path, checkpoint: { path } }), whole);
  });

  it('returns the result of a finished run at once, and continues if more epochs are asked for', async () => {
    const whole = await recorded(state, quick);
    await recorded(state, { ...quick, epochs: 2, checkpoint: { path } });
    const again = await recorded(state, { data, resume: path });
    assert.deepEqual(again.losses, []);
    assertSameEnd(again, await recorded(state, { ...quick, epochs: 2 }));
    assertSameEnd(await recorded(state, { data, resume: path, epochs: 3 }), whole);
  });

  it('takes another learning rate, momentum and weight decay from then on', async () => {
    await recorded(state, { ...quick, epochs: 1, checkpoint: { path } });
    const optimizer = sgd({ learningRate: 0, weightDecay: 0.5, momentum: 0 });
    const resumed = { data, resume: path, epochs: 2, optimizer };
    const { state: same } = await recorded(state, { ...resumed, checkpoint: { path: at('changed.ckpt') } });
    assert.ok(same.equals(await loadState(path, { key: 'model' })));
    const { metadata } = await loadState(at('changed.ckpt'), { key: 'model' });
    const group = metadata.get('optimizer').get('param_groups')[0];
    assert.deepEqual([group.get('lr'), group.get('momentum'), group.get('weight_decay')], [0, 0, 0.5]);
  });

  it('takes another number of threads, and without one the number that the run was begun with', async () => {
    await recorded(state, { ...quick, epochs: 1, checkpoint: { path } });
    const { device } = await recorded(state, { data, resume: path, epochs: 2 });
    assert.equal(device.threads, 1);
    const other = await recorded(state, { data, resume: path, epochs: 2, threads: 2 });
    assert.equal(other.device.threads, 2);
    assert.equal(other.history.length, 2);
  });

  /** The checkpoint with its model under other keys, its names with a prefix, and its optimizer under another key. */
  async function moved(keys, prefix, optimizer = 'optimizer') {
    const { root: whole } = treeOf(await loadState(path, { key: 'model' }));
    const named = new OrderedDict([...whole.get('model')].map(([name, tensor]) => [prefix + name, tensor]));
    const rest = [...whole].filter(([key]) => key !== 'model' && key !== 'optimizer');
    const innermost = new Map([[keys.at(-1), named], [optimizer, whole.get('optimizer')], ...rest]);
    const around = (inner, key) =>
      new Map([
        [key, inner],
        ['epoch', 1000],
      ]);
    await writeCheckpoint(keys.slice(0, -1).reduceRight(around, innermost), at('moved.ckpt'));
  }

  for (const [what, keys, prefix, options] of [
    ['under another key', ['net'], '', { key: 'net' }],
    ['inside another dict, whose entries come first', ['run', 'net'], '', { key: 'run.net' }],
    ['with a prefix', ['state_dict'], 'module.', { stripPrefix: 'module.' }],
    ['with a prefix that auto takes away', ['model'], '_orig_mod.module.', { stripPrefix: 'auto' }],
    ['under another key and with a prefix', ['ema'], 'net.', { key: 'ema', stripPrefix: 'net.' }],
  ]) {
    it(`takes a model ${what}`, async () => {
      const whole = await recorded(state, quick);
      await recorded(state, { ...quick, epochs: 2, checkpoint: { path } });
      await moved(keys, prefix);
      assertSameEnd(await recorded('', { data, resume: { path: at('moved.ckpt'), ...options }, epochs: 3 }), whole);
    });
  }

  it('takes the only optimizer there is, under whatever key, and refuses to choose one', async () => {
    const whole = await recorded(state, quick);
    await recorded(state, { ...quick, epochs: 2, checkpoint: { path } });
    await moved(['model'], '', 'solver');
    assertSameEnd(await recorded('', { data, resume: at('moved.ckpt'), epochs: 3 }), whole);
    const { root: one } = treeOf(await loadState(at('moved.ckpt'), { key: 'model' }));
    await writeCheckpoint(new Map([...one, ['optimizer_states', [one.get('solver')]]]), at('two.ckpt'));
    await assert.rejects(recorded('', { data, resume: at('two.ckpt'), epochs: 3 }), {
      code: 'ERR_STATE_FORMAT',
      message: /one optimizer but found 2, under solver, optimizer_states/,
    });
  });

  it('warns of schedulers, which it does not resume, with where they are and the rate that stays', async () => {
    await recorded(state, { ...quick, epochs: 2, checkpoint: { path } });
    const { root } = treeOf(await loadState(path, { key: 'model' }));
    const scheduler = new Map([
      ['last_epoch', 2],
      ['_step_count', 3],
    ]);
    await writeCheckpoint(new Map([...root, ['lr_schedulers', [scheduler]]]), at('scheduled.ckpt'));
    const warned = once(process, 'warning');
    await recorded('', { data, resume: at('scheduled.ckpt'), epochs: 3 });
    const [{ code, message }] = await warned;
    assert.equal(code, 'WARN_NOT_RESUMED');
    assert.match(
      message,
      /scheduler in .*scheduled\.ckpt, under lr_schedulers, is not resumed: the rate stays at 0\.\d+/,
    );
  });

  describe('refuses', () => {
    before(() => stopped(state, { ...quick, checkpoint: { path } }, 7));

    for (const [option, value, was] of [
      ['batchSize', 32, 16],
      ['shuffle', false, true],
      ['dropLast', true, false],
      ['workers', 2, 0],
      ['accumulate', 2, 1],
      ['seed', 2, 1],
    ]) {
      it(`another ${option}, naming both values and what to do`, async () => {
        await assert.rejects(trainIncremental(state, { data, resume: path, [option]: value }), (error) => {
          assert.equal(error.code, 'ERR_INVALID_OPTION');
          assert.ok(error.message.includes(`begun with ${option}: ${was}`), error.message);
          assert.ok(error.message.includes(`"${option}" is now ${value}`), error.message);
          assert.match(error.message, /leave the option out/);
          return true;
        });
        await recorded(state, { data, resume: path, [option]: was });
      });
    }

    it('another number of samples', async () => {
      const more = arrays(madeUpImages(71));
      await assert.rejects(
        trainIncremental(state, { data: more, resume: path }),
        (error) => error.code === 'ERR_INVALID_OPTION' && /70 samples.*71 samples/.test(error.message),
      );
    });

    it('fewer epochs than were begun', async () => {
      await assert.rejects(
        trainIncremental(state, { data, resume: path, epochs: 1 }),
        (error) => error.code === 'ERR_INVALID_OPTION' && /beyond the 1 epochs/.test(error.message),
      );
    });

    it('a file that is missing, and one that is no training checkpoint', async () => {
      await assert.rejects(trainIncremental(state, { data, resume: at('missing.ckpt') }), { code: 'ERR_FILE' });
      await saveState(state, at('plain.pth'));
      await assert.rejects(
        trainIncremental(state, { data, resume: at('plain.pth') }),
        (error) => error.code === 'ERR_STATE_FORMAT' && /nothing under the key "model"/.test(error.message),
      );
    });

    it('options of wrong types', async () => {
      for (const checkpoint of [
        path,
        {},
        { path: '' },
        { path, every: 0 },
        { path, every: 'step' },
        { path, often: 1 },
      ]) {
        await assert.rejects(trainIncremental(state, { ...quick, checkpoint }), { code: 'ERR_INVALID_OPTION' });
      }
      for (const resume of [
        1,
        '',
        null,
        {},
        [path],
        { path: '' },
        { path, key: 1 },
        { path, stripPrefix: 1 },
        { path, keys: 'a' },
      ])
        await assert.rejects(trainIncremental(state, { ...quick, resume }), { code: 'ERR_INVALID_OPTION' });
    });
  });
});
