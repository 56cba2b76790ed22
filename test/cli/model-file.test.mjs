// --model: the model of a command is what a JavaScript file of the user's exports.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  cifar10,
  conv2d,
  createState,
  evaluate,
  extendClasses,
  flatten,
  linear,
  loadState,
  maxPool2d,
  relu,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { root, temporaryFolder, writeCifar10 } from '../support.mjs';
import { begin, endLeftovers } from './online-support.mjs';
import { run } from './run.mjs';

const layers = 'conv2d, flatten, linear, maxPool2d, relu, sequential';
const body = `sequential(
  { layer1: conv2d(3, 4, 3, { padding: 1 }), relu: relu(), pool: maxPool2d(8), flat: flatten(), fc: linear(64, 10) },
  { input: [3, 32, 32] },
)`;
const model = sequential(
  { layer1: conv2d(3, 4, 3, { padding: 1 }), relu: relu(), pool: maxPool2d(8), flat: flatten(), fc: linear(64, 10) },
  { input: [3, 32, 32] },
);

describe('command line: --model', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const data = () => at('data');
  let source;

  before(async () => {
    fs.mkdirSync(at('node_modules'));
    fs.symlinkSync(root, at('node_modules/torch-incremental'));
    writeCifar10(data(), { train: 70, test: 20 });
    fs.writeFileSync(at('model.mjs'), `import { ${layers} } from 'torch-incremental';\nexport default ${body};\n`);
    source = await createState(model, { seed: 0 });
    await saveState(source, at('mine.pth'));
  });
  afterEach(endLeftovers);

  it('trains, validates and evaluates as a program does with that model', async () => {
    const args = ['mine.pth', '--model', 'model.mjs', '--data', 'data', '--threads', '1'];
    const flags = ['--optimizer', 'adamw', '--lr', '3e-4', '--scheduler', 'cosineAnnealingLR:tMax=2'];
    const more = ['--freeze', 'layer1.*', '--validate', 'data', '--patience', '3', '--epochs', '2', '--seed', '1'];
    const trained = await run(['train', ...args, ...flags, ...more, '--out', 'out.pth'], { cwd: at() });
    assert.equal(trained.code, 0, trained.stderr);
    const { adamW, cosineAnnealingLR } = await import('torch-incremental');
    const { state } = await trainIncremental(source, {
      ...{ model, data: cifar10({ root: data() }), epochs: 2, seed: 1, threads: 1 },
      ...{ optimizer: adamW({ learningRate: 3e-4 }), scheduler: cosineAnnealingLR({ tMax: 2 }) },
      parameterGroups: [{ parameters: ['layer1.*'], frozen: true }],
      validation: { data: cifar10({ root: data(), train: false }), patience: 3 },
    });
    assert.ok(state.equals(await loadState(at('out.pth'))));
    const measured = await run(['evaluate', 'out.pth', ...args.slice(1), '--metrics', 'f1score', '--json'], {
      cwd: at(),
    });
    assert.equal(measured.code, 0, measured.stderr);
    const { loss } = await evaluate(state, { model, data: cifar10({ root: data(), train: false }), threads: 1 });
    assert.equal(JSON.parse(measured.stdout).loss, loss);
  });

  it('extends the layer before its output without --layer', async () => {
    const args = ['extend', 'mine.pth', '--model', 'model.mjs', '--classes', '12', '-o', 'more.pth'];
    assert.equal((await run(args, { cwd: at() })).code, 0);
    const { state } = await extendClasses(source, { model, classes: 12 });
    assert.ok(state.equals(await loadState(at('more.pth'))));
  });

  it('begins a learner, whose folder has the model from then on', async () => {
    const input = Buffer.alloc(3072, 7).toString('base64');
    for (const args of [
      ['mine.pth', '--dir', 'learner', '--model', 'model.mjs', '--save', 'saved.pth'],
      ['--dir', 'learner', '--model', 'model.mjs'],
      ['--dir', 'learner'],
    ]) {
      const { code, answers } = await begin(args, { cwd: at() }).finish({ input });
      assert.equal(code, 0);
      assert.equal(answers.at(-1).logits.length, 10);
    }
    assert.ok(source.equals(await loadState(at('saved.pth'))));
  });

  for (const [what, name, text] of [
    [
      'the export "model" of an ES module',
      'named.mjs',
      `import { ${layers} } from 'torch-incremental';\nexport const model = ${body};`,
    ],
    ['module.exports', 'whole.cjs', `const { ${layers} } = require('torch-incremental');\nmodule.exports = ${body};`],
    ['exports.model', 'part.cjs', `const { ${layers} } = require('torch-incremental');\nexports.model = ${body};`],
    ['exports.default', 'main.js', `const { ${layers} } = require('torch-incremental');\nexports.default = ${body};`],
  ]) {
    it(`may be ${what}`, async () => {
      fs.writeFileSync(at(name), text);
      const args = ['evaluate', at('mine.pth'), '--model', name, '--data', data(), '--json'];
      const { code, stderr } = await run(args, { cwd: at() });
      assert.equal(code, 0, stderr);
    });
  }

  const refused = [
    [
      'resnet',
      undefined,
      2,
      /a JavaScript file \(\.mjs, \.cjs or \.js\) whose default export is a model for "--model" but/,
    ],
    ['net', undefined, 2, /--model net: models of this library are recognised from their checkpoints, without --model/],
    ['missing.mjs', undefined, 1, /^error\[ERR_FILE\]: Cannot open missing\.mjs for --model: ENOENT: no such file/],
    ['throws.mjs', "\nthrow new Error('no luck');", 2, /--model throws\.mjs throws at line 2: no luck\n/],
    ['syntax.mjs', '\n\nexport default {;', 2, /--model syntax\.mjs throws at line 3: Unexpected token ';'\n/],
    ['library.cjs', "\nrequire('torch-incremental').linear(0, 1);", 2, /throws at line 2: Expected an integer/],
    [
      'import.mjs',
      "import './syntax.mjs';",
      2,
      /--model import\.mjs throws (in a file that it imports|at \/.*\/syntax\.mjs:3): Unexpected token/,
    ],
    ['package.mjs', "import 'not-there';", 2, /--model package\.mjs throws: Cannot find package 'not-there'/],
    ['odd.mjs', 'throw null;', 2, /--model odd\.mjs throws: null\n/],
    ['empty.mjs', '', 2, /--model empty\.mjs: expected a model as its default export, but it exports nothing\n/],
    ['other.mjs', 'export const net = 1, more = 2;', 2, /default export, but it exports more, net\n/],
    ['number.mjs', 'export default 3;', 2, /model made by .* for "export default" but received number \(3\)\n/],
    [
      'maker.mjs',
      'export default () => {};',
      2,
      /for "export default" but received a function; export what it returns\n/,
    ],
    [
      'layer.cjs',
      "module.exports = require('torch-incremental').relu();",
      2,
      /"export default" but received an object/,
    ],
  ];
  for (const [name, text, code, message] of refused) {
    it(`refuses ${name} with its reason, before anything is read or written`, async () => {
      if (text !== undefined) fs.writeFileSync(at(name), text);
      const args = ['train', 'no.pth', '--model', name, '--data', 'nowhere', '--out', 'never.pth'];
      const result = await run(args, { cwd: at() });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, message);
      assert.doesNotMatch(result.stderr, /\n {4}at /);
      assert.ok(!fs.existsSync(at('never.pth')));
    });
  }

  it('says what to do where the folder of the file has no torch-incremental', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental test '));
    try {
      for (const [name, text] of [
        ['a.mjs', "import { net } from 'torch-incremental';\nexport default net();"],
        ['b.cjs', "module.exports = require('torch-incremental').net();"],
      ]) {
        fs.writeFileSync(path.join(folder, name), text);
        const { code, stderr } = await run(['evaluate', 'mine.pth', '--model', name], { cwd: folder });
        assert.equal(code, 2);
        assert.match(stderr, /Cannot find .*; in the folder of that file: npm install torch-incremental\n/);
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('refuses a folder, and a model that the checkpoint does not fit', async () => {
    fs.mkdirSync(at('folder.js'));
    const of = (file, name) => run(['evaluate', file, '--model', name, '--data', 'data'], { cwd: at() });
    assert.match((await of('mine.pth', 'folder.js')).stderr, /ERR_FILE\]: .* folder\.js is not a file/);
    await saveState(await createState(sequential({ fc: linear(2, 2) })), at('small.pth'));
    assert.match((await of('small.pth', 'model.mjs')).stderr, /ERR_STATE_MISMATCH/);
    const unknown = await run(['evaluate', 'small.pth', '--data', 'data'], { cwd: at() });
    assert.match(unknown.stderr, /On the command line: --model <file\.mjs>, a file that exports it/);
  });
});
