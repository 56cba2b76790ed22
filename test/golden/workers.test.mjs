// Draws of torch.utils.data.DataLoader(num_workers=N): batches, trainings with dropout, and checkpoints within an epoch, beside
// live PyTorch.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  batches,
  createState,
  loadState,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  saveState,
  sgd,
  swa,
  toTensor,
} from 'torch-incremental';
import { madeUpImages, needs, root, runPython, temporaryFolder } from '../support.mjs';
import { collect, hashOf, needsPython, runPython as runCases, syntheticImages } from '../unit/data-support.mjs';
import { madeOn } from '../unit/device-support.mjs';
import { assertSameEnd, drawing, recorded } from '../unit/resume-support.mjs';
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
    const images = madeUpImages(70, 2);
    const given = {
      model: drawing,
      data: arrays(images),
      transforms: [
        randomCrop(32, { padding: 4 }),
        randomHorizontalFlip(),
        toTensor(),
        normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
      ],
    };
    const options = {
      ...given,
      ...{ epochs: 3, batchSize: 16, seed: 5, workers: 2 },
      optimizer: sgd({ learningRate: 0.05, momentum: 0.8, weightDecay: 0.01, nesterov: true }),
    };
    const lossesOf = ({ losses }) => losses.map(([, , loss]) => loss);
    const python = (start, stop, out, ...flags) =>
      runPython(path.join(root, 'test/golden/resume.py'), [
        ...['images', 'labels'].flatMap((name) => [`--${name}`, at(`${name}.u8`)]),
        ...['--start', at(start), '--stop', String(stop), '--out', at(out), '--workers', '2', ...flags],
      ])
        .trim()
        .split('\n')
        .map(Number);
    let init;
    let whole;

    before(async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      fs.writeFileSync(at('images.u8'), images.inputs);
      fs.writeFileSync(at('labels.u8'), Uint8Array.from(images.labels));
      init = await createState(drawing, { seed: 0 });
      await saveState(init, at('init.pth'));
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
