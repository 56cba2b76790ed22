// Imports of lib/ and includes of src/ point strictly down the floors of docs/architecture.md, types too, and never in a circle.
import assert from 'node:assert/strict';
import { circles, filesUnder, floorOf, floors, importsOf, includesOf, offenders, read, roomOf } from './floors.mjs';

/** Maps each file to what it imports. */
const filesOf = (folder, pattern, reader) =>
  new Map(filesUnder(folder, pattern).map((file) => [file, reader(file, read(file)).filter(({ target }) => target)]));

const trees = {
  lib: filesOf('lib', /\.m?ts$/, importsOf),
  src: filesOf('src', /\.(cc|h|cuh?|inc)$/, includesOf),
};

const graphOf = (files) => new Map([...files].map(([file, imports]) => [file, imports.map(({ target }) => target)]));

function roomsOf(files) {
  const graph = new Map();
  for (const [file, imports] of files) {
    const targets = graph.get(roomOf(file)) ?? new Set();
    for (const { target } of imports.filter((found) => files.has(found.target)))
      if (roomOf(target) !== roomOf(file)) targets.add(roomOf(target));
    graph.set(roomOf(file), targets);
  }
  return graph;
}

const isEmpty = (lines) => assert.equal(lines.join('\n'), '');

describe('floors', () => {
  for (const [tree, files] of Object.entries(trees)) {
    it(`lets nothing in ${tree}/ point anywhere but strictly down`, () => isEmpty(offenders(files)));

    it(`has no circle of files in ${tree}/`, () => isEmpty(circles(graphOf(files))));

    it(`has no circle of rooms in ${tree}/`, () => isEmpty(circles(roomsOf(files))));
  }

  it('has nothing loose in lib/ but its two doorways', () =>
    assert.deepEqual(
      [...trees.lib.keys()].filter((file) => file.split('/').length === 2),
      ['lib/index.mts', 'lib/index.ts'],
    ));

  it('names every room on its floor in docs/architecture.md', () => {
    const rows = [...read('docs/architecture.md').matchAll(/^\| (\d+) \| ([^|]*) \|/gm)];
    const stated = rows.map(
      ([, floor, names]) => `${floor}: ${[...names.matchAll(/`(\w+)/g)].map(([, name]) => name)}`,
    );
    const expected = Object.values(floors).flatMap((tree) =>
      tree.flatMap((rooms, floor) => (rooms.length > 0 ? [`${floor}: ${rooms}`] : [])),
    );
    assert.deepEqual(stated.sort(), expected.sort());
  });
});

describe('reading imports', () => {
  const lines = (text) => importsOf('lib/online/x.ts', text).map(({ line, target }) => `${line} ${target}`);

  it('finds every way of importing', () => {
    const text = [
      "import fs from 'node:fs';",
      "import { a } from '../core/a.js';",
      "import type { B } from '../core/b.js';",
      "import '../core/c.js';",
      'import {',
      '  d,',
      "} from './d.js';",
      "export { e } from './e.js';",
      "export * from './f.mjs';",
      "export type * from './g.js';",
      "const h = await import('../cli/h.js');",
      'const i = require("../../package.json");',
      "type J = import('../core/j.js').J;",
      "let k: typeof import('./k.js');",
      "const l = require.resolve('./l.js');",
      "import m from 'torch-incremental';",
    ].join('\n');
    const found = ['2 lib/core/a.ts', '3 lib/core/b.ts', '4 lib/core/c.ts', '7 lib/online/d.ts', '8 lib/online/e.ts'];
    found.push('9 lib/online/f.mts', '10 lib/online/g.ts', '11 lib/cli/h.ts', '12 package.json', '13 lib/core/j.ts');
    assert.deepEqual(lines(text), [...found, '14 lib/online/k.ts', '15 lib/online/l.ts', '16 lib/index.ts']);
  });

  it('finds none in comments', () =>
    assert.deepEqual(lines("// import './a.js';\n/**\n * import './b.js';\n */\nimport './c.js';"), [
      '5 lib/online/c.ts',
    ]));

  it('complains of what points up, sideways, at nothing and from no floor', () => {
    const files = new Map([
      ['lib/core/a.ts', [{ line: 1, target: 'lib/native/b.ts' }]],
      ['lib/native/b.ts', [{ line: 2, target: 'lib/models/c.ts' }]],
      ['lib/models/c.ts', [{ line: 3, target: 'lib/models/none.ts' }]],
      ['lib/attic/d.ts', []],
      ['lib/index.ts', [{ line: 4, target: 'lib/core/a.ts' }]],
    ]);
    assert.deepEqual(offenders(files), [
      'lib/core/a.ts:1 → lib/native/b.ts: from floor 1 to floor 4',
      'lib/native/b.ts:2 → lib/models/c.ts: from floor 4 to floor 4',
      'lib/models/c.ts:3 → lib/models/none.ts, which does not exist',
      'lib/attic/d.ts: its room, attic, has no floor',
    ]);
  });

  it('finds every circle', () => {
    const graph = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: ['e'], f: ['a'] };
    assert.deepEqual(circles(new Map(Object.entries(graph))), ['a → b → c → a', 'e → e']);
  });

  it('gives each room of lib/ and of src/ one floor', () => {
    for (const rooms of Object.values(floors)) assert.equal(new Set(rooms.flat()).size, rooms.flat().length);
    assert.equal(floorOf('lib/index.mts'), 9);
    assert.equal(floorOf('src/napi/job.cc'), 7);
  });
});
