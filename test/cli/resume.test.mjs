// Interrupts and resumes `train`, as a user does in a shell.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createState, loadState, net, OrderedDict, saveState } from 'torch-incremental';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import { treeOf } from '../../dist/state/state.js';
import { temporaryFolder, writeCifar10 } from '../support.mjs';
import { binary, lines, run } from './run.mjs';

describe('command line: train --checkpoint and --resume', () => {
  const at = temporaryFolder();
  const base = ['--batch-size', '16', '--epochs', '40', '--seed', '1', '--log-every', '1', '--threads', '1'];

  before(async () => {
    writeCifar10(at("the user's data"), { train: 70, test: 10 });
    await saveState(await createState(net(), { seed: 0 }), at('pretrained_model.pth'));
  });

  const train = (args, options = {}) => run(['train', ...args, '--data', "the user's data"], { cwd: at(), ...options });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`records the training on ${signal}, and prints the command that resumes it to the same result`, async () => {
      const whole = await train(['pretrained_model.pth', ...base, '--out', 'whole.pth']);
      assert.equal(whole.code, 0, whole.stderr);
      const args = ['pretrained_model.pth', ...base, '--out', 'resumed.pth', '--checkpoint', `${signal}.ckpt`];
      const interrupted = () =>
        train(args, { meanwhile: (child) => child.stdout.once('data', () => child.kill(signal)) });
      let result = await interrupted();
      // If its first line was read too late, the training was over before the signal.
      for (let again = 1; result.code !== 130 && fs.existsSync(at('resumed.pth')) && again < 20; again++) {
        for (const file of ['resumed.pth', `${signal}.ckpt`]) fs.rmSync(at(file));
        result = await interrupted();
      }
      const { code, stdout, stderr } = result;
      assert.equal(code, 130, stderr);
      assert.ok(!fs.existsSync(at('resumed.pth')));
      const [stopping, kept, command, ...more] = lines(stderr);
      assert.equal(stopping, `${signal}: stopping after the current step; interrupt again to stop at once`);
      assert.equal(kept, `Interrupted; the training is recorded in ${signal}.ckpt. To resume:`);
      assert.deepEqual(more, []);
      assert.match(command, / {2}npx torch-incremental train .*--resume SIG(INT|TERM)\.ckpt/);

      const shell = `npx() { shift; "$NODE" "$BINARY" "$@"; }; ${command}`;
      const env = { ...process.env, NODE: process.execPath, BINARY: binary };
      const rest = execFileSync('bash', ['-c', shell], { cwd: at(), env, encoding: 'utf8', stdio: 'pipe' });
      assert.ok((await loadState(at('resumed.pth'))).equals(await loadState(at('whole.pth'))));
      // Nothing is printed twice. After the interrupt, the lines of the last steps may be missing.
      const [all, head, tail] = [whole.stdout, stdout, rest].map(lines);
      assert.deepEqual(head, all.slice(0, head.length));
      assert.deepEqual(tail, all.slice(all.length - tail.length));
      assert.ok(head.length + tail.length <= all.length);
      fs.rmSync(at('resumed.pth'));
    });
  }

  it('writes nothing and reports that when it is interrupted without --checkpoint', async () => {
    const endless = ['pretrained_model.pth', ...base, '--epochs', '100000', '--out', 'never.pth'];
    const { code, stderr } = await train(endless, {
      meanwhile: (child) => child.stdout.once('data', () => child.kill('SIGINT')),
    });
    assert.equal(code, 130);
    assert.match(stderr, /\nInterrupted; nothing was written\n$/);
  });

  it('saves the model of a finished run again with --resume alone', async () => {
    const args = ['--epochs', '1', '--checkpoint', 'done.ckpt', '--every', '2'];
    assert.equal((await train(['pretrained_model.pth', ...args, '--out', 'first.pth'])).code, 0);
    const { code, stdout, stderr } = await train(['--resume', 'done.ckpt', '--out', 'second.pth']);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '');
    assert.ok((await loadState(at('second.pth'))).equals(await loadState(at('first.pth'))));
  });

  it('refuses to resume with another seed, or from a missing file', async () => {
    await train(['pretrained_model.pth', '--epochs', '1', '--seed', '1', '--checkpoint', 'seeded.ckpt']);
    const other = await train(['--resume', 'seeded.ckpt', '--seed', '2']);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /begun with seed: 1, but the option "seed" is now 2/);
    const missing = await train(['--resume', 'missing.ckpt']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^error\[ERR_FILE\]: .*missing\.ckpt/);
  });

  it('resumes a model under another key and with a prefix, with --key and --strip-prefix', async () => {
    const args = ['--epochs', '1', '--seed', '3', '--threads', '1', '--checkpoint', 'plain.ckpt'];
    assert.equal((await train(['pretrained_model.pth', ...args, '--out', 'plain.pth'])).code, 0);
    const { root } = treeOf(await loadState(at('plain.ckpt'), { key: 'model' }));
    const named = new OrderedDict([...root.get('model')].map(([name, tensor]) => [`module.${name}`, tensor]));
    const rest = [...root].filter(([key]) => key !== 'model');
    await writeCheckpoint(new Map([['net', named], ...rest]), at('moved.ckpt'));
    await writeCheckpoint(new Map([['state_dict', named], ...rest]), at('wrapped.ckpt'));
    assert.equal((await train(['--resume', 'plain.ckpt', '--epochs', '2', '--out', 'whole.pth'])).code, 0);
    for (const choice of [
      ['--resume', 'moved.ckpt', '--key', 'net', '--strip-prefix', 'module.'],
      ['--resume', 'wrapped.ckpt', '--strip-prefix', 'auto'],
    ]) {
      const { code, stderr } = await train([...choice, '--epochs', '2', '--out', 'again.pth']);
      assert.equal(code, 0, stderr);
      assert.ok((await loadState(at('again.pth'))).equals(await loadState(at('whole.pth'))));
    }
  });

  it('evaluates the model inside such a file with --key', async () => {
    const args = [
      '--epochs',
      '1',
      '--seed',
      '4',
      '--batch-size',
      '16',
      '--checkpoint',
      'keyed.ckpt',
      '--out',
      'keyed.pth',
    ];
    assert.equal((await train(['pretrained_model.pth', ...args])).code, 0);
    const evaluate = (...words) => run(['evaluate', ...words, '--data', "the user's data", '--json'], { cwd: at() });
    const keyed = await evaluate('keyed.ckpt', '--key', 'model');
    assert.equal(keyed.code, 0, keyed.stderr);
    assert.equal(keyed.stdout, (await evaluate('keyed.pth')).stdout);
    const { code, stderr } = await evaluate('keyed.ckpt', '--key', 'modle');
    assert.equal(code, 1);
    assert.match(stderr, /nothing under the key "modle"/);
  });
});
