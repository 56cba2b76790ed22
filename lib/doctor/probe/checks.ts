// The checks of `doctor --probe-train`: libtorch computes on a device, and each result is compared with the expected one.
// Runs in the child process (lib/doctor/probe/child.ts).
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  cifar10Transforms,
  conv2d,
  createState,
  type Device,
  evaluate,
  flatten,
  linear as linearLayer,
  loadState,
  net,
  predict,
  type State,
  saveState,
  sequential,
  sgd,
  trainIncremental,
} from '../..';
import { difference, linear, type Sizes, stepped, type Weights } from './reference';

/** Throws if a result is wrong. Returns facts for the report. The caller removes `folder`. */
export type TrialCheck = (device: Device, folder: string) => Promise<{ loss?: number }>;

/** In the order in which they are run. */
export const trialChecks: Readonly<Record<string, TrialCheck>> = { product, convolution, step, file };

/** float32 on the CPU; a GPU may round the factors of products to 10 bits (TF32). */
const tolerance = (device: Device) => (device === 'cpu' ? 1e-4 : 1e-2);

/** Returns repeatable numbers of both signs between -1 and 1. */
function madeUp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => (((index * 37) % 101) - 50) / 50);
}

async function product(device: Device) {
  const [rows, inFeatures, outFeatures] = [5, 64, 32];
  const model = sequential({ fc: linearLayer(inFeatures, outFeatures) }, { input: [inFeatures] });
  using state = await createState(model, { seed: 0 });
  const inputs = madeUp(rows * inFeatures);
  const { logits } = await predict(state, inputs, { model, device });
  const expected = linear(inputs, values(state, 'fc.weight'), values(state, 'fc.bias'), inFeatures);
  compare('a matrix product', logits, expected, tolerance(device));
  return {};
}

/** Checks gradients by the change of weights in one step: those of a convolution and of the linear layer after it. */
async function convolution(device: Device) {
  const sizes: Sizes = { inChannels: 2, outChannels: 3, side: 6, k: 3, classes: 4 };
  const labels = Int32Array.of(0, 3, 1);
  const shape = [sizes.inChannels, sizes.side, sizes.side];
  const inputs = madeUp(labels.length * sizes.inChannels * sizes.side ** 2);
  const model = sequential(
    { conv: conv2d(2, 3, 3), flat: flatten(), fc: linearLayer(3 * 4 * 4, sizes.classes) },
    { input: shape },
  );
  using before = await createState(model, { seed: 0 });
  const { state: after } = await trainIncremental(before, {
    ...{ model, device, epochs: 1, batchSize: labels.length, shuffle: false, seed: 0 },
    optimizer: sgd({ learningRate: 1, momentum: 0 }),
    data: arrays({ inputs, labels, shape, classes: sizes.classes }),
  });
  using _ = after;
  const [weights, expected] = [weightsOf(before), stepped(weightsOf(before), inputs, labels, sizes)];
  const found = weightsOf(after);
  for (const [name, what] of Object.entries(parts)) {
    const part = name as keyof Weights;
    compare(what, minus(found[part], weights[part]), minus(expected[part], weights[part]), tolerance(device));
  }
  return {};
}

const parts: Readonly<Record<keyof Weights, string>> = {
  kernel: "a convolution's gradient",
  kernelBias: "the gradient of a convolution's bias",
  matrix: "a linear layer's gradient",
  matrixBias: "the gradient of a linear layer's bias",
};

/** Checks a step of the reference script's model and transforms, with made-up images. */
async function step(device: Device) {
  const inputs = Uint8Array.from({ length: 2 * 3 * 32 * 32 }, (_, index) => (index * 37) % 256);
  const data = arrays({ inputs, labels: Int32Array.of(0, 1), shape: [3, 32, 32], classes: 10 });
  const transforms = cifar10Transforms.slice(-2);
  using before = await createState(net(), { seed: 0 });
  const { loss: expected } = await evaluate(before, { data, transforms, device });
  const run = { data, transforms, device, epochs: 1, batchSize: 2, seed: 0 };
  const { history, state: after } = await trainIncremental(before, run);
  using _ = after;
  const loss = history[0]?.loss ?? Number.NaN;
  compare('the loss', [loss], [expected], tolerance(device));
  const { loss: then } = await evaluate(after, { data, transforms, device });
  if (!(then < loss)) throw new Error(`a training step changed the loss from ${loss} to ${then}, which should be less`);
  return { loss };
}

async function file(_: Device, folder: string) {
  fs.mkdirSync(folder, { recursive: true });
  const place = path.join(folder, 'state.pth');
  using state = await createState(net(), { seed: 0 });
  await saveState(state, place);
  using loaded = await loadState(place);
  if (!loaded.equals(state)) throw new Error('a state that was saved and loaded is not equal to the original');
  return {};
}

function weightsOf(state: State): Weights {
  return {
    kernel: values(state, 'conv.weight'),
    kernelBias: values(state, 'conv.bias'),
    matrix: values(state, 'fc.weight'),
    matrixBias: values(state, 'fc.bias'),
  };
}

function values(state: State, name: string): Float32Array {
  return state.tensor(name).data as Float32Array;
}

function minus(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from(a, (value, index) => value - b[index]!);
}

function compare(what: string, found: ArrayLike<number>, expected: ArrayLike<number>, allowed: number): void {
  const off = difference(found, expected);
  if (!(off <= allowed))
    throw new Error(`${what} is wrong by ${off.toExponential(1)} of its size; ${allowed} would be rounding`);
}
