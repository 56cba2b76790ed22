// Computes a training step in plain JavaScript and double precision. `doctor --probe-train` compares libtorch's result with it.
// The model: one convolution without padding, then a linear layer, cross-entropy, and SGD with a learning rate of 1.

export interface Weights {
  /** [out, in, k, k] */
  kernel: ArrayLike<number>;
  kernelBias: ArrayLike<number>;
  /** [class, out * side * side] */
  matrix: ArrayLike<number>;
  matrixBias: ArrayLike<number>;
}

export interface Sizes {
  inChannels: number;
  outChannels: number;
  /** Side of the square images. */
  side: number;
  /** Side of the square kernel. */
  k: number;
  classes: number;
}

/** x·Wᵀ + b: [n, out] of [n, in] and [out, in]. */
export function linear(x: ArrayLike<number>, w: ArrayLike<number>, b: ArrayLike<number>, inFeatures: number): number[] {
  const outFeatures = w.length / inFeatures;
  return Array.from({ length: (x.length / inFeatures) * outFeatures }, (_, at) => {
    const [row, column] = [Math.floor(at / outFeatures), at % outFeatures];
    let sum = b[column]!;
    for (let i = 0; i < inFeatures; i++) sum += x[row * inFeatures + i]! * w[column * inFeatures + i]!;
    return sum;
  });
}

/** Returns all weights after one step on the images [n, in, side, side]. */
export function stepped(weights: Weights, images: ArrayLike<number>, labels: ArrayLike<number>, sizes: Sizes): Weights {
  const { outChannels, side, k, classes } = sizes;
  const [samples, out] = [labels.length, side - k + 1];
  const features = outChannels * out * out;
  const channelOf = (y: number) => Math.floor(y / (out * out)) % outChannels;
  const convolved = Float64Array.from({ length: samples * features }, (_, y) => weights.kernelBias[channelOf(y)]!);
  for (const { x, w, y } of taps(samples, sizes)) convolved[y]! += images[x]! * weights.kernel[w]!;
  const logits = linear(convolved, weights.matrix, weights.matrixBias, features);

  const [kernel, kernelBias, matrix, matrixBias] = [
    weights.kernel,
    weights.kernelBias,
    weights.matrix,
    weights.matrixBias,
  ].map((values) => Float64Array.from(values)) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const toConvolved = new Float64Array(convolved.length);
  for (let n = 0; n < samples; n++) {
    const row = logits.slice(n * classes, (n + 1) * classes);
    const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
    for (const [label, logit] of row.entries()) {
      const gradient = (Math.exp(logit) / total - Number(label === labels[n])) / samples;
      matrixBias[label]! -= gradient;
      for (let i = 0; i < features; i++) {
        matrix[label * features + i]! -= gradient * convolved[n * features + i]!;
        toConvolved[n * features + i]! += gradient * weights.matrix[label * features + i]!;
      }
    }
  }
  for (const { x, w, y } of taps(samples, sizes)) kernel[w]! -= toConvolved[y]! * images[x]!;
  for (let y = 0; y < toConvolved.length; y++) kernelBias[channelOf(y)]! -= toConvolved[y]!;
  return { kernel, kernelBias, matrix, matrixBias };
}

/** Yields every product of a convolution: the indices of the input value, of the weight, and of the output. */
function* taps(samples: number, sizes: Sizes): Generator<{ x: number; w: number; y: number }> {
  const { inChannels, outChannels, side, k } = sizes;
  const out = side - k + 1;
  for (let n = 0; n < samples; n++)
    for (let channel = 0; channel < outChannels; channel++)
      for (let row = 0; row < out; row++)
        for (let column = 0; column < out; column++)
          for (let c = 0; c < inChannels; c++)
            for (let i = 0; i < k; i++)
              for (let j = 0; j < k; j++)
                yield {
                  x: ((n * inChannels + c) * side + row + i) * side + column + j,
                  w: ((channel * inChannels + c) * k + i) * k + j,
                  y: ((n * outChannels + channel) * out + row) * out + column,
                };
}

/** Returns the largest difference as a share of the largest value; NaN if a value is not a number. */
export function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.NaN;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(found[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}
