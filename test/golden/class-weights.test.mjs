// Weights of classes beside scikit-learn, and of positive targets beside NumPy: equal to the last bit.
import assert from 'node:assert/strict';
import { arrays, classWeights, posWeights } from 'torch-incremental';
import { needsPython, runPython } from '../unit/data-support.mjs';

let state = 7;
const below = (limit) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};

/** Labels of all `classes` classes, in unequal shares. */
const labelsOf = (classes, count) =>
  Array.from({ length: count }, (_, i) => (i < classes ? i : Math.min(below(classes), below(classes))));

const given = (targets, count) => arrays({ inputs: { input: { data: new Uint8Array(count), shape: [] } }, targets });

describe('weights of classes', () => {
  it('are those of scikit-learn, in 40 data sets of classes and of tokens', async function () {
    const python = needsPython(this);
    const cases = Array.from({ length: 40 }, (_, i) => {
      const classes = 1 + below(12);
      const size = i % 2 ? 3 : 1;
      const labels = labelsOf(classes, size * Math.ceil((classes + below(500)) / size));
      const isIgnored = size > 1;
      if (isIgnored) labels.push(-100, -100, -100);
      return { labels, classes, size, ignored: isIgnored ? -100 : null };
    });
    const expected = runPython(python, 'class_weights.py', cases);
    for (const [i, { labels, size }] of cases.entries()) {
      const shape = size > 1 ? [size] : [];
      const data = given({ data: Int32Array.from(labels), shape }, labels.length / size);
      assert.deepEqual(await classWeights(data), expected[i], JSON.stringify(cases[i]));
    }
  });

  it('count no sample of an index that is ignored', async function () {
    const python = needsPython(this);
    const labels = labelsOf(5, 200);
    const masked = labels.map((label) => (label === 4 ? 255 : label));
    const [without] = runPython(python, 'class_weights.py', [{ labels, classes: 4, ignored: 4 }]);
    const [plain, mask] = [labels, masked].map((all) => given({ data: Int32Array.from(all), shape: [2] }, 100));
    assert.deepEqual(await classWeights(plain, { ignoreIndex: 4 }), [...without, 0]);
    assert.deepEqual(await classWeights(mask, { ignoreIndex: 255, numClasses: 4 }), without);
  });

  it('of a class without samples are refused by both', async function () {
    const python = needsPython(this);
    const labels = [0, 1, 1, 3];
    const [refusal] = runPython(python, 'class_weights.py', [{ labels, classes: 4, ignored: null }]);
    assert.match(refusal, /classes should have valid labels that are in y/);
    await assert.rejects(classWeights(given({ data: Int32Array.from(labels) }, 4)), {
      code: 'ERR_DATA_FORMAT',
      message: /samples of each class but class 2 does not have them/,
    });
  });
});

describe('weights of positive targets', () => {
  it('are the zeros by the ones of each label, in 20 data sets', async function () {
    const python = needsPython(this);
    const cases = Array.from({ length: 20 }, () => {
      const labels = 1 + below(6);
      const rows = Array.from({ length: 2 + below(300) }, (_, row) =>
        Array.from({ length: labels }, () => (row < 2 ? row : +(below(4) === 0))),
      );
      return { targets: rows };
    });
    const expected = runPython(python, 'class_weights.py', cases);
    for (const [i, { targets: rows }] of cases.entries()) {
      const targets = { data: Uint8Array.from(rows.flat()), shape: [rows[0].length] };
      assert.deepEqual(await posWeights(given({ kind: 'classes', ...targets }, rows.length)), expected[i]);
    }
  });
});
