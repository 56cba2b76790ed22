// Tests the plain JavaScript that doctor compares libtorch with: its gradients are those of the loss, and a comparison can fail.
import assert from 'node:assert/strict';
import reference from '../../dist/doctor/probe/reference.js';

const { difference, linear, stepped } = reference;

const sizes = { inChannels: 2, outChannels: 3, side: 5, k: 3, classes: 4 };
const features = sizes.outChannels * 9;
let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};
const values = (length) => Float64Array.from({ length }, random);

/** The loss by its definition, computed in another order than in the reference. */
function lossOf({ kernel, kernelBias, matrix, matrixBias }, images, labels) {
  const { inChannels, outChannels, side, k, classes } = sizes;
  const out = side - k + 1;
  let loss = 0;
  for (const [n, label] of labels.entries()) {
    const convolved = [];
    for (let o = 0; o < outChannels; o++)
      for (let y = 0; y < out; y++)
        for (let x = 0; x < out; x++) {
          let sum = kernelBias[o];
          for (let c = 0; c < inChannels; c++)
            for (let i = 0; i < k; i++)
              for (let j = 0; j < k; j++)
                sum +=
                  kernel[o * inChannels * k * k + c * k * k + i * k + j] *
                  images[n * inChannels * side * side + c * side * side + (y + i) * side + x + j];
          convolved.push(sum);
        }
    const logits = Array.from({ length: classes }, (_, row) =>
      convolved.reduce((sum, value, column) => sum + value * matrix[row * features + column], matrixBias[row]),
    );
    loss += Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[label];
  }
  return loss / labels.length;
}

describe("doctor's trial", () => {
  const weights = {
    kernel: values(3 * 2 * 9),
    kernelBias: values(3),
    matrix: values(4 * features),
    matrixBias: values(4),
  };
  const labels = [2, 0, 3];
  const images = values(labels.length * 2 * 25);

  it('steps against the gradient of the loss, for every weight', () => {
    const after = stepped(weights, images, labels, sizes);
    for (const [name, own] of Object.entries(weights)) {
      for (const [index, value] of own.entries()) {
        const loss = (shift) => {
          const shifted = { ...weights, [name]: Float64Array.from(own) };
          shifted[name][index] += shift;
          return lossOf(shifted, images, labels);
        };
        const gradient = (loss(1e-5) - loss(-1e-5)) / 2e-5;
        const off = Math.abs(value - after[name][index] - gradient);
        assert.ok(off < 1e-6, `${name}[${index}] is off by ${off}`);
      }
    }
  });

  it('does not change its arguments', () => {
    const before = structuredClone(weights);
    stepped(weights, images, labels, sizes);
    assert.deepEqual(weights, before);
  });

  it('multiplies as a linear layer does', () => {
    assert.deepEqual(linear([1, 2, 3, 4], [1, 0, 0, 1, 1, 1], [10, 20, 30], 2), [11, 22, 33, 13, 24, 37]);
  });

  it('measures a difference relative to the largest value, and detects NaN, empty and short results', () => {
    assert.equal(difference([1, 2, 4.4], [1, 2, 4]).toFixed(6), '0.100000');
    assert.equal(difference([0, 0], [1, -2]), 1);
    for (const [a, b] of [
      [
        [Number.NaN, 1],
        [1, 1],
      ],
      [[1], [1, 1]],
      [
        [0, 0],
        [0, 0],
      ],
    ])
      assert.ok(!(difference(a, b) <= 1e9), `${a} and ${b}`);
  });
});
