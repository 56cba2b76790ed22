import assert from 'node:assert/strict';
import { batchNorm2d, conv2d, createState, linear, net, relu, sequential, trainIncremental } from 'torch-incremental';

const message = async (layers, options) => {
  const state = await createState(sequential(layers));
  const error = await trainIncremental(state, options).catch((cause) => cause);
  return [error.code, error.message];
};

describe('a state of a model that is not known', () => {
  it('is refused in a few lines, with ten tensors at most and the next step, also where it shares names with a known one', async () => {
    const blocks = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`block${i}`, [conv2d(8, 8, 3), batchNorm2d(8), relu()][i % 3]]),
    );
    const [code, text] = await message({ conv1: conv2d(3, 8, 7, { bias: false }), ...blocks, fc: linear(8, 10) });
    assert.equal(code, 'ERR_MODEL_UNKNOWN');
    assert.match(text, /its tensors are conv1\.weight \[8, 3, 7, 7\], block0\.weight .* and \d+ more\./);
    assert.equal(text.match(/ \[[\d, ]*\]/g).length, 10);
    assert.match(text, /Pass the model they belong to as the option "model": sequential\(\{ … \}\)/);
    assert.match(text, /npx torch-incremental inspect/);
    assert.ok(text.length < 1000, text);
  });

  it('is compared with a known model that it nearly fits', async () => {
    const [code, text] = await message({
      conv1: conv2d(3, 16, 3),
      conv2: conv2d(16, 32, 3),
      fc: linear(32 * 32 * 32, 5),
    });
    assert.equal(code, 'ERR_MODEL_UNKNOWN');
    assert.match(text, /fits no known model; Net is the nearest\.\n {2}Of another shape: fc\.weight is \[5, 32768\]/);
    assert.ok(text.split('\n').length <= 10, text);
  });

  it('is compared with the model that is given, ten tensors of each difference at most', async () => {
    const layers = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`layer${i}`, linear(2, 2)]));
    const [code, text] = await message(layers, { model: net() });
    assert.equal(code, 'ERR_STATE_MISMATCH');
    assert.match(text, /Unexpected: layer0\.weight \[2, 2\], .* and 50 more\./);
  });
});
