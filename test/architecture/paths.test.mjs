// Every path that documents and comments name exists; paths.mjs has the rules.
import assert from 'node:assert/strict';
import { read } from './floors.mjs';
import { deadLinks, documents, missingModules, missingPaths, sources } from './paths.mjs';

const isEmpty = (lines) => assert.equal(lines.join('\n'), '');

describe('paths', () => {
  it('names none in README, CONTRIBUTING and docs that does not exist', () =>
    isEmpty(documents.flatMap((file) => missingPaths(file, read(file)))));

  it('names none in a comment that does not exist', () =>
    isEmpty(sources.flatMap((file) => missingPaths(file, read(file)))));

  it('requires no module of dist/ that lib/ has no source of, also in programs that are strings', () => {
    const scripts = sources.filter((file) => /\.[cm]?js$/.test(file));
    isEmpty(scripts.flatMap((file) => missingModules(file, read(file))));
    const program = (word) => `${word}(path.join(root, 'dist', 'core', 'none.js'))`;
    const found = 'x:2: dist/core/none.js';
    assert.deepEqual(missingModules('x', `\n${program('require')}`), [found]);
    assert.deepEqual(missingModules('x', program('write')), []);
  });

  it('links from no document to what does not exist', () => isEmpty(documents.flatMap(deadLinks)));

  it('finds paths that do not exist, and only those', () => {
    const missing = (file, text) => missingPaths(file, text).map((line) => line.slice(file.length + 1));
    const markdown =
      'See `lib/none/` and lib/core/errors.ts, `errors.ts`,\nnone.ts, torch/nn/none.py, src/<name>/none.cc, lib/core/*.ts.';
    assert.deepEqual(missing('README.md', markdown), ['1: lib/none/', '2: none.ts', '2: src/<name>/none.cc']);
    const code =
      "// Reads none.mjs, none-2.mjs, ./none.mjs and ../none.mjs.\nconst a = 'lib/none.ts', b = 'none.mjs'; // test/none/\n";
    assert.deepEqual(missing('lib/x.ts', code), ['1: none-2.mjs', '1: ../none.mjs', '2: test/none/']);
    assert.deepEqual(missing('test/x.py', '# lib/none.ts\nprint("lib/none.ts") # bench/none\n'), [
      '1: lib/none.ts',
      '2: bench/none',
    ]);
  });
});
