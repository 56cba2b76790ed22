// The promise of this project: the reference script run by Python and by the command line prints the same characters and saves the
// same bytes. Run live, since the numbers belong to one version of libtorch on one kind of CPU.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  cifar10,
  createState,
  evaluate,
  loadState,
  net,
  saveState,
  subset,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, needs, python, realCifar10, root, temporaryFolder, writeCifar10 } from '../support.mjs';

const script = path.join(root, 'test/golden/reference_script.py');

/** Runs the Python script; returns what it printed. */
function runScript(args) {
  const { status, stdout, stderr } = spawnSync(python, [script, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

/** Runs the command line, piped. */
function runCommand(args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'dist/cli/main.js'), 'train', ...args],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

describe('the reference script', () => {
  const at = temporaryFolder();
  before(async () => saveState(await createState(net(), { seed: 11 }), at('pretrained_model.pth')));

  for (const { samples, batchSize, seed, epochs } of [
    { samples: 640, batchSize: 64, seed: 0, epochs: 3 },
    { samples: 333, batchSize: 50, seed: 1234, epochs: 2 },
    { samples: 97, batchSize: 8, seed: 2 ** 33 + 7, epochs: 2 },
  ]) {
    it(`prints and saves what Python does for ${samples} images in batches of ${batchSize} with seed ${seed}`, async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      const data = writeCifar10(at(`data ${seed}`), { train: samples, test: 1 }, seed);
      const args = [
        '--epochs',
        String(epochs),
        '--batch-size',
        String(batchSize),
        '--seed',
        String(seed),
        '--log-every',
        '2',
      ];
      fs.mkdirSync(at('python'), { recursive: true });
      const theirs = at('python/updated_model.pth');
      const ours = at('updated_model.pth');

      const expected = runScript([
        '--data',
        data,
        '--checkpoint',
        at('pretrained_model.pth'),
        '--out',
        theirs,
        ...args,
      ]).stdout;
      assert.equal(runCommand([at('pretrained_model.pth'), '--data', data, '--out', ours, ...args]), expected);
      assert.ok(expected.split('\n').length > 5);
      assert.ok((await loadState(ours)).equals(await loadState(theirs)), 'the saved tensors differ');
      assert.deepEqual(fs.readFileSync(ours), fs.readFileSync(theirs), 'the saved files differ');
    });
  }

  it('ends at the accuracy of Python to the last digit after 3 epochs on real images', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    needs(this, 'TORCH_INCREMENTAL_CIFAR10');
    const args = [
      '--data',
      realCifar10,
      '--checkpoint',
      at('pretrained_model.pth'),
      '--epochs',
      '3',
      '--seed',
      '5',
      '--evaluate',
    ];
    const expected = Number(runScript(args).stderr.match(/accuracy (\S+)/)[1]);
    const { state } = await trainIncremental(at('pretrained_model.pth'), {
      data: cifar10({ root: realCifar10 }),
      epochs: 3,
      seed: 5,
    });
    const { accuracy } = await evaluate(state, { data: cifar10({ root: realCifar10, train: false }) });
    assert.equal(accuracy, expected);
    assert.ok(accuracy > 0.25, `${accuracy}`);
  });

  it('trains on part of a data set as on a smaller one', async () => {
    const images = madeUpImages(100);
    const inputs = images.inputs.subarray(20 * 3072, 80 * 3072);
    const part = arrays({ ...images, inputs, labels: images.labels.subarray(20, 80) });
    const options = { epochs: 1, batchSize: 16, seed: 0 };
    const whole = subset(arrays(images), { start: 20, end: 80 });
    const a = await trainIncremental(at('pretrained_model.pth'), { data: whole, ...options });
    const b = await trainIncremental(at('pretrained_model.pth'), { data: part, ...options });
    assert.ok(a.state.equals(b.state));
  });
});
