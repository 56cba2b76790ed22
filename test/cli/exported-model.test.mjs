// Commands on models that torch.export saved: their own weights are trained, scored and served, or those of a checkpoint; inspect shows what
// they take.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { cifar10, evaluate, loadModel, loadState, State, saveState, trainIncremental } from 'torch-incremental';
import { archive } from '../pt2/archives.mjs';
import { leaf, model, node, ref } from '../pt2/descriptions.mjs';
import { temporaryFolder, writeCifar10 } from '../support.mjs';
import { classes, reader } from '../unit/exported-support.mjs';
import { begin, endLeftovers } from './online-support.mjs';
import { run } from './run.mjs';

/** A linear layer over images. */
const images = () =>
  model({
    tensors: {
      'fc.weight': { role: 'parameter', shape: [10, 3072] },
      'fc.bias': { role: 'parameter', shape: [10] },
    },
    inputs: { x: { shape: ['s0', 3, 32, 32] } },
    nodes: [
      node('torch.ops.aten.flatten.using_ints', { self: ref('x'), start_dim: { as_int: 1 } }, 'flat'),
      node(
        'torch.ops.aten.linear.default',
        { input: ref('flat'), weight: ref('p_fc_weight'), bias: ref('p_fc_bias') },
        'linear',
      ),
    ],
    metas: { linear: { shape: ['s0', 10] } },
    ...{ outputs: ['linear'], outSpec: leaf },
  });

describe('command line: a .pt2', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const cwd = { cwd: at() };
  const shared = ['--data', 'data', '--threads', '1'];
  let own;
  let other;

  before(async () => {
    writeCifar10(at('data'), { train: 70, test: 20 });
    fs.writeFileSync(at('images.pt2'), archive(images()));
    fs.writeFileSync(at('reader.PT2'), archive(reader()));
    own = await loadModel(at('images.pt2'));
    const random = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i) / 50);
    other = State.from({
      'fc.weight': { dtype: 'float32', shape: [10, 3072], data: random(30_720) },
      'fc.bias': { dtype: 'float32', shape: [10], data: random(10) },
    });
    await saveState(other, at('other.pth'));
  });
  afterEach(endLeftovers);

  const trained = (source) =>
    trainIncremental(source, {
      ...{ model: own.model, data: cifar10({ root: at('data') }), epochs: 1, batchSize: 35, seed: 1, threads: 1 },
    });
  const train = async (...args) => {
    const flags = ['--epochs', '1', '--batch-size', '35', '--seed', '1', '--out', 'out.pth'];
    const result = await run(['train', ...args, ...shared, ...flags], cwd);
    assert.equal(result.code, 0, result.stderr);
    return loadState(at('out.pth'));
  };

  it('is trained with its own weights, named alone or by --model', async () => {
    const { state } = await trained(own.state);
    assert.ok(!state.equals(own.state));
    assert.ok(state.equals(await train('images.pt2')));
    assert.ok(state.equals(await train('--model', 'images.pt2')));
    assert.ok(state.equals(await train('images.pt2', '--model', 'images.pt2')));
  });

  it('is trained with the weights of a checkpoint', async () => {
    const { state } = await trained(other);
    assert.ok(state.equals(await train('other.pth', '--model', 'images.pt2')));
  });

  it('is saved as a .pt2 where --out ends so', async () => {
    const flags = ['--epochs', '1', '--batch-size', '35', '--seed', '1', '--out', 'updated.pt2'];
    for (const [args, source] of [
      [['images.pt2'], own.state],
      [['other.pth', '--model', 'images.pt2'], other],
    ]) {
      const { code, stderr } = await run(['train', ...args, ...shared, ...flags], cwd);
      assert.equal(code, 0, stderr);
      const saved = await loadModel(at('updated.pt2'));
      assert.ok((await trained(source)).state.equals(saved.state));
      assert.deepEqual(saved.model.program.nodes, own.model.program.nodes);
    }
  });

  it('is named by the command that resumes its training after an interrupt', async () => {
    const args = ['images.pt2', ...shared, '--epochs', '1000', '--log-every', '1', '--checkpoint', 'stopped.ckpt'];
    const { code, stderr } = await run(['train', ...args, '--out', 'never.pth'], {
      ...cwd,
      meanwhile: (child) => child.stdout.once('data', () => child.kill('SIGINT')),
    });
    assert.equal(code, 130, stderr);
    assert.match(stderr, / {2}npx torch-incremental train .*--resume stopped\.ckpt --model images\.pt2\n/);
  });

  it('resumes its training', async () => {
    const steps = (count) => ['--epochs', '1', '--batch-size', '35', '--seed', '1', ...count, '--out', 'out.pth'];
    const first = ['images.pt2', ...shared, ...steps(['--max-steps', '1']), '--checkpoint', 'run.ckpt', '--every', '1'];
    assert.equal((await run(['train', ...first], cwd)).code, 0);
    const again = ['--resume', 'run.ckpt', '--model', 'images.pt2', ...shared, '--max-steps', '2', '--out', 'out.pth'];
    const { code, stderr } = await run(['train', ...again], cwd);
    assert.equal(code, 0, stderr);
    assert.ok((await trained(own.state)).state.equals(await loadState(at('out.pth'))));
  });

  it('is scored with its own weights or those of a checkpoint', async () => {
    const data = cifar10({ root: at('data'), train: false });
    for (const [args, state] of [
      [['images.pt2'], own.state],
      [['--model', 'images.pt2'], own.state],
      [['other.pth', '--model', 'images.pt2'], other],
    ]) {
      const { code, stdout, stderr } = await run(['evaluate', ...args, ...shared, '--json'], cwd);
      assert.equal(code, 0, stderr);
      const { loss } = await evaluate(state, { model: own.model, data, threads: 1 });
      assert.equal(JSON.parse(stdout).loss, loss);
    }
  });

  it('begins a learner with several inputs, whose folder has it from then on', async () => {
    const inputs = { input_ids: [1, 2, 3, 4, 5], attention_mask: [1, 1, 1, 0, 0] };
    const batch = ['--batch-size', '2', '--max-delay-ms', '2000', '--loss', 'crossEntropyLoss:output=logits'];
    const first = begin(['reader.PT2', '--dir', 'learner', ...batch], cwd);
    const { code, answers } = await first.finish({ inputs, label: 1 }, { inputs, label: 2 }, { inputs });
    assert.equal(code, 0);
    assert.ok(
      answers.every(({ error }) => error === undefined),
      JSON.stringify(answers),
    );
    const predicted = answers.find(({ logits }) => logits);
    assert.equal(predicted.logits.length, classes);
    for (const args of [
      ['--dir', 'learner'],
      ['--model', 'reader.PT2', '--dir', 'learner'],
    ]) {
      const again = await begin(args, cwd).finish({ inputs }, { metrics: true });
      assert.equal(again.code, 0);
      assert.equal(again.answers.at(-1).metrics.learned, 2);
    }
  });

  it('is shown by inspect: what it takes and returns, its operators, modules and tensors', async () => {
    const { code, stdout } = await run(['inspect', 'reader.PT2'], cwd);
    assert.equal(code, 0);
    const rows = stdout.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '));
    for (const row of [
      'Trains and evaluates',
      'Takes 2 or more samples at a time',
      'input_ids | [5] | int64',
      'logits | [samples, 3] | float32',
      'pooled | [samples, 4] | float32',
      'aten::embedding | 1',
      '(the model) | model.Net',
      'words.weight | [11, 4] | float32 | 176 B | parameter',
      'shift | [4] | float32 | 16 B | constant',
      '4 tensors, 252 B',
    ])
      assert.ok(rows.includes(row), `${row} is not in\n${rows.join('\n')}`);
    assert.match(rows[0], /^reader\.PT2: Net, exported by torch 2\.13\.0\+cpu, /);
    const json = JSON.parse((await run(['inspect', 'reader.PT2', '--json'], cwd)).stdout);
    assert.deepEqual(
      [json.kind, json.batch, json.trainsOnly, json.outputs.map(({ name }) => name)],
      ['exported', { min: 2 }, null, ['logits', 'pooled']],
    );
  });

  const refused = [
    [['train'], /Expected a <checkpoint>: npx torch-incremental train <checkpoint>/],
    [['evaluate'], /Expected a <checkpoint>: npx torch-incremental evaluate <checkpoint>/],
    [['train', 'other.pth', '--out', 'o.pt2'], /--out o\.pt2: only a model that comes from a \.pt2 is saved as one/],
    [['online', '--dir', 'learner', '--save', 'o.pt2'], /--save o\.pt2: it writes weights alone; name it \.pth/],
    [['train', 'images.pt2', '--key', 'model'], /--key is for checkpoints, but images\.pt2 is a model/],
    [['evaluate', '--model', 'images.pt2', '--strip-prefix', 'auto'], /--strip-prefix is for checkpoints/],
    [['inspect', 'images.pt2', '--stats'], /--stats is for checkpoints, but images\.pt2 is a model/],
    [['extend', 'images.pt2', '--classes', '12', '-o', 'o.pth'], /images\.pt2 fixes the number of classes/],
    [['extend', 'other.pth', '--model', 'images.pt2', '--classes', '12', '-o', 'o.pth'], /fixes the number of classes/],
    [['train', 'other.pth', '--model', 'images.onnx'], /a \.pt2 of torch\.export, or a JavaScript file/],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args.join(' ')} with the reason`, async () => {
      const { code, stderr } = await run(args, cwd);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    });
  }

  it('is named where a checkpoint is expected', async () => {
    fs.copyFileSync(at('images.pt2'), at('renamed.pth'));
    for (const args of [
      ['average', 'images.pt2', 'images.pt2', '-o', 'o.pth'],
      ['evaluate', 'renamed.pth', '--data', 'data'],
      ['train', '--resume', 'renamed.pth', '--data', 'data'],
      ['train', '--resume', 'images.pt2', '--data', 'data'],
      ['inspect', 'renamed.pth'],
    ]) {
      const { code, stderr } = await run(args, cwd);
      assert.equal(code, 1, `${args}: ${stderr}`);
      assert.match(stderr, /an exported program \(\.pt2\)/, args.join(' '));
    }
  });
});
