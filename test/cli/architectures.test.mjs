// Architectures of the zoo on the command line: recognised, named by --model, and printed by inspect --as-model.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createState, linear, relu, resnet18, saveState, sequential } from 'torch-incremental';
import { root, temporaryFolder, writeCifar10 } from '../support.mjs';
import { run } from './run.mjs';

describe('command line: architectures', function () {
  this.timeout(120_000);
  const at = temporaryFolder();

  before(async () => {
    fs.mkdirSync(at('node_modules'));
    fs.symlinkSync(root, at('node_modules/torch-incremental'));
    writeCifar10(at('data'), { train: 20, test: 10 });
    await saveState(await createState(resnet18({ numClasses: 10 }), { seed: 0 }), at('resnet.pth'));
    const own = sequential({ fc1: linear(3072, 4), act: relu(), fc2: linear(4, 10) });
    await saveState(await createState(own, { seed: 0 }), at('own.pth'));
  });

  it('are recognised by train and evaluate, and may be named', async () => {
    const flags = ['--data', 'data', '--epochs', '1', '--batch-size', '10', '--out', 'out.pth'];
    const trained = await run(['train', 'resnet.pth', ...flags], { cwd: at() });
    assert.equal(trained.code, 0, trained.stderr);
    for (const more of [[], ['--model', 'resnet18'], ['--model', 'ResNet18:numClasses=10']]) {
      const { code, stdout, stderr } = await run(['evaluate', 'out.pth', ...more, '--data', 'data', '--json'], {
        cwd: at(),
      });
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout).samples, 10);
    }
  });

  const refused = [
    [
      ['resnet.pth', '--model', 'resnet34'],
      1,
      /Expected a checkpoint of resnet34 for --model but resnet\.pth is of resnet18/,
    ],
    [
      ['resnet.pth', '--model', 'resnet18:numClasses=7'],
      1,
      /ERR_STATE_MISMATCH.*\n.*fc\.weight is \[10, 512\], expected \[7, 512\]/,
    ],
    [['resnet.pth', '--model', 'resnet18:classes=7'], 2, /--model resnet18:classes=7: .*"classes" of resnet18\(\)/],
    [['resnet.pth', '--model', 'resnet19'], 2, /an architecture of torchvision such as resnet18/],
    [['own.pth'], 1, /ERR_MODEL_UNKNOWN.*\n(.*\n)*.*--as-model prints a start of such a model/],
  ];
  for (const [args, exit, message] of refused)
    it(`refuses: evaluate ${args.join(' ')}`, async () => {
      const { code, stderr } = await run(['evaluate', ...args, '--data', 'data'], { cwd: at() });
      assert.equal(code, exit, stderr);
      assert.match(stderr, message);
      assert.ok(stderr.trim().split('\n').length <= 10, stderr);
    });

  it('are printed as a program by inspect --as-model, and so is a start for another model', async () => {
    const known = await run(['inspect', 'resnet.pth', '--as-model'], { cwd: at() });
    assert.match(known.stdout, /^export default getModel\('resnet18', \{ numClasses: 10 \}\);$/m);
    const { stdout } = await run(['inspect', 'own.pth', '--as-model'], { cwd: at() });
    assert.match(stdout, /fc1: linear\(3072, 4\),\n {2}fc2: linear\(4, 10\),\n/);
    const completed = stdout
      .replace('import { ', 'import { flatten, relu, ')
      .replace('fc1:', 'flat: flatten(), fc1:')
      .replace('fc2:', 'act: relu(), fc2:');
    fs.writeFileSync(at('model.mjs'), completed);
    const args = ['evaluate', 'own.pth', '--model', 'model.mjs', '--data', 'data', '--json'];
    const { code, stderr } = await run(args, { cwd: at() });
    assert.equal(code, 0, stderr);
  });
});
