// Every optimizer over weights of float32, bfloat16 and float64 against torch.optim, by a program of its own: weights and slots after 20
// steps have the same bits.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { optimizers } from '../../dist/optimizers/index.js';
import { needs, root, runPython } from '../support.mjs';
import { forPython, options } from './optimizer-cases.mjs';

const build = path.join(root, 'build');
const dtypes = ['float32', 'bfloat16', 'float64'];
const steps = 20;

/** Matrices wide and tall, and what other optimizers also take: vectors, convolutions and a number. */
const matrices = [
  [37, 19],
  [5, 24],
];
const shapesOf = (kind) =>
  kind === 'muon' ? matrices : [...matrices, [45], [3, 4, 3, 3], [7, 5, 1, 1], [4, 6, 9], []];

const cases = Object.entries(options).flatMap(([kind, list]) =>
  list.flatMap((given) => dtypes.map((dtype) => ({ kind, given: { learningRate: 0.05, ...given }, dtype }))),
);

function wordsOf([name, value]) {
  if (Array.isArray(value)) return ['numbers', name, value.length, ...value.map((item) => item ?? 'nan')];
  if (typeof value === 'string') return ['word', name, value];
  return typeof value === 'boolean' ? ['boolean', name, Number(value)] : ['number', name, value];
}

function lineOf({ kind, given, dtype }) {
  const { kind: _, ...all } = optimizers.makers[kind](given);
  const shapes = shapesOf(kind).flatMap((shape) => ['shape', shape.length, ...shape]);
  return [kind, dtype, steps, ...shapes, ...Object.entries(all).flatMap(wordsOf)].join(' ');
}

function tensorsIn(line) {
  const words = line.trim().split(' ');
  return Array.from({ length: words.length / 3 }, (_, i) => words.slice(3 * i, 3 * i + 3));
}

describe('optimizers over weights of several dtypes', function () {
  this.timeout(600_000);
  let ours, theirs;

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
    execFileSync('cmake', ['-S', root, '-B', build, '-DTESTS=ON'], quiet);
    execFileSync('cmake', ['--build', build, '--target', 'optimizer_dtypes_test'], quiet);
    const program = path.join(build, 'optimizer_dtypes_test');
    const answered = { input: `${cases.map(lineOf).join('\n')}\n`, encoding: 'utf8', maxBuffer: 2 ** 28 };
    ours = execFileSync(program, [], answered).trimEnd().split('\n').map(tensorsIn);
    const jobs = cases.map(({ kind, given, dtype }) => ({
      ...{ optimizer: optimizers.entryOf({ kind }).torchName, options: forPython(given), dtype, steps },
      shapes: shapesOf(kind),
    }));
    theirs = JSON.parse(
      runPython(path.join(root, 'test/golden/optimizer_dtypes.py'), [], { input: JSON.stringify(jobs) }),
    );
  });

  for (const [i, { kind, given, dtype }] of cases.entries()) {
    it(`${kind}(${JSON.stringify(given)}) over ${dtype}: weights and slots are those of PyTorch, to the bit`, () => {
      assert.ok(ours[i].length >= shapesOf(kind).length);
      assert.deepEqual(ours[i], theirs[i]);
    });
  }
});
