// Draws of torch.utils.data.DataLoader(num_workers=N): batches, trainings with dropout, and checkpoints within an epoch, beside
// live PyTorch.
import assert from 'node:assert/strict';
import { batches, loadState, swa } from 'torch-incremental';
import { needs, temporaryFolder } from '../support.mjs';
import { collect, hashOf, needsPython, runPython as runCases, syntheticImages } from '../unit/data-support.mjs';
import { madeOn } from '../unit/device-support.mjs';
import {
  assertSameEnd,
  given,
  lossesOf,
  recorded,
  trainedInPython,
  options as withoutWorkers,
  written,
} from '../unit/resume-support.mjs';
import { workerCases } from './cases.mjs';

describe('with workers', () => {
  const at = temporaryFolder();

  it('batches are those of a DataLoader with 1 to 4 of them, over three epochs', async function () {
    const live = runCases(needsPython(this), 'batches.py', workerCases);
    const hashesOf = async ({ name, images, ...options }) =>
      (await collect(batches(syntheticImages(images), options))).map(hashOf);
    for (const [i, each] of workerCases.entries()) {
      assert.deepEqual(await hashesOf(each), live[i], each.name);
      assert.deepEqual(await madeOn('cpu', () => hashesOf(each)), live[i], `${each.name}, made on a device`);
    }
    const different = workerCases.map(({ transforms, workers, name, ...rest }, i) => [JSON.stringify(rest), live[i]]);
    for (const [key, hashes] of different) {
      const same = different.filter(([other, these]) => other === key && `${these}` === `${hashes}`);
      assert.equal(same.length, 1, `equal with another number of workers: ${key}`);
    }
  });

  describe('a training with dropout', () => {
    const options = { ...withoutWorkers, workers: 2 };
    const python = (start, stop, out, ...flags) => trainedInPython(at, start, stop, out, '--workers', '2', ...flags);
    let init;
    let whole;

    before(async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      init = await written(at);
      whole = await recorded(init, options);
    });

    it('has the losses, the weights and the average of PyTorch, and others than with another number', async () => {
      assert.deepEqual(lossesOf(whole), python('init.pth', 15, 'end.ckpt', '--average', at('average.pth')));
      assert.ok(whole.state.equals(await loadState(at('end.ckpt'), { key: 'model' })), 'the weights differ');
      // The statistics of batch norm come from another epoch of the loader.
      const averaged = await recorded(init, { ...options, average: swa() });
      assert.ok(averaged.lastState.equals(whole.state));
      assert.ok(averaged.state.equals(await loadState(at('average.pth'))), 'the averages differ');
      const three = { ...options, workers: 3 };
      assert.notDeepEqual(lossesOf(await recorded(init, three)), lossesOf(whole));
    });

    it('that was stopped in its second epoch is resumed to the same bits here and by PyTorch', async () => {
      await recorded(init, { ...options, maxSteps: 8, checkpoint: { path: at('ours.ckpt') } });
      const { metadata } = await loadState(at('ours.ckpt'), { key: 'model' });
      assert.equal(metadata.get('options').get('workers'), 2);
      assertSameEnd(await recorded('', { ...given, resume: at('ours.ckpt') }), whole);
      assert.deepEqual(python('ours.ckpt', 15, 'theirs-end.ckpt'), lossesOf(whole).slice(8));
      assert.ok(whole.state.equals(await loadState(at('theirs-end.ckpt'), { key: 'model' })), 'the weights differ');
    });

    it('that PyTorch stopped in its second epoch is resumed to the same bits, given the number', async () => {
      assert.deepEqual(python('init.pth', 8, 'theirs.ckpt'), lossesOf(whole).slice(0, 8));
      const resumed = { ...given, epochs: 3, batchSize: 16, resume: at('theirs.ckpt') };
      const again = await recorded('', { ...resumed, workers: 2 });
      assert.deepEqual(lossesOf(again), lossesOf(whole).slice(8));
      assert.ok(again.state.equals(whole.state), 'the weights differ');
      assert.notDeepEqual(lossesOf(await recorded('', resumed)), lossesOf(whole).slice(8));
    });
  });
});
