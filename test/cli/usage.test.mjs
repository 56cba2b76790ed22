import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { adafactor, muon } from 'torch-incremental';
import { optimizerFrom } from '../../dist/cli/members.js';
import { root } from '../support.mjs';
import { binary, run } from './run.mjs';

const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

describe('command line: usage', () => {
  const wrong = [
    [['trian'], "Unknown command 'trian'; did you mean train?"],
    [
      ['frobnicate'],
      "Unknown command 'frobnicate'; there are demo, train, online, evaluate, inspect, extend, average, versions, repair, libtorch, build, doctor",
    ],
    [['--seed', '1'], 'Expected a command before --seed'],
    [['train'], 'Expected a <checkpoint>'],
    [['train', 'a.pth', 'b.pth'], "Unexpected 'b.pth': train takes one <checkpoint>"],
    [['doctor', 'a.pth'], "Unexpected 'a.pth': doctor takes options only"],
    [['train', 'a.pth', '--epoch', '3'], 'Unknown option --epoch of train; did you mean --epochs?'],
    [['train', 'a.pth', '--batchSize', '3'], 'Unknown option --batchSize of train; did you mean --batch-size?'],
    [['train', 'a.pth', '--shuffle'], 'Unknown option --shuffle of train; did you mean --no-shuffle?'],
    [['train', 'a.pth', '--optimizer', 'adamm'], 'Unknown adamm for --optimizer; did you mean adam?'],
    [['evaluate', 'a.pth', '--metrics', 'accuracy,f1scor'], 'Unknown f1scor for --metrics; did you mean f1Score?'],
    [['evaluate', 'a.pth', '--metrics', 'topKAccuracy:k=0'], 'Expected an integer of at least 1 for "k"'],
    [
      ['evaluate', 'a.pth', '--metrics', 'auroc,auroc'],
      'Expected each metric once in "--metrics" but auroc is there twice',
    ],
    [['train', 'a.pth', '--scheduler', 'cosineAnealingLR'], 'did you mean cosineAnnealingLR?'],
    [
      ['train', 'a.pth', '--scheduler', 'stepLR'],
      '--scheduler stepLR: Expected an integer of at least 1 for "stepSize"',
    ],
    [['train', 'a.pth', '--scheduler', 'sequentialLR:milestones=5'], 'Expected schedulers after sequentialLR'],
    [
      ['train', 'a.pth', '--model', 'model.ts'],
      'Expected an architecture of torchvision such as resnet18, a .pt2 of torch.export, or a JavaScript file (.mjs, .cjs or .js)',
    ],
    [['train', 'a.pth', '--optimizer', 'lion'], 'Unknown lion for --optimizer; there are sgd, adam, adamW'],
    [['train', 'a.pth', '--optimizer', 'adam:beta=1'], 'Unknown option "beta" of adam(); did you mean "betas"?'],
    [['train', 'a.pth', '--optimizer', 'adafactor:eps=0.1,null'], 'for "eps[1]" but received null'],
    [['train', 'a.pth', '--optimizer', 'muon:nsCoefficients=1,2'], 'an array of 3 numbers for "nsCoefficients"'],
    [['train', 'a.pth', '--optimizer', 'adam:betas=0.9'], 'Expected an array of two for "betas"'],
    [
      ['train', 'a.pth', '--optimizer', 'adam:0.9'],
      "Expected name=value after the colon of --optimizer but received '0.9'",
    ],
    [['train', 'a.pth', '--optimizer', 'adam', '--momentum', '0.9'], 'Unknown option "momentum" of adam()'],
    [['train', 'a.pth', '--loss', 'crossEntropy'], 'Unknown crossEntropy for --loss; did you mean crossEntropyLoss?'],
    [['evaluate', 'a.pth', '--loss', 'mseLoss:beta=1'], 'Unknown option "beta" of mseLoss()'],
    [['online', '--dir', 'a', '--loss', 'huberLoss:delta=0'], 'a finite number (as float32) above 0 for "delta"'],
    [['train', 'a.pth', '-x'], 'Unknown option -x of train'],
    [
      ['train', 'a.pth', '--epochs', 'ten'],
      `Expected an integer of at least 1 for "--epochs" but received string ('ten')`,
    ],
    [['train', 'a.pth', '--epochs', ''], `for "--epochs" but received string ('')`],
    [
      ['train', 'a.pth', '--batch-size', '0'],
      'Expected an integer of at least 1 for "--batch-size" but received number (0)',
    ],
    [['train', 'a.pth', '--lr', 'NaN'], `for "--lr" but received string ('NaN')`],
    [['train', 'a.pth', '--lr', '-1'], 'for "--lr" but received number (-1)'],
    [['train', 'a.pth', '--lr'], 'Expected a value after --lr: --lr <rate>'],
    [['train', 'a.pth', '--out', '--seed', '3'], 'Expected a value after --out: --out <file>'],
    [['train', 'a.pth', '--json=yes'], "--json takes no value but received 'yes'"],
    [['train', 'a.pth', '--device', 'gpu'], 'for "--device" but received'],
    [['train', 'a.pth', '--mode', 'quick'], 'for "--mode" but received'],
    [['train', 'a.pth', '--every', '5'], '--every needs --checkpoint <file>'],
    [['train', 'a.pth', '--checkpoint', 'c', '--every', 'epoch'], 'Expected an integer of at least 1 for "--every"'],
    [['train', 'a.pth', '--resume', 'run.ckpt'], "Unexpected 'a.pth': with --resume there is no <checkpoint>"],
    [['online', 'a.pth'], 'Expected --dir <dir>'],
    [['online', 'a.pth', 'b.pth', '--dir', 'd'], "Unexpected 'b.pth': online takes one <checkpoint>"],
    [['online', '--dir', 'd', '--batch', '8'], 'Unknown option --batch of online'],
    [['online', '--dir', 'd', '--port', '65536'], 'an integer from 0 to 65535 for "--port"'],
    [['online', '--dir', 'd', '--sync', 'never'], 'for "--sync" but received'],
    [['online', '--dir', 'd', '--drift', 'adwim'], 'Unknown adwim for --drift; did you mean adwin?'],
    [['online', '--dir', 'd', '--on-drift', 'report'], '--on-drift needs --drift <detector>'],
    [['online', '--dir', 'd', '--replay-policy', 'reservoir'], '--replay-policy needs --replay <samples>'],
    [['online', '--dir', 'd', '--max-drop', '0.1'], '--max-drop needs --held-out <dir>'],
    [['demo', 'folder'], "Unexpected 'folder': demo takes options only"],
    [['extend', 'a.pth', '-o', 'b.pth'], 'Expected --classes <n> or --names <names>'],
    [['extend', 'a.pth', '--classes', '12', '--names', 'a', '-o', 'b.pth'], 'Expected either --classes or --names'],
    [['extend', 'a.pth', '--classes', '12', '--old-names', 'a', '-o', 'b.pth'], '--old-names needs --names <names>'],
    [['extend', 'a.pth', '--names', 'a,b,a', '-o', 'b.pth'], "name of a class once, but 'a' is --names[0] already"],
    [['extend', 'a.pth', '--names', 'a,,b', '-o', 'b.pth'], 'a name of 1 to 1000 characters for "--names[1]"'],
    [['extend', 'a.pth', '--classes', '12'], 'Expected --out <file>'],
    [['extend', 'a.pth', 'b.pth', '--classes', '12'], "Unexpected 'b.pth': extend takes one <checkpoint>"],
    [['extend', 'a.pth', '--classes', '12', '-o'], 'Expected a value after -o: -o <file>'],
    [['average', '-o', 'b.pth'], 'Expected a <checkpoint>'],
    [['average', 'a.pth', '-o', 'b.pth'], 'Expected at least two checkpoints to average'],
    [['evaluate', 'a.pth', '--epochs', '1'], 'Unknown option --epochs of evaluate'],
  ];
  for (const [args, message] of wrong) {
    it(`answers \`${args.join(' ')}\` with exit code 2 and the error`, async () => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.ok(stderr.startsWith('error[ERR_INVALID_OPTION]: '), stderr);
      assert.ok(stderr.includes(message), stderr);
      assert.match(stderr, /\nSee: npx torch-incremental (\w+ ){0,2}--help\n$/);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
  }

  it('has null, numbers, lists and words as options of a member', () => {
    const made = (words) => optimizerFrom(words, {});
    assert.deepEqual(
      made('adafactor:eps=null,0.01,beta2Decay=-0.5'),
      adafactor({ eps: [null, 0.01], beta2Decay: -0.5 }),
    );
    const given = { nsCoefficients: [3, -4, 2], adjustLearningRateFn: 'match_rms_adamw' };
    assert.deepEqual(made('muon:nsCoefficients=3,-4,2,adjustLearningRateFn=match_rms_adamw'), muon(given));
  });

  it('lists the commands when it is called without one, as wrong usage', async () => {
    const { code, stdout, stderr } = await run([]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^Usage: torch-incremental <command>/);
  });

  it('prints its version', async () => {
    assert.deepEqual(await run(['--version']), { code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  });

  it('has help for every command it lists, in 80 columns', async () => {
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    const listed = stdout.split('Commands:\n')[1].split('\n\n')[0].split('\n');
    const commands = listed.map((line) => line.trim().split(' ')[0]);
    assert.deepEqual(commands, [
      'demo',
      'train',
      'online',
      'evaluate',
      'inspect',
      'extend',
      'average',
      'versions',
      'repair',
      'libtorch',
      'build',
      'doctor',
    ]);
    const inner = ['install', 'list', 'use', 'remove'].map((name) => `libtorch ${name}`);
    for (const name of [...commands, ...inner]) {
      const help = await run([...name.split(' '), '--help']);
      assert.equal(help.code, 0);
      assert.equal(help.stderr, '');
      assert.ok(help.stdout.startsWith(`Usage: torch-incremental ${name}`));
      const [head] = help.stdout.split('\nExamples:');
      for (const line of head.split('\n')) assert.ok(line.length <= 80, line);
    }
  });

  it('shows help wherever the option is, whatever else is wrong', async () => {
    const { code, stdout } = await run(['train', '--epochs', 'three', '-h']);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: torch-incremental train/);
  });

  it('fails if standard output accepts nothing, with one line and not with a stack', () => {
    const full = fs.openSync('/dev/full', 'w');
    for (const [args, status] of [
      [['--help'], 1],
      [['libtorch', 'list'], 1],
      [['doctor', '--json'], 2],
    ]) {
      const result = spawnSync(process.execPath, [binary, ...args], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      assert.match(result.stderr, /^error\[ERR_FILE\]: Cannot write to standard output: ENOSPC: .*\n$/);
      assert.equal(result.status, status);
    }
    fs.closeSync(full);
  });

  it('loads neither libtorch nor the addon for help and usage errors', async () => {
    const env = { TORCH_INCREMENTAL_LIBTORCH: '/nowhere' };
    assert.equal((await run(['train', '--help'], { env })).code, 0);
    assert.equal((await run(['train', 'a.pth', '--epochs', '0'], { env })).code, 2);
  });
});
