// Tests the fuzzers themselves: they are repeatable, reach both outcomes of the reader, and report findings.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, loadState } from 'torch-incremental';
import { needs, python, root, temporaryFolder } from '../support.mjs';
import { callsOf } from './calls.mjs';
import { caseOf, isModel, targetNames } from './cases.mjs';
import { difference, verdict } from './compare.mjs';
import { instructions, putTogether, takeApart } from './instructions.mjs';
import { operators } from './programs.mjs';
import { Random } from './random.mjs';
import { runArchive, runProgram } from './run-model.mjs';
import { goodFiles, goodPickles } from './seeds.mjs';

const fuzz = (...args) =>
  spawnSync(process.execPath, [path.join(import.meta.dirname, 'fuzz.mjs'), ...args], { encoding: 'utf8', cwd: root });

describe('the fuzzers', () => {
  const temporary = temporaryFolder();
  // A space separates the libraries of LD_PRELOAD.
  const unspaced = temporaryFolder('torch-incremental-test-');

  for (const target of targetNames) {
    it(`for ${target} make the same files of a seed, and others of another`, () => {
      const hashes = (seed) =>
        Array.from({ length: 50 }, (_, i) =>
          createHash('sha256')
            .update(caseOf(target, seed, i))
            .digest('hex'),
        );
      assert.deepEqual(hashes(1), hashes(1));
      assert.notDeepEqual(hashes(1), hashes(2));
      assert.ok(new Set(hashes(1)).size > 25);
    });

    it(`for ${target} make ${isModel(target) ? 'models that run' : 'files that load'} and ones that are refused`, async () => {
      const found = { loaded: 0, refused: new Set() };
      for (let i = 0; i < 150 && isModel(target); i++) {
        const content = caseOf(target, 3, i);
        fs.writeFileSync(temporary('case.pt2'), content);
        const answer = await (target === 'programs'
          ? runProgram(content.toString())
          : runArchive(temporary('case.pt2')));
        if (answer.code) found.refused.add(answer.message.replace(/\d+|"[^"]*"/g, ''));
        else found.loaded++;
      }
      for (let i = 0; i < 300 && !isModel(target); i++) {
        fs.writeFileSync(temporary('case.pth'), caseOf(target, 3, i));
        const state = await loadState(temporary('case.pth')).catch((error) => {
          assert.ok(error instanceof LearnError, error.stack);
          found.refused.add(error.message.replace(/\d+|"[^"]*"/g, ''));
        });
        if (state) found.loaded++;
        state?.dispose();
      }
      assert.ok(found.loaded >= 5, `${found.loaded} loaded`);
      assert.ok(found.refused.size >= 15, `${found.refused.size} ways to be refused`);
    });
  }

  it('make programs of every operator that a model may use, as libtorch has it', () => {
    const listed = fs.readFileSync(path.join(root, 'src/program/allowed_operators.cc'), 'utf8');
    const [, names] = /kNames\{([^}]*)\}/.exec(listed);
    const wanted = [...names.matchAll(/"(\w+)"/g)].map(([, name]) => `aten::${name}`);
    assert.deepEqual([...new Set(operators.map((name) => name.slice(0, name.lastIndexOf('.'))))].sort(), wanted.sort());
    for (const [op] of callsOf(new Random(1))) assert.ok(operators.includes(`aten::${op}`), op);
  });

  it('know the schemas of the operators', function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const made = spawnSync(python, [path.join(import.meta.dirname, 'operators.py')], { encoding: 'utf8' });
    const committed = fs.readFileSync(path.join(import.meta.dirname, 'operators.json'), 'utf8');
    assert.deepEqual(JSON.parse(made.stdout), JSON.parse(committed));
  }).timeout(60_000);

  it('put tensors at the end of pages, where a kernel that reaches further crashes', function () {
    if (process.platform !== 'linux') this.skip();
    const args = [
      '--seconds',
      '2',
      '--no-differential',
      '--target',
      'programs',
      '--guard',
      '85',
      '--out',
      temporary('guarded'),
    ];
    const { status, stdout } = fuzz(...args);
    assert.equal(status, 0, stdout);
    const source = `#include <stdlib.h>
      int main() { char* bytes = 0; return posix_memalign((void**)&bytes, 64, 100) || bytes[99] != 85 ? 1 : bytes[128]; }`;
    fs.writeFileSync(temporary('beyond.c'), source);
    const library = unspaced('guard.so');
    for (const [from, to, options] of [
      [path.join(import.meta.dirname, 'guard.c'), library, ['-shared', '-fPIC']],
      [temporary('beyond.c'), temporary('beyond'), ['-O0']],
    ])
      assert.equal(spawnSync('cc', [...options, '-o', to, from]).status, 0);
    const env = { ...process.env, LD_PRELOAD: library, GUARD_FILL: '85' };
    assert.equal(spawnSync(temporary('beyond'), { env }).signal, 'SIGSEGV');
  }).timeout(60_000);

  it('take pickles apart and put them together without losing a byte', () => {
    for (const { pickle } of goodPickles(goodFiles())) assert.ok(putTogether(takeApart(pickle)).equals(pickle));
    const one = instructions
      .filter(({ name }) => name !== 'STOP')
      .map(({ code, kind, width }) => {
        const operand = kind === '|' ? 'a\n'.repeat(width) : kind === '+' ? 'abc' : 'x'.repeat(width);
        return { code, kind, width, operand: Buffer.from(operand) };
      });
    assert.equal(takeApart(putTogether(one)).length, one.length);
  });

  it('find nothing in two seconds, and report how much they did', () => {
    const { status, stdout } = fuzz('--seconds', '2', '--no-differential', '--out', temporary('none'));
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^Files are only loaded here/m);
    for (const target of targetNames)
      assert.match(stdout, new RegExp(`^${target}: \\d+ files, \\d+ a second, \\d+ different`, 'm'));
    assert.ok(!fs.existsSync(temporary('none')));
  });

  it('keep the file of what they find, and fail', () => {
    const limit = ['--slow-ms', '0', '--no-differential'];
    const { status, stdout } = fuzz('--seconds', '0.2', '--target', 'zip', ...limit, '--out', temporary('some'));
    assert.equal(status, 1, stdout);
    const [name] = fs.readdirSync(temporary('some')).filter((file) => file.endsWith('.pth'));
    assert.match(stdout, new RegExp(`${name}: it took`));
    const [, seed, index] = name.match(/^zip-(\d+)-(\d+)\.pth$/);
    assert.ok(fs.readFileSync(path.join(temporary('some'), name)).equals(caseOf('zip', Number(seed), Number(index))));
  });

  it('find a difference that is planted in a file that both read, and keep both answers', function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    this.timeout(120_000);
    const args = [
      '--seconds',
      '0.2',
      '--differential',
      '--target',
      'pickle',
      '--plant',
      '3',
      '--out',
      temporary('planted'),
    ];
    const { status, stdout } = fuzz(...args);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /\.pth: read differently: the whole: here \["l","planted"\], in Python \["[do]"/);
    const [name] = fs.readdirSync(temporary('planted')).filter((file) => file.endsWith('.json'));
    const { ours, theirs } = JSON.parse(fs.readFileSync(path.join(temporary('planted'), name), 'utf8'));
    assert.ok(ours.tree && theirs.tree);
  });

  it('find nothing if Python and this library read the same', function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    this.timeout(120_000);
    const { status, stdout } = fuzz('--seconds', '2', '--differential', '--out', temporary('nothing'));
    assert.equal(status, 0, stdout);
    for (const target of targetNames.filter((name) => !isModel(name)))
      assert.match(stdout, new RegExp(`^${target}: .*\\n  compared with Python: both read [1-9]`, 'm'));
  });

  it('fail if nothing is read by both', function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    this.timeout(120_000);
    const args = [
      '--seconds',
      '0.1',
      '--differential',
      '--target',
      'zip',
      '--slow-ms',
      '0',
      '--out',
      temporary('slow'),
    ];
    const { status, stdout } = fuzz(...args);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /too few files were read by both/);
  });

  it('refuse an unknown target', () => {
    assert.match(
      fuzz('--target', 'tar').stderr,
      /--target is one of zip, pickle, legacy, safetensors, archives, programs, not tar/,
    );
  });
});

describe('the verdict on two answers', () => {
  const tensor = ['T', 'float32', [2], 'aa'];
  const tree = (value) => ({ tree: ['d', [['w', value]]] });
  const kind = (ours, theirs) => verdict(ours, theirs).kind;
  const refusal = { code: 'ERR_STATE_FORMAT', message: 'x.pth: it is damaged' };

  it('distinguishes equal content from other bytes, shapes, dtypes, orders and kinds', () => {
    assert.equal(kind(tree(tensor), tree(tensor)), 'both');
    for (const other of [
      ['T', 'float32', [2], 'ab'],
      ['T', 'float32', [1, 2], 'aa'],
      ['T', 'int32', [2], 'aa'],
      ['n', '1'],
      null,
    ])
      assert.equal(kind(tree(tensor), tree(other)), 'finding', JSON.stringify(other));
    const [a, b] = [
      ['a', ['n', '1']],
      ['b', ['n', '1']],
    ];
    assert.equal(difference(['d', [a, b]], ['d', [a, b]]), undefined);
    assert.match(difference(['d', [a, b]], ['d', [b, a]]), /"a".*key/);
    assert.match(difference(['d', [a]], ['d', [a, b]]), /1 and 2 items/);
    assert.match(difference(['d', [a]], ['o', [a], []]), /the whole/);
    assert.match(difference(['l', 'x'], ['t', 'x']), /the whole/);
    assert.equal(difference(['s', 'x', 'y'], ['s', 'y', 'x']), undefined);
  });

  it('accepts any Python object for one recorded by its name, but never a tensor', () => {
    assert.equal(kind(tree(['?', 'a.B']), tree(['?', 'c.D'])), 'both');
    assert.equal(kind(tree(tensor), tree(['?', 'c.D'])), 'finding');
    assert.equal(kind(tree(['?', 'a.B']), tree(tensor)), 'finding');
    assert.equal(kind(tree(['?', 'torch._utils._rebuild_qtensor']), tree(tensor)), 'both');
  });

  it('is a finding if only this library reads a file for an unknown reason, and never if only Python does', () => {
    assert.equal(kind(tree(tensor), { error: 'RuntimeError: no', second: 'RuntimeError: no' }), 'finding');
    assert.equal(kind(tree(['?', 'a.B']), { error: 'TypeError: no', second: 'TypeError: no' }), 'only here');
    assert.equal(kind(tree(['?', 'a.B']), { error: 'x', second: 'Acting: os.system' }), 'finding');
    assert.equal(kind(refusal, { by: 'weights_only', ...tree(tensor) }), 'only Python');
    assert.equal(kind(refusal, { error: 'no' }), 'neither');
  });

  it('is a finding if zipfile sees other names', () => {
    const ours = { ...tree(tensor), zip: ['x/data.pkl'] };
    assert.equal(kind(ours, { ...tree(tensor), zip: { names: ['x/data.pkl'], isSame: true } }), 'both');
    assert.equal(kind(ours, { ...tree(tensor), zip: { names: ['x/data.pkl', 'x/other'], isSame: true } }), 'finding');
  });
});
