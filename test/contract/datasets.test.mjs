import assert from 'node:assert/strict';
import { datasets } from '../../dist/datasets/index.js';
import { describeFamily } from './family.mjs';

/** Their samples are in typed arrays, which JSON does not keep. */
const exempt = ['arrays', 'subset'];

describe('the family of data sets', () => {
  describeFamily(datasets, exempt);

  it('makes copies of arrays and subsets members again', () => {
    const { arrays, subset } = datasets.makers;
    const whole = arrays({ inputs: new Float32Array(6), labels: [0, 1, 0], shape: [2] });
    const ids = { ids: { data: new BigInt64Array(6), shape: [2] } };
    const sequences = arrays({ inputs: ids, targets: { data: Int32Array.of(1, -100, 0, 2, 2, 2), shape: [2] } });
    const numbers = arrays({ inputs: ids, targets: { data: new Float32Array(3) } });
    const alone = arrays({ inputs: ids });
    for (const value of [whole, sequences, numbers, alone, subset(whole, { start: 1, end: 2 })]) {
      const member = datasets.check(structuredClone(value), 'data');
      assert.deepEqual(member, value);
      assert.ok(Object.isFrozen(member));
      assert.throws(() => datasets.check({ ...value, nonsense: 1 }, 'data'), /"nonsense" of (arrays|subset)\(\)/);
    }
    const other = { input: { ...whole.inputs.input, shape: [4] } };
    assert.throws(() => datasets.check({ ...whole, inputs: other }, 'data'), { code: 'ERR_DATA_FORMAT' });
  });
});
