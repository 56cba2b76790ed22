import assert from 'node:assert/strict';
import { layers } from '../../dist/layers/index.js';
import { describeExports, describePlainValues, exampleOf } from './family.mjs';

/** Their first argument may be negative. */
const signed = /^(zeroPad|constantPad)[123]d$|^(threshold|unflatten|softmax|softmin|logSoftmax)$/;

describe('the layers', () => {
  describePlainValues(layers);
  describeExports(layers);

  for (const [name, make] of Object.entries(layers)) {
    it(`${name}() refuses wrong arguments by name`, () => {
      const { given, value } = exampleOf(make);
      assert.equal(typeof value.type, 'string');
      if (make.length === 0) return;
      for (const wrong of [Symbol('wrong'), ...(signed.test(name) ? [] : [-1])]) {
        assert.throws(() => make(wrong, ...given.slice(1)), { name: 'LearnError', code: 'ERR_INVALID_OPTION' });
      }
    });

    // Those that take no options take a number, or nothing.
    if (!/\boptions\b/.test(String(make).split('\n')[0])) continue;
    it(`${name}() refuses an unknown option by name`, () => {
      const { given } = exampleOf(make);
      const areNeeded = /\boptions\)/.test(String(make).split('\n')[0]);
      const [others, own] = areNeeded ? [given.slice(0, -1), given.at(-1)] : [given, {}];
      const wrong = [...others, { ...own, nonsense: 1 }];
      assert.throws(() => make(...wrong), {
        name: 'LearnError',
        message: /"nonsense" of \w+\(\)/,
      });
    });
  }
});
