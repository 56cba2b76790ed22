import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { cifar10, evaluate, OnlineLearner } from 'torch-incremental';
import { drawShapes } from '../../dist/cli/demo/shapes.js';
import { temporaryFolder } from '../support.mjs';
import { lines, run } from './run.mjs';

describe('command line: demo', () => {
  const at = temporaryFolder();

  it('trains, saves, loads, learns from a stream, and says what is where', async () => {
    const { code, stdout, stderr } = await run(['demo'], { cwd: at() });
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const folder = at('torch-incremental-demo');
    const data = cifar10({ root: folder, train: false });
    const shares = [...stdout.matchAll(/ {3}(\d+\.\d) %(?: of the test images)? right/g)].map(([, share]) => share);
    const names = ['pretrained_model.pth', 'updated_model.pth', 'online_model.pth'];
    const scored = [];
    for (const name of names) {
      const { accuracy, perClass } = await evaluate(path.join(folder, name), { data });
      scored.push({ share: (100 * accuracy).toFixed(1), perClass });
    }
    assert.deepEqual(
      scored.map(({ share }) => share),
      shares,
    );
    assert.ok(shares[1] - shares[0] > 20 && shares[2] - shares[1] > 5, stdout);
    // Of the shapes that only the stream brought.
    const found = scored.map(({ perClass }) => perClass.slice(8).map(({ correct }) => correct > 0));
    assert.deepEqual(found, [
      [false, false],
      [false, false],
      [true, true],
    ]);
    for (const name of [...names, 'learner', 'cifar-10-batches-bin']) {
      assert.ok(stdout.includes(path.join('torch-incremental-demo', name)), name);
      assert.ok(fs.existsSync(path.join(folder, name)), name);
    }
    const [explained] = stdout.split('What to try now:');
    for (const line of lines(explained)) assert.ok(line.length <= 80, line);
    const learner = await OnlineLearner.open({ dir: path.join(folder, 'learner') });
    assert.equal(learner.metrics().learned, 1000);
    await learner.close();
  });

  it('writes to no folder that is there', async () => {
    fs.mkdirSync(at('there'));
    const { code, stdout, stderr } = await run(['demo', '--dir', 'there'], { cwd: at() });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error\[ERR_FILE\]: there already exists, .* choose another folder with --dir\n$/);
    assert.deepEqual(fs.readdirSync(at('there')), []);
  });

  it('leaves nothing when it is interrupted', async () => {
    const { code, stderr } = await run(['demo', '--dir', 'some/where'], {
      cwd: at(),
      meanwhile: (child) => child.stdout.once('data', () => child.kill('SIGINT')),
    });
    assert.equal(code, 130);
    assert.match(stderr, /nothing was written/);
    assert.deepEqual(fs.readdirSync(at('some')), []);
  });
});

describe('drawn shapes', () => {
  const at = temporaryFolder();

  it('are the same for equal seeds', async () => {
    const file = (folder) => at(path.join(folder, 'cifar-10-batches-bin', 'data_batch_3.bin'));
    for (const [folder, seed] of Object.entries({ a: 0, b: 0, c: 1 }))
      await drawShapes(at(folder), { train: 50, test: 20, seed });
    const drawn = fs.readFileSync(file('a'));
    assert.equal(drawn.length, 10 * 3073);
    assert.ok(drawn.equals(fs.readFileSync(file('b'))));
    assert.ok(!drawn.equals(fs.readFileSync(file('c'))));
  });
});
