// mode: 'fast': the same training as exact mode's but for rounding, equal from run to run, in the same files.
import assert from 'node:assert/strict';
import {
  arrays,
  avgPool2d,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  identity,
  linear,
  maxPool2d,
  net,
  relu,
  residual,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { needsAvx } from './data-support.mjs';

const data = arrays(madeUpImages(70));
const quick = { data, epochs: 2, batchSize: 32, seed: 1, mode: 'fast' };

/** The largest difference of two tensors, over the largest value of the second. */
function difference(a, b) {
  let most = 0;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    most = Math.max(most, Math.abs(Number(a[i]) - Number(b[i])));
    largest = Math.max(largest, Math.abs(Number(b[i])));
  }
  return largest === 0 ? most : most / largest;
}

function assertClose(state, expected, bar) {
  assert.deepEqual(state.names, expected.names);
  for (const name of expected.names) {
    const [a, b] = [state.tensor(name), expected.tensor(name)];
    assert.deepEqual([a.shape, a.dtype], [b.shape, b.dtype]);
    const found = difference(a.data, b.data);
    assert.ok(found <= bar, `${name} differs by ${found}`);
  }
}

/** What one step of plain gradient descent at rate 1 took away from each tensor: the gradients. */
async function gradients(model, state, options) {
  const { state: after, contracted } = await trainIncremental(state, {
    data,
    batchSize: 70,
    model,
    epochs: 1,
    optimizer: sgd({ learningRate: 1, momentum: 0 }),
    seed: 1,
    ...options,
  });
  const taken = new Map();
  for (const name of state.names) {
    const [before, now] = [state.tensor(name).data, after.tensor(name).data];
    taken.set(
      name,
      before.map((value, i) => value - now[i]),
    );
  }
  return { taken, contracted };
}

const cnn = () =>
  sequential({
    conv1: conv2d(3, 16, 3, { padding: 1 }),
    bn1: batchNorm2d(16),
    relu1: relu(),
    pool: maxPool2d(2),
    block: residual(
      { conv1: conv2d(16, 16, 3, { padding: 1, bias: false }), bn1: batchNorm2d(16), relu: relu() },
      { shortcut: { downsample: conv2d(16, 16, 1) } },
    ),
    mean: avgPool2d(2),
    flatten: flatten(),
    fc: linear(16 * 64, 10),
  });

const chains = {
  'the reference script’s Net': [net(), ['fc.weight', 'conv2.weight', 'conv1.weight']],
  'strides, dilations, groups and padding': [
    sequential({
      a: conv2d(3, 6, 5, { stride: 2, padding: 1 }),
      b: conv2d(6, 8, 3, { dilation: 2, groups: 2, bias: false }),
      c: conv2d(8, 16, [1, 3], { padding: [0, 2], dilation: [1, 2] }),
      same: identity(),
      d: conv2d(16, 16, 3, { padding: 1 }),
      flat: flatten(),
      fc: linear(16 * 11 * 11, 10, { bias: false }),
    }),
    ['fc.weight', 'd.weight', 'c.weight', 'b.weight', 'a.weight'],
  ],
  'linear layers after images': [
    sequential({
      conv: conv2d(3, 4, 3, { stride: 3, padding: 1 }),
      flat: flatten(),
      one: linear(4 * 11 * 11, 64),
      two: linear(64, 32, { bias: false }),
      three: linear(32, 10),
    }),
    ['three.weight', 'two.weight', 'one.weight', 'conv.weight'],
  ],
  'linear layers alone': [
    sequential({ flat: flatten(), one: linear(3072, 24), two: linear(24, 10) }),
    ['two.weight', 'one.weight'],
  ],
  'the end of a network only': [
    sequential({
      conv: conv2d(3, 8, 3, { padding: 1 }),
      relu: relu(),
      next: conv2d(8, 4, 3, { stride: 2 }),
      flat: flatten(),
      fc: linear(4 * 15 * 15, 10),
    }),
    ['fc.weight', 'next.weight'],
  ],
};

describe("mode: 'fast'", () => {
  const folder = temporaryFolder();

  // A rounding that carries one value over ReLU's corner, or to another maximum, changes what is summed up in a bias.
  for (const [name, model, bar, needed] of [
    ['Net', net(), 2e-5, () => {}],
    // Without AVX2 more is rounded apart: a bias of the batch norm differs by twice as much.
    ['a network with batch norm, pooling and a residual', cnn(), 1e-3, (test) => needsAvx(test, 'the bar is')],
  ]) {
    it(`trains ${name} to exact mode's weights, but for rounding`, async function () {
      needed(this);
      const state = await createState(model, { seed: 3 });
      const options = { ...quick, model, contractLinear: false };
      const exact = await trainIncremental(state, { ...options, mode: 'exact' });
      const fast = await trainIncremental(state, options);
      assertClose(fast.state, exact.state, bar);
      assert.ok(difference([fast.history[1].loss], [exact.history[1].loss]) < bar / 10);
      assert.deepEqual(fast.contracted, []);
    });
  }

  it('gives equal states for equal seeds, contracted or not', async () => {
    const state = await createState(net(), { seed: 0 });
    for (const contractLinear of [true, false]) {
      const [a, b] = [
        await trainIncremental(state, { ...quick, contractLinear }),
        await trainIncremental(state, { ...quick, contractLinear }),
      ];
      assert.ok(a.state.equals(b.state));
    }
  });

  it('draws dropout from the same stream of numbers', async () => {
    const model = sequential({ flat: flatten(), drop: dropout(0.5), fc: linear(3072, 10) });
    const state = await createState(model, { seed: 0 });
    const exact = await trainIncremental(state, { ...quick, model, mode: 'exact' });
    const fast = await trainIncremental(state, { ...quick, model });
    assertClose(fast.state, exact.state, 2e-5);
  });

  it('resumes a checkpoint bit for bit, with momentum in the files’ own layout', async () => {
    const state = await createState(net(), { seed: 0 });
    const path = folder('run.ckpt');
    const whole = await trainIncremental(state, { ...quick, epochs: 3 });
    await trainIncremental(state, { ...quick, epochs: 1, checkpoint: { path } });
    const rest = await trainIncremental(path, { data, epochs: 3, resume: path });
    assert.ok(rest.state.equals(whole.state));
    const exact = await trainIncremental(state, { ...quick, epochs: 3, mode: 'exact' });
    const mixed = await trainIncremental(path, { data, epochs: 3, resume: path, mode: 'exact' });
    assertClose(mixed.state, exact.state, 2e-5);
  });

  it("computes in bfloat16 with precision: 'bf16', and keeps weights and loss in float32", async () => {
    const model = cnn();
    const state = await createState(model, { seed: 3 });
    const exact = await trainIncremental(state, { ...quick, model, mode: 'exact' });
    const half = await trainIncremental(state, { ...quick, model, precision: 'bf16' });
    assertClose(half.state, exact.state, 0.05);
    assert.ok(half.state.names.every((name) => half.state.tensor(name).dtype === exact.state.tensor(name).dtype));
    assert.ok(!half.state.equals((await trainIncremental(state, { ...quick, model })).state));
    assert.ok(difference([half.history[1].loss], [exact.history[1].loss]) < 0.02);
  });
});

describe('contracted linear chains', () => {
  for (const [name, [model, weights]] of Object.entries(chains)) {
    it(`have the gradients that PyTorch's own way has: ${name}`, async () => {
      const state = await createState(model, { seed: 5 });
      const exact = await gradients(model, state, { mode: 'exact' });
      const fast = await gradients(model, state, { mode: 'fast' });
      assert.deepEqual(fast.contracted, weights);
      for (const [tensor, expected] of exact.taken) {
        const found = difference(fast.taken.get(tensor), expected);
        assert.ok(found < 1e-5, `the gradient of ${tensor} differs by ${found}`);
      }
    });
  }

  it('are left as they are on batches of no more samples than outputs', async () => {
    const state = await createState(net(), { seed: 0 });
    const options = { ...quick, batchSize: 10 };
    const contracted = await trainIncremental(state, options);
    const plain = await trainIncremental(state, { ...options, contractLinear: false });
    assert.ok(contracted.state.equals(plain.state));
  });

  it('end at anything that is not linear', async () => {
    const state = await createState(cnn(), { seed: 0 });
    const { contracted } = await trainIncremental(state, { ...quick, model: cnn(), epochs: 1 });
    assert.deepEqual(contracted, []);
  });
});
