// Shared by the tests of a learner's border: a small learner, and values that are no labels and no ids.
import assert from 'node:assert/strict';
import { createState, linear, OnlineLearner, sequential } from 'torch-incremental';

export const [size, classes] = [4, 3];
export const model = sequential({ out: linear(size, classes) }, { input: [size] });
export const good = (number, count = 1) => ({
  inputs: Float32Array.from({ length: size * count }, (_, i) => Math.sin(number * 7 + i)),
  labels: Array.from({ length: count }, (_, i) => (number + i) % classes),
});

export const circular = {};
circular.self = circular;
export const throwing = () => {
  throw new RangeError('the caller throws');
};
export const revoked = () => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
};
/** What is no label, and no id. */
export const noNumbers = [
  ...[1n, '1', true, {}, [], () => 1, Symbol('1'), circular, { toJSON: throwing }, { valueOf: throwing }, new Date(0)],
  new Number(1),
];
export const noIds = [
  ...[Number.NaN, Infinity, 1.5, 2 ** 53, true, {}, [], circular, () => 1, Symbol('a'), { toString: throwing }],
  ...['\ud800', 'a\udfff', 'x'.repeat(1025), '\u20ac'.repeat(342), 10n ** 1024n, -(10n ** 1024n), 2n ** 4000n],
  ...['x'.repeat(2 ** 24), new String('a')],
];

export function assertExact({ offered, learned, dropped, quarantined, duplicates, queued }) {
  assert.equal(offered, learned + dropped + quarantined + duplicates + queued);
  assert.ok(queued >= 0, `${queued} wait`);
}

export const openIn = async (dir, options = {}) =>
  OnlineLearner.open({
    ...{ dir, checkpoint: await createState(model, { seed: 1 }), model, batchSize: 4 },
    ...{ transforms: [], maxDelayMs: 0, seed: 1, threads: 1, gate: { every: 1000 }, ...options },
  });

/** The call rejects with an error of this library of one of these codes. */
export const rejects = (call, codes = ['ERR_INVALID_OPTION']) =>
  assert.rejects(call, (error) => error.name === 'LearnError' && codes.includes(error.code));
