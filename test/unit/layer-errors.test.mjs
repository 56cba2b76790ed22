// Errors of operators name the layer that they come from, as the state dict names it.
import assert from 'node:assert/strict';
import {
  arrays,
  createState,
  flatten,
  linear,
  maxPool2d,
  relu,
  residual,
  sequential,
  trainIncremental,
} from 'torch-incremental';

describe('an error within a model', () => {
  const data = arrays({ inputs: new Float32Array(2 * 12), labels: [0, 1], shape: [3, 2, 2] });

  const messageOf = async (model) => {
    const state = await createState(model, { seed: 0 });
    try {
      await trainIncremental(state, { model, data, threads: 1 });
    } catch (error) {
      return error.message;
    }
    return assert.fail('expected an error');
  };

  it('names the layer whose weights do not fit its input', async () => {
    const model = sequential({ flat: flatten(), fc1: linear(12, 4), relu: relu(), fc2: linear(5, 2) });
    assert.match(
      await messageOf(model),
      /\(2x4 and 5x2\) \(in the layer "fc2" \(aten::linear\) of the model's program\)$/,
    );
  });

  it('names a layer within a block by its whole path', async () => {
    const block = residual({ fc1: linear(12, 12), fc2: linear(13, 12) });
    const model = sequential({ flat: flatten(), block, fc: linear(12, 2) });
    assert.match(await messageOf(model), /in the layer "block\.fc2" \(aten::linear\)/);
  });

  it('names a layer without weights, too', async () => {
    const model = sequential({ flat: flatten(), pool: maxPool2d(2), fc: linear(12, 2) });
    assert.match(await messageOf(model), /in the layer "pool" \(aten::max_pool2d\) of the model's program/);
  });
});
