import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createColors } from 'picocolors';
import { cifar10, createState, evaluate, linear, loadState, net, saveState, sequential } from 'torch-incremental';
import { confusionTable } from '../../dist/cli/tables.js';
import { root, temporaryFolder, writeCifar10 } from '../support.mjs';
import { checkpoint, p, pickle, tensor } from '../unit/checkpoint-support.mjs';
import { lines, run } from './run.mjs';

describe('command line: evaluate, inspect', () => {
  const at = temporaryFolder();

  before(async () => {
    writeCifar10(at('data'), { train: 20, test: 100 });
    await saveState(await createState(net(), { seed: 0 }), at('net.pth'));
    await saveState(await createState(sequential({ fc: linear(8, 2) }), { seed: 0 }), at('own.pth'));
  });

  it('evaluates as the API does, as JSON', async () => {
    const { code, stdout, stderr } = await run(['evaluate', 'net.pth', '--json'], { cwd: at() });
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const expected = await evaluate(at('net.pth'), { data: cifar10({ root: at('data'), train: false }) });
    assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(expected)));
  });

  it('computes the metrics of --metrics, above the last line and in JSON', async () => {
    const names = ['f1Score:average=micro', 'topKAccuracy:k=3', 'auroc:thresholds=9', 'perClassAccuracy'];
    const words = ['evaluate', 'net.pth', '--metrics', names.join(',')];
    const json = await run([...words, '--json'], { cwd: at() });
    const { metrics, accuracy } = JSON.parse(json.stdout);
    assert.deepEqual(Object.keys(metrics), names);
    assert.equal(metrics['f1Score:average=micro'], accuracy);
    const { code, stdout } = await run(words, { cwd: at() });
    assert.equal(code, 0);
    // Accuracy by class is in the table.
    const expected = names.slice(0, 3).map((name) => [name, metrics[name].toFixed(4)]);
    const shown = lines(stdout).map((line) => line.trim().split(/ +/));
    assert.deepEqual(
      shown.filter(([name]) => names.includes(name)),
      expected,
    );
  });

  it('shows accuracy by class and confusions in 80 columns, without colours in a pipe', async () => {
    const { code, stdout } = await run(['evaluate', 'net.pth', '--data', 'data'], { cwd: at(), env: { CI: '1' } });
    assert.equal(code, 0);
    assert.match(stdout, /\n\d+\.\d % of 100 samples right, loss \d\.\d{4}\n$/);
    assert.match(stdout, /\n {2}airplane +\d+ +\d+ /);
    for (const line of lines(stdout)) assert.ok(line.length <= 80, line);
    const { perClass, confusion } = await evaluate(at('net.pth'), {
      data: cifar10({ root: at('data'), train: false }),
    });
    const table = lines(stdout).slice(1, 11);
    for (const [label, row] of table.entries()) {
      const [name, ...cells] = row.trim().split(/ +/);
      assert.equal(name, perClass[label].name);
      assert.deepEqual(
        cells.map((cell) => (cell === '·' ? 0 : Number(cell))),
        confusion[label],
      );
    }
  });

  it('fits the confusions into a narrow terminal, or says how wide they are', () => {
    const perClass = Array.from({ length: 10 }, (_, label) => ({ name: `class ${label}`, samples: 100 }));
    const evaluation = { perClass, confusion: perClass.map(() => new Array(10).fill(10)) };
    const widest = (columns) => {
      const table = confusionTable(evaluation, createColors(false), columns);
      return Math.max(...table.split('\n').map((line) => line.length));
    };
    assert.equal(widest(80), 76);
    assert.ok(widest(60) <= 60);
    assert.match(
      confusionTable(evaluation, createColors(false), 50),
      /^ {2}.* needs 56 columns, and there are 50; --json/,
    );
  });

  it('says for how many samples the outputs are not finite', async () => {
    await saveState(await createState(net(), { seed: 0 }), at('nan.safetensors'));
    const bytes = fs.readFileSync(at('nan.safetensors'));
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const [bias] = JSON.parse(bytes.subarray(8, start).toString())['conv1.bias'].data_offsets;
    bytes.writeFloatLE(Number.NaN, start + bias);
    fs.writeFileSync(at('nan.safetensors'), bytes);
    const { code, stdout } = await run(['evaluate', 'nan.safetensors'], { cwd: at() });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /\nThe outputs for 100 samples are infinite or NaN.*\n0\.0 % of 100 samples right, loss nan\n$/,
    );
  });

  it('refuses to evaluate a state that fits no known model, and says what it holds', async () => {
    const { code, stderr } = await run(['evaluate', 'own.pth'], { cwd: at() });
    assert.equal(code, 1);
    assert.match(stderr, /^error\[ERR_MODEL_UNKNOWN\]: .* fc\.weight \[2, 8\], fc\.bias \[2\]\.\n/);
  });

  it('inspects a checkpoint: tensors, sizes, metadata and the model it fits', async () => {
    const { code, stdout } = await run(['inspect', 'net.pth'], { cwd: at() });
    assert.equal(code, 0);
    assert.match(stdout, /^net\.pth: PyTorch zip checkpoint, 1\.3 MB, little-endian\nFits Net\n/);
    assert.match(stdout, /\nPython's weights_only loads it\n/);
    assert.match(stdout, /\n {2}conv1\.weight +\[16, 3, 3, 3\] +float32 +1\.7 kB\n/);
    assert.match(stdout, /\n {2}6 tensors, 332,778 elements, 1\.3 MB in 6 storages\n/);
    assert.match(stdout, /\n {2}_metadata: \n {4}: \n {6}version: 1\n {4}conv1: \n/);
  });

  it('inspects files of other formats, and names the format', async () => {
    await saveState(await loadState(at('net.pth')), at('net.safetensors'));
    const file = path.join(root, 'test/golden/forms/legacy sharing.pt');
    const [safetensors, legacy] = await Promise.all(
      ['net.safetensors', file].map((name) => run(['inspect', name], { cwd: at() })),
    );
    assert.match(safetensors.stdout, /^net\.safetensors: safetensors file, 1\.3 MB, little-endian\nFits Net\n/);
    assert.match(legacy.stdout, /: PyTorch checkpoint of before 1\.6 \(legacy stream\), 1\.5 kB, little-endian\n/);
  });

  it('inspects as JSON, with all of the metadata', async () => {
    const { stdout } = await run(['inspect', 'net.pth', '--json'], { cwd: at() });
    assert.equal(lines(stdout).length, 1);
    const { model, totals, tensors, metadata } = JSON.parse(stdout);
    assert.equal(model, 'Net');
    assert.deepEqual(totals, { tensors: 6, elements: 332778, storages: 6, bytes: 1331112 });
    assert.deepEqual(tensors[5], { name: 'fc.bias', dtype: 'float32', shape: [10], bytes: 40 });
    assert.deepEqual(metadata._metadata.conv1, { version: 1 });
  });

  it('inspects with --stats the values too', async () => {
    const { code, stdout } = await run(['inspect', 'net.pth', '--stats'], { cwd: at() });
    assert.equal(code, 0);
    assert.match(stdout, /tensor +shape +dtype +size +min +max +mean +NaN +Inf\n/);
    const json = JSON.parse((await run(['inspect', 'net.pth', '--stats', '--json'], { cwd: at() })).stdout);
    const { data } = (await loadState(at('net.pth'))).tensor('fc.bias');
    const { min, max, mean, nan, infinite } = json.tensors[5].stats;
    assert.deepEqual([min, max, nan, infinite], [Math.min(...data), Math.max(...data), 0, 0]);
    assert.ok(Math.abs(mean - data.reduce((sum, value) => sum + value, 0) / data.length) < 1e-12);
  });

  it('inspects a training checkpoint: the dicts in it, why weights_only would refuse it, the tree of the rest', async () => {
    const model = ['model', 'ema'].map((key) => [p.text(key), p.emptyDict, p.text('fc'), tensor(), p.setItem]);
    const args = [
      p.global('argparse', 'Namespace'),
      p.emptyTuple,
      p.newobj,
      p.emptyDict,
      p.text('lr'),
      p.int(3),
      p.setItem,
      p.build,
    ];
    fs.writeFileSync(
      at('run.ckpt'),
      checkpoint(pickle(null, [p.text('epoch'), p.int(7), ...model, p.text('args'), args])),
    );
    const { code, stdout } = await run(['inspect', 'run.ckpt'], { cwd: at() });
    assert.equal(code, 0);
    assert.match(stdout, /Showing the dict under the key model; --key also takes ema\n/);
    assert.match(stdout, /weights_only refuses it: it names argparse\.Namespace\n/);
    assert.match(
      stdout,
      /\n {2}epoch: 7\n {2}ema: \n {4}fc: tensor, float32 \[2, 2\]\n {2}args: argparse\.Namespace, .*\n {4}lr: 3\n/,
    );
    const json = JSON.parse((await run(['inspect', 'run.ckpt', '--key', 'ema', '--json'], { cwd: at() })).stdout);
    assert.deepEqual([json.key, json.keys, json.weightsOnly.loads], ['ema', ['model', 'ema'], false]);
    assert.deepEqual(json.metadata.args.state, { lr: 3 });
  });

  it('inspects an averaged model without its prefix, and says so', async () => {
    const names = ['n_averaged', 'module._orig_mod.fc', 'module._orig_mod.out'];
    fs.writeFileSync(
      at('swa.pth'),
      checkpoint(
        pickle(
          null,
          names.flatMap((name) => [p.text(name), tensor()]),
        ),
      ),
    );
    const inspect = (...args) => run(['inspect', 'swa.pth', ...args], { cwd: at() });
    const { stdout } = await inspect('--strip-prefix', 'auto');
    assert.match(stdout, /\nNames are shown without the prefix module\._orig_mod\.; left out: n_averaged\n/);
    const json = JSON.parse((await inspect('--strip-prefix', 'auto', '--json')).stdout);
    assert.deepEqual(json.stripped, { prefix: 'module._orig_mod.', leftOut: ['n_averaged'] });
    assert.deepEqual(
      json.tensors.map(({ name }) => name),
      ['fc', 'out'],
    );
    assert.deepEqual(JSON.parse((await inspect('--json')).stdout).stripped, { prefix: '', leftOut: [] });
  });

  it('inspects a state that fits no known model, also without libtorch', async () => {
    const env = { TORCH_INCREMENTAL_LIBTORCH: '/nowhere' };
    const { code, stdout } = await run(['inspect', 'own.pth'], { cwd: at(), env });
    assert.equal(code, 0);
    assert.match(stdout, /\nFits no known model/);
    assert.match(stdout, /\n {2}fc\.weight +\[2, 8\] +float32 +64 B\n/);
  });
});
