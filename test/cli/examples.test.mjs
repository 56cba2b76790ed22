import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { cifar10, createState, evaluate, loadState, net, saveState } from 'torch-incremental';
import { root, temporaryFolder, writeCifar10 } from '../support.mjs';
import { lines, run } from './run.mjs';

const example = (name) => path.join(root, 'examples', name);

describe('examples', () => {
  const at = temporaryFolder();

  before(async () => {
    writeCifar10(at('data'), { train: 640, test: 100 });
    await saveState(await createState(net(), { seed: 0 }), at('pretrained_model.pth'));
  });

  it('01-train-and-save trains, saves and reports how good the result is', async () => {
    const { code, stdout } = await run([at('pretrained_model.pth'), at('data'), '2'], {
      script: example('01-train-and-save.mjs'),
      cwd: at(),
    });
    assert.equal(code, 0);
    const [, said] = stdout.match(/^(\d+\.\d) % right after \d+\.\d s\n$/);
    const { accuracy } = await evaluate(at('updated_model.pth'), { data: cifar10({ root: at('data'), train: false }) });
    assert.equal(said, (100 * accuracy).toFixed(1));
  });

  it('02-events-and-abort prints events and saves the result', async () => {
    const { code, stdout } = await run([at('data'), '2'], { script: example('02-events-and-abort.mjs'), cwd: at() });
    assert.equal(code, 0);
    assert.deepEqual(
      lines(stdout).map((line) => line.split(':')[0]),
      ['epoch 1', 'epoch 2'],
    );
    assert.deepEqual(
      (await loadState(at('events_model.pth'))).names,
      net().tensors.map(({ name }) => name),
    );
  });

  it('02-events-and-abort stops at the time limit and writes nothing', async () => {
    fs.rmSync(at('events_model.pth'), { force: true });
    const { code, stdout } = await run([at('data'), '100000', '1.5'], {
      script: example('02-events-and-abort.mjs'),
      cwd: at(),
    });
    assert.equal(code, 1);
    assert.match(stdout, /stopped: .*timeout\n$/);
    assert.ok(!fs.existsSync(at('events_model.pth')));
  });

  it('03-own-model finds the spot in more than 95 % of new images', async () => {
    const { code, stdout } = await run([], { script: example('03-own-model.mjs'), cwd: at() });
    assert.equal(code, 0);
    assert.ok(Number.parseFloat(stdout) > 95, stdout);
    assert.deepEqual((await loadState(at('own_model.pth'))).names, [
      'conv.weight',
      'conv.bias',
      'norm.weight',
      'norm.bias',
      'norm.running_mean',
      'norm.running_var',
      'norm.num_batches_tracked',
      'fc.weight',
      'fc.bias',
    ]);
  });
});
