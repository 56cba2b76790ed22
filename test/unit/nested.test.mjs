// Numbers in arrays of arrays: of one shape, or of none.
import assert from 'node:assert/strict';
import { flattened } from '../../dist/core/nested-numbers.js';

const nest = (shape, at = 0) =>
  shape.length === 0 ? at : Array.from({ length: shape[0] }, (_, i) => nest(shape.slice(1), at * shape[0] + i));

describe('nested arrays', () => {
  const shape = [3, 4, 2];
  const flat = Array.from({ length: 24 }, (_, i) => i);

  it('are read row by row where they have the shape of a sample, and flat ones as they are', () => {
    assert.deepEqual(flattened(nest(shape), shape, 'input'), flat);
    // How many there are is another question.
    for (const values of [flat, [1, 2, 3], []]) assert.deepEqual(flattened(values, shape, 'input'), values);
    assert.deepEqual(flattened([[5]], [1, 1], 'input'), [5]);
  });

  it('are refused where they have another, though they hold as many numbers', () => {
    const wrong = [
      nest([4, 2, 3]),
      nest([2, 3, 4]),
      nest([1, 3, 4, 2]),
      nest([3, 8]),
      [nest([24])],
      [flat.slice(0, 5), [[flat.slice(5)]]],
      nest(shape).with(2, flat.slice(0, 8)),
      [...nest([2, 4, 2]), 7],
      [nest([4, 2]), nest([4, 2]), [...nest([3, 2]), [1]]],
      [nest([4, 2]), nest([4, 2]), [...nest([3, 2]), [1, [2]]]],
    ];
    for (const values of wrong) {
      assert.throws(() => flattened(values, shape, 'input'), { code: 'ERR_SHAPE', message: /input.*\[3, 4, 2\]/ });
    }
    assert.throws(() => flattened(wrong.at(-1), shape, 'input'), {
      message: /^Expected a number for "input\[2\]\[3\]\[1\]" but received an array of 1:/,
    });
  });
});
