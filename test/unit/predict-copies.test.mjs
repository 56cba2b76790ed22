// predict() reads its inputs at the call, whatever they are and whatever becomes of them.
import assert from 'node:assert/strict';
import vm from 'node:vm';
import { createState, linear, predict, relu, saveState, sequential } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

const size = 24;
const model = sequential({ hidden: linear(size, 8), relu: relu(), out: linear(8, 4) }, { input: [size] });
const values = Float32Array.from({ length: 4 * size }, (_, i) => Math.sin(i * 12.9898));

/** In memory that can shrink. */
function resizable() {
  const copy = new Float32Array(new ArrayBuffer(values.byteLength, { maxByteLength: 2 * values.byteLength }));
  copy.set(values);
  return copy;
}

/** In memory that other threads have. */
function shared() {
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

class Lying extends Float32Array {
  get length() {
    return 1e6;
  }
}

describe('the inputs of predict()', () => {
  const at = temporaryFolder();
  let state;
  let expected;

  before(async () => {
    state = await createState(model, { seed: 1 });
    await saveState(state, at('state.pth'));
    ({ logits: expected } = await predict(state, values, { model }));
  });

  for (const [how, change] of [
    ['changed', (inputs) => inputs.fill(9e9)],
    ['detached', ({ buffer }) => structuredClone(buffer, { transfer: [buffer] })],
    ['shrunk', ({ buffer }) => buffer.resize(0)],
  ]) {
    it(`may be ${how} right after the call, also while a checkpoint is being read`, async () => {
      for (const source of [state, at('state.pth')]) {
        const inputs = how === 'shrunk' ? resizable() : Float32Array.from(values);
        const predicting = predict(source, inputs, { model });
        change(inputs);
        assert.deepEqual((await predicting).logits, expected);
      }
    });
  }

  it('may be of another realm, shared, or a subclass', async () => {
    const foreign = vm.runInNewContext('Float32Array').from(values);
    for (const inputs of [foreign, shared(), resizable(), new Lying(values)]) {
      assert.deepEqual((await predict(state, inputs, { model })).logits, expected);
    }
  });

  it('are refused by a LearnError where they are no values', async () => {
    const detached = Float32Array.from(values);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const outside = new Float32Array(resizable().buffer, 8, size);
    outside.buffer.resize(16);
    const wrong = [
      ...[detached, outside, new Proxy(values, {}), Object.create(Float32Array.prototype), new Float64Array(size)],
      ...[new Uint8ClampedArray(size), new DataView(values.buffer), [...values], null, undefined, 5, 'x', Symbol('x')],
    ];
    for (const inputs of wrong) {
      await assert.rejects(predict(state, inputs, { model }), { name: 'LearnError', code: 'ERR_INVALID_OPTION' });
    }
  });
});
