import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  batchNorm2d,
  cifar10,
  conv2d,
  createState,
  evaluate,
  flatten,
  linear,
  loadState,
  maxPool2d,
  net,
  predict,
  relu,
  saveState,
  sequential,
} from 'torch-incremental';
import { needs, root, runPython, temporaryFolder, writeCifar10 } from '../support.mjs';
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

  it('04-fine-tune trains a head on a frozen backbone; in Python its file loads strictly, with the same logits', async function () {
    const layers = (classes) =>
      sequential(
        {
          ...{ conv: conv2d(3, 8, 3, { padding: 1 }), norm: batchNorm2d(8), relu: relu(), pool: maxPool2d(4) },
          ...{ flatten: flatten(), fc: linear(128, classes) },
        },
        { input: [3, 16, 16] },
      );
    const backbone = await createState(layers(10), { seed: 3 });
    await saveState(backbone, at('backbone.pth'));
    const { code, stdout } = await run([at('backbone.pth')], { script: example('04-fine-tune.mjs'), cwd: at() });
    assert.equal(code, 0);
    assert.ok(Number(/best accuracy (\d+\.\d) %/.exec(stdout)[1]) > 80, stdout);
    const state = await loadState(at('fine_tuned.pth'));
    assert.ok(state.without('fc').equals(backbone.without('fc')), 'the backbone changed');
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const inputs = Float32Array.from({ length: 2 * 768 }, (_, i) => ((i * 7) % 101) / 50 - 1);
    const { logits } = await predict(state, inputs, { model: layers(3), threads: 1, device: 'cpu' });
    const answer = runPython(path.join(root, 'test/golden/fine_tuned.py'), [at('fine_tuned.pth')], {
      input: JSON.stringify([...inputs]),
    });
    assert.deepEqual([...logits], JSON.parse(answer));
  });

  it('05-stream-of-rows learns, and continues where it was when it runs again', async () => {
    const script = example('05-stream-of-rows.mjs');
    for (const most of [0.9, 0.7]) {
      const { code, stdout } = await run(['1000'], { script, cwd: at() });
      assert.equal(code, 0);
      assert.ok(Number(/of the last \d+: (\d\.\d+), AUROC/.exec(stdout)[1]) < most, stdout);
    }
  });
});
