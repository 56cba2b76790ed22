// Promises of every member of a family. Each test of this folder finds the members by itself, in the family's list.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as library from 'torch-incremental';
import { root } from '../support.mjs';

const exported = new Map(Object.entries(library));
const api = fs.readFileSync(path.join(root, 'docs/api.md'), 'utf8').split('\n');

/** What a maker is called with where it needs arguments: the first of these that it takes. */
const negated = library.node('neg', '', { self: library.value('output') }, 'losses');
const examples = [
  ...[[], ['resnet18'], [4], [4, 4], [4, 4, 3], [{ inner: library.identity() }]],
  ...[{ stepSize: 4 }, { milestones: [4] }, { gamma: 0.5 }, { tMax: 4 }, { t0: 4 }].map((options) => [options]),
  ...[[{ baseLearningRate: 0.1, maxLearningRate: 1 }], [{ maxLearningRate: 1 }]],
  ...[[1, [2, 2]], [{ scaleFactor: [2] }], [4, 4, 4, { second: 'input' }]],
  ...[[{ nodes: [negated] }]],
  ...[[[library.constantLR()]], [[library.constantLR()], { milestones: [] }]],
  ...[[{ length: 4, dim: 4 }], [library.transformerEncoderLayer(4, 4), 4], [library.transformerDecoderLayer(4, 4), 4]],
];

export function exampleOf(make) {
  for (const given of examples) {
    try {
      return { given, value: make(...given) };
    } catch (error) {
      if (!(error instanceof library.LearnError) && !(error instanceof TypeError)) throw error;
    }
  }
  throw new Error(`None of the examples in test/contract/family.mjs are arguments of ${make.name}()`);
}

export function assertFrozen(value, name) {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  assert.ok(Object.isFrozen(value), `${name} is not frozen`);
  for (const [key, item] of Object.entries(value)) assertFrozen(item, `${name}.${key}`);
}

/** The lines of docs/api.md about a maker. */
function linesOn(name) {
  return api.filter((line) => new RegExp(`\\b${name}\\(`).test(line)).join('\n');
}

const shownDefault = (value) => (typeof value === 'string' ? `'${value}'` : String(value));

/** Promises of plain values, whatever made them. */
export function describePlainValues(makers, exempt = []) {
  for (const [name, make] of Object.entries(makers)) {
    if (exempt.includes(name)) continue;
    it(`${name}() makes a plain, frozen value, which JSON and structuredClone keep`, () => {
      const { given, value } = exampleOf(make);
      assertFrozen(value, name);
      assert.deepEqual(JSON.parse(JSON.stringify(value)), value);
      assert.deepEqual(structuredClone(value), value);
      assert.deepEqual(make(...given), value);
    });
  }
}

export function describeExports(makers) {
  for (const [name, make] of Object.entries(makers)) {
    it(`${name}() is exported from the package and explained in docs/api.md`, () => {
      assert.equal(exported.get(name), make);
      assert.notEqual(linesOn(name), '', `docs/api.md does not mention ${name}()`);
    });
  }
}

/** Promises of the members of a family(). `exempt`: members whose values JSON does not keep. */
export function describeFamily({ makers, words, check }, exempt = []) {
  describePlainValues(makers, exempt);
  describeExports(makers);

  it('names all members where something else is given', () => {
    const others = [undefined, null, 7, 'sgd', [], {}, { kind: 'nonsense' }, { kind: 'toString' }, Object.create(null)];
    for (const other of others) {
      assert.throws(() => check(other, 'given'), { name: 'LearnError', code: 'ERR_INVALID_OPTION' });
      for (const word of words) {
        assert.throws(() => check(other, 'given'), new RegExp(`\\b${word}\\(\\).* for "given" but received `));
      }
    }
  });

  for (const [name, make] of Object.entries(makers)) {
    if (exempt.includes(name)) continue;
    const { given, value } = exampleOf(make);
    const { kind, ...fields } = value;

    it(`${name} is the kind of what ${name}() makes`, () => assert.equal(kind, name));

    it(`a copy of ${name}() becomes a member again`, () => {
      assert.equal(check(value, 'given'), value);
      for (const copy of [structuredClone(value), JSON.parse(JSON.stringify(value))]) {
        const member = check(copy, 'given');
        assert.deepEqual(member, value);
        assertFrozen(member, name);
      }
    });

    for (const field of Object.keys(fields)) {
      it(`a copy of ${name}() with a wrong ${field} is refused by name`, () => {
        const wrongs = [Symbol('wrong'), {}, Number.NaN].map((wrong) => ({ ...value, [field]: wrong }));
        // Frozen ones are not taken for made ones.
        for (const wrong of [...wrongs, ...wrongs.map((copy) => Object.freeze({ ...copy }))]) {
          assert.throws(() => check(wrong, 'given'), {
            name: 'LearnError',
            code: 'ERR_INVALID_OPTION',
            message: new RegExp(`\\b${field}\\b`),
          });
        }
      });
    }

    it(`${name}() refuses an unknown option by name`, () => {
      assert.throws(() => check({ ...value, nonsense: 1 }, 'given'), {
        name: 'LearnError',
        code: 'ERR_INVALID_OPTION',
        message: new RegExp(`"nonsense" of ${name}\\(\\)`),
      });
    });

    it(`docs/api.md has every option of ${name}(), and its default`, () => {
      const lines = linesOn(name);
      for (const [field, initial] of Object.entries(fields)) {
        assert.match(lines, new RegExp(`\\b${field}\\b`), `${field} of ${name}()`);
        if (given.length === 0 && typeof initial !== 'object') {
          assert.ok(lines.includes(shownDefault(initial)), `${field} of ${name}(): ${shownDefault(initial)}`);
        }
      }
    });
  }
}
