import assert from 'node:assert/strict';
import fs from 'node:fs';
import { cifar10, classWeights, createState, loadState, net, saveState } from 'torch-incremental';
import { temporaryFolder, writeCifar10 } from '../support.mjs';
import { FileServer } from '../unit/file-server.mjs';
import { lines, run } from './run.mjs';

describe('command line: train', () => {
  const at = temporaryFolder();
  const checkpoint = () => at('pretrained_model.pth');

  before(async () => {
    writeCifar10(at('data'), { train: 70, test: 10 });
    await saveState(await createState(net(), { seed: 0 }), checkpoint());
  });

  /** 70 images in batches of 16: five steps per epoch, the last one of 6 images. */
  const train = (args = [], options = {}) =>
    run(['train', 'pretrained_model.pth', '--batch-size', '16', '--epochs', '2', '--seed', '1', ...args], {
      cwd: at(),
      ...options,
    });

  it('prints exactly the lines of the Python script to a pipe, and everything else to standard error', async () => {
    const { code, stdout, stderr } = await train(['--log-every', '2']);
    assert.equal(stderr.split('\n')[0].slice(0, 24), 'Saved updated_model.pth:');
    assert.equal(code, 0);
    const places = lines(stdout).map(
      (line) => line.match(/^(Epoch \[\d\/2\], Step \[\d\/5\]), Loss: \d+\.\d{4}$/)?.[1],
    );
    assert.deepEqual(places, [
      'Epoch [1/2], Step [2/5]',
      'Epoch [1/2], Step [4/5]',
      'Epoch [2/2], Step [2/5]',
      'Epoch [2/2], Step [4/5]',
    ]);
  });

  it('notes each epoch that has no line of the script on standard error', async () => {
    const { stdout, stderr } = await train();
    assert.equal(stdout, '');
    const [first, second, saved] = stderr.split('\n');
    assert.match(first, /^Epoch 1\/2: mean loss \d\.\d{4}, 5 steps in \d/);
    assert.match(second, /^Epoch 2\/2: mean loss/);
    assert.match(saved, /^Saved updated_model\.pth: 10 steps/);
  });

  it('freezes, averages, accumulates, validates and stops by flags', async () => {
    const out = ['--out', 'flags.pth'];
    const flags = [
      '--freeze',
      'conv1,conv2.*',
      '--accumulate',
      '2',
      '--max-gradient-norm',
      '1',
      '--average',
      'ema:decay=0.5',
    ];
    const { code, stderr } = await train([
      ...flags,
      '--validate',
      'data',
      '--patience',
      '1',
      '--epochs',
      '40',
      '--lr',
      '1',
      ...out,
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Epoch 1\/40: mean loss .*, 3 steps in .*; validation: loss \d+\.\d{4}, accuracy \d/);
    assert.match(
      stderr,
      /\nThe best of them is saved, since the validation no longer improved\. Saved flags\.pth: \d+ steps/,
    );
    const [before, after] = [await loadState(checkpoint()), await loadState(at('flags.pth'))];
    for (const name of before.names) {
      const isFrozen = !name.startsWith('fc');
      const same =
        Buffer.compare(Buffer.from(before.tensor(name).data.buffer), Buffer.from(after.tensor(name).data.buffer)) === 0;
      assert.equal(same, isFrozen, name);
    }
    assert.match((await train(['--patience', '1'])).stderr, /--patience needs --validate/);
    assert.match((await train(['--average', 'emma'])).stderr, /Unknown emma for --average; did you mean ema\?/);
    assert.match(
      (await train(['--freeze', 'conv9'])).stderr,
      /'conv9' matches none of its 6 names; the nearest are 'conv1'/,
    );
  });

  it('writes the result to ./updated_model.pth and leaves the checkpoint unchanged', async () => {
    const untouched = fs.readFileSync(checkpoint());
    assert.equal((await train()).code, 0);
    assert.ok(fs.readFileSync(checkpoint()).equals(untouched));
    const [before, after] = [await loadState(checkpoint()), await loadState(at('updated_model.pth'))];
    assert.deepEqual(after.names, before.names);
    assert.ok(!after.equals(before));
  });

  it('trains the same weights from the same seed, and others from another, or with the draws of workers', async () => {
    for (const [out, ...flags] of [
      ['a.pth', '--seed', '1'],
      ['b.pth', '--seed', '1', '--workers', '0'],
      ['c.pth', '--seed', '2'],
      ['d.pth', '--seed', '1', '--workers', '2'],
    ]) {
      assert.equal((await train(['--out', out, ...flags])).code, 0);
    }
    const names = ['a.pth', 'b.pth', 'c.pth', 'd.pth'];
    const [a, b, c, d] = await Promise.all(names.map((name) => loadState(at(name))));
    assert.ok(a.equals(b));
    assert.ok(!a.equals(c));
    assert.ok(!a.equals(d));
    const { code, stderr } = await train(['--workers', '1025']);
    assert.equal(code, 2);
    assert.match(stderr, /from 0 to 1024 for "--workers"/);
  });

  it('takes weights of classes from the data, and records their numbers', async () => {
    const flags = [
      '--loss',
      'crossEntropyLoss:weight=balanced',
      '--checkpoint',
      'weights.ckpt',
      '--out',
      'weights.pth',
    ];
    const { code, stderr } = await train(flags);
    assert.equal(code, 0, stderr);
    const { metadata } = await loadState(at('weights.ckpt'), { key: 'model' });
    const weights = await classWeights(cifar10({ root: at('data') }));
    assert.equal(weights.length, 10);
    assert.deepEqual(metadata.get('options').get('loss').get('weight'), weights);
  });

  it('passes every option on to the API', async () => {
    const training = ['--lr', '0', '--momentum', '0.5', '--weight-decay', '0.1', '--nesterov'];
    const machine = ['--threads', '1', '--device', 'cpu', '--mode', 'exact'];
    const { stdout } = await train([...training, ...machine, '--drop-last', '--out', 'same.pth', '--json']);
    // Without a learning rate nothing changes; without the short last batch an epoch has four steps.
    assert.ok((await loadState(at('same.pth'))).equals(await loadState(checkpoint())));
    const saved = JSON.parse(lines(stdout).at(-1));
    assert.equal(saved.steps, 8);
    assert.equal(saved.device.threads, 1);
    assert.equal(saved.device.reason, 'asked for');
  });

  it('keeps the order of the data with --no-shuffle', async () => {
    const losses = async (...args) => lines((await train(['--lr', '0', '--log-every', '1', ...args])).stdout);
    // Without learning the five losses of an epoch depend on the images alone and their flips, which the seed fixes.
    const [kept, shuffled] = [await losses('--no-shuffle'), await losses()];
    assert.equal(kept.length, 10);
    assert.notDeepEqual(kept, shuffled);
  });

  it('prints one JSON object per line with --json', async () => {
    const { code, stdout, stderr } = await train(['--json', '--log-every', '5']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const events = lines(stdout).map((line) => JSON.parse(line));
    const epochs = events.filter(({ type }) => type === 'epoch');
    assert.deepEqual(
      epochs.map(({ epoch, steps, samples }) => [epoch, steps, samples]),
      [
        [1, 5, 70],
        [2, 5, 70],
      ],
    );
    assert.equal(events.filter(({ type }) => type === 'log').length, 2);
    const { type, out, steps, history } = events.at(-1);
    assert.deepEqual({ type, out, steps }, { type: 'saved', out: 'updated_model.pth', steps: 10 });
    assert.equal(history[1].loss, epochs[1].loss);
  });

  it('uses ./data if no folder is named, and does not use the network if it exists', async () => {
    const env = { TORCH_INCREMENTAL_CIFAR10_URL: 'http://127.0.0.1:9/never.tar.gz' };
    assert.equal((await train([], { env })).code, 0);
  });

  it('downloads into a folder without images only with --download', async () => {
    const server = await new FileServer().start();
    try {
      const env = { TORCH_INCREMENTAL_CIFAR10_URL: server.url('/never.tar.gz') };
      const without = await train(['--data', 'empty'], { env });
      assert.match(without.stderr, /^error\[ERR_FILE\]: /);
      assert.deepEqual(server.requests, []);
      // The server interrupts the command instead of answering.
      const meanwhile = (child) => server.answers.set('/never.tar.gz', [() => child.kill('SIGINT')]);
      const aborted = await train(['--data', 'empty', '--download'], { env, meanwhile });
      assert.match(aborted.stderr, /^SIGINT: stopping/m);
      assert.equal(aborted.code, 130);
      assert.deepEqual(server.requests, ['/never.tar.gz whole']);
    } finally {
      await server.stop();
    }
  });

  const failures = [
    ['a checkpoint that is missing', ['train', 'missing.pth'], 'ERR_FILE', 'missing.pth'],
    ['a checkpoint that is a folder', ['train', 'data'], 'ERR_FILE', 'folder'],
    ['a checkpoint that is no checkpoint', ['train', 'page.pth'], 'ERR_STATE_FORMAT', 'page.pth'],
    ['a folder without images', ['train', 'pretrained_model.pth', '--data', 'nowhere'], 'ERR_FILE', 'nowhere'],
    ['images that are cut', ['train', 'pretrained_model.pth', '--data', 'cut'], 'ERR_DATA_FORMAT', 'test_batch'],
    ['a device it does not have', ['train', 'pretrained_model.pth', '--device', 'cuda:7'], 'ERR_DEVICE', 'cuda:7'],
  ];
  for (const [what, args, code, mention] of failures) {
    it(`refuses ${what} with exit code 1 and ${code}`, async () => {
      fs.writeFileSync(at('page.pth'), '<!doctype html><title>Not found</title>');
      writeCifar10(at('cut'), { train: 20, test: 4 });
      fs.truncateSync(at('cut/cifar-10-batches-bin/data_batch_5.bin'), 4 * 3073 - 1);
      const result = await run([...args, '--out', 'never.pth'], { cwd: at() });
      assert.equal(result.code, 1, result.stderr);
      assert.equal(result.stdout, '');
      assert.ok(result.stderr.startsWith(`error[${code}]: `), result.stderr);
      assert.ok(result.stderr.includes(mention === 'test_batch' ? 'data_batch_5' : mention), result.stderr);
      assert.doesNotMatch(result.stderr, /\n {4}at /);
      assert.ok(!fs.existsSync(at('never.pth')));
    });
  }

  const places = [
    ['a folder that does not exist', 'no/such/folder/out.pth'],
    ['a folder that nobody can write to', '/proc/out.pth'],
    ['a folder in place of a file', 'data'],
  ];
  for (const [what, out] of places) {
    it(`refuses to write to ${what} before it reads or trains anything`, async () => {
      // The missing checkpoint would be reported next.
      const { code, stderr } = await run(['train', 'missing.pth', '--out', out], { cwd: at() });
      assert.equal(code, 1);
      assert.match(stderr, /^error\[ERR_FILE\]: Cannot write to /);
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`stops cleanly on ${signal}: exit code 130, a note, no file`, async () => {
      const { code, stdout, stderr } = await train(['--epochs', '100000', '--log-every', '1', '--out', 'never.pth'], {
        meanwhile: (child) => child.stdout.once('data', () => child.kill(signal)),
      });
      assert.equal(code, 130);
      assert.ok(lines(stdout).length > 0);
      assert.match(stderr, new RegExp(`^${signal}: stopping after the current step`));
      assert.match(stderr, /\nInterrupted; nothing was written\n$/);
      assert.deepEqual(
        fs.readdirSync(at()).filter((name) => name.includes('never')),
        [],
      );
    });
  }

  it('ends at once at a second interrupt', async () => {
    const { code, signal } = await train(['--epochs', '100000', '--log-every', '1', '--out', 'never.pth'], {
      meanwhile: (child) => {
        child.stdout.once('data', () => child.kill('SIGINT'));
        child.stderr.once('data', () => child.kill('SIGINT'));
      },
    });
    // Either the second signal arrived in time, or the first one had ended the process.
    assert.ok(signal === 'SIGINT' || code === 130);
  });

  it('ends quietly when the reader of its output leaves', async () => {
    const { code, stderr } = await train(['--epochs', '100000', '--log-every', '1', '--out', 'never.pth'], {
      meanwhile: (child) => child.stdout.once('data', () => child.stdout.destroy()),
    });
    assert.equal(code, 130);
    assert.equal(stderr, '');
    assert.ok(!fs.existsSync(at('never.pth')));
  });
});
