// Tests how the tensors of a state are laid out in storages: at their offsets and strides, once for all names of one tensor.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import native from '../../dist/native/native.js';
import { temporaryFolder } from '../support.mjs';

describe('laying a state out in storages', () => {
  const addon = native.native();
  const at = temporaryFolder();

  const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const floats = (name, shape, values) => ({
    ...{ name, dtype: 'float32', shape },
    bytes: bytesOf(Float32Array.from(values)),
  });
  const place = (tensors, shape, stride, offset = 0, storage = 0) => [
    ...[storage, offset, shape.length, ...shape, ...stride, tensors.length],
    ...tensors,
  ];

  /** The storages, in bytes. */
  async function laidOut(tensors, storages, places, dtypes = places.map(() => 'float32')) {
    const plan = { storages: Float64Array.from(storages), dtypes, places: Float64Array.from(places.flat()) };
    const { storages: laid, displaced } = await addon.layOut(addon.makeState(tensors), plan);
    const [infos] = addon.stateInfo([laid]);
    assert.deepEqual(
      infos.map(({ storage }) => storage),
      infos.map((_, i) => i),
    );
    return { bytes: infos.map((_, i) => addon.stateTensor(laid, i)), displaced };
  }

  async function numbers(tensors, storages, places) {
    const { bytes, displaced } = await laidOut(tensors, storages, places);
    assert.deepEqual(displaced, []);
    return bytes.map((buffer) => [...new Float32Array(buffer)]);
  }

  const mismatch = (message) => ({ code: 'ERR_STATE_MISMATCH', message });

  it('puts a tensor at its offset, and zeros where no tensor lies', async () => {
    const found = await numbers([floats('part', [2], [1, 2])], [20, 8], [place([0], [2], [1], 2)]);
    assert.deepEqual(found, [
      [0, 0, 1, 2, 0],
      [0, 0],
    ]);
  });

  it('puts a tensor at its strides', async () => {
    const weight = floats('weight', [2, 3], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await numbers([weight], [24], [place([0], [2, 3], [1, 2])]), [[1, 4, 2, 5, 3, 6]]);
    assert.deepEqual(await numbers([weight], [24], [place([0], [2, 3], [3, 1])]), [[1, 2, 3, 4, 5, 6]]);
    assert.deepEqual(await numbers([weight], [44], [place([0], [2, 3], [6, 2])]), [[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]]);
  });

  it('puts several tensors into one storage, also where their elements take turns', async () => {
    const [left, right] = [floats('left', [2, 1], [1, 2]), floats('right', [2, 1], [3, 4])];
    const places = [place([0], [2, 1], [2, 1], 0), place([1], [2, 1], [2, 1], 1)];
    assert.deepEqual(await numbers([left, right], [16], places), [[1, 3, 2, 4]]);
    const apart = [place([0], [2, 1], [1, 1], 2), place([1], [2, 1], [1, 1], 0)];
    assert.deepEqual(await numbers([left, right], [16], apart), [[3, 4, 1, 2]]);
  });

  it('puts one tensor into several storages, once for each of two programs', async () => {
    const places = [place([0], [2], [1], 0, 0), place([0], [2], [1], 1, 1)];
    assert.deepEqual(await numbers([floats('weight', [2], [1, 2])], [8, 12], places), [
      [1, 2],
      [0, 1, 2],
    ]);
    assert.deepEqual(await numbers([floats('weight', [2], [1, 2])], [8, 8], [places[0], place([0], [2], [1], 0, 1)]), [
      [1, 2],
      [1, 2],
    ]);
  });

  it('takes equal values for all names of one tensor, whatever their bits mean, and refuses different ones', async () => {
    const [a, b] = ['a', 'b'].map((name) => floats(name, [3], [Number.NaN, -0, 1]));
    assert.deepEqual(await numbers([a, b], [12], [place([0, 1], [3], [1])]), [[Number.NaN, -0, 1]]);
    const other = floats('b', [3], [Number.NaN, 0, 1]);
    await assert.rejects(
      laidOut([a, other], [12], [place([0, 1], [3], [1])]),
      mismatch(/Expected equal values for "a" and "b", which are one tensor of the program/),
    );
  });

  it('puts elements that are one number there once, and refuses different values for them', async () => {
    const [same, other] = [floats('wide', [2, 2], [7, 7, 8, 8]), floats('wide', [2, 2], [7, 7, 8, 9])];
    assert.deepEqual(await numbers([same], [8], [place([0], [2, 2], [1, 0])]), [[7, 8]]);
    await assert.rejects(
      laidOut([other], [8], [place([0], [2, 2], [1, 0])]),
      mismatch(/Expected equal values in "wide", of which several elements are one number in the program/),
    );
    const windows = floats('windows', [2, 2], [1, 2, 2, 3]);
    assert.deepEqual(await numbers([windows], [12], [place([0], [2, 2], [1, 1])]), [[1, 2, 3]]);
    await assert.rejects(laidOut([same], [12], [place([0], [2, 2], [1, 1])]), mismatch(/"wide"/));
  });

  it('puts nothing of what lies after a tensor whose elements are one number in the state too', async () => {
    fs.writeFileSync(at('file'), new Float32Array([1, 2, 3, 4]));
    const descriptor = fs.openSync(at('file'));
    const storage = { offset: 0, bytes: 16, bigEndian: false, crc32: -1 };
    const wide = { name: 'wide', dtype: 'float32', shape: [2, 2], stride: [1, 0], offset: 0, storage: 0 };
    const plan = { path: at('file'), descriptor, fileBytes: 16, storages: [storage], parts: [[wide]] };
    const [state] = await addon.readState(plan);
    fs.closeSync(descriptor);
    const places = Float64Array.from(place([0], [2, 2], [1, 0]));
    const { storages } = await addon.layOut(state, { storages: Float64Array.of(16), dtypes: ['float32'], places });
    assert.deepEqual([...new Float32Array(addon.stateTensor(storages, 0))], [1, 2, 0, 0]);
  });

  it('displaces a tensor that has other values than another where both share memory', async () => {
    const weight = floats('weight', [2, 2], [1, 2, 3, 4]);
    const [turned, other] = [floats('turned', [2, 2], [1, 3, 2, 4]), floats('turned', [2, 2], [1, 3, 2, 5])];
    const places = [place([0], [2, 2], [2, 1], 1), place([1], [2, 2], [1, 2], 1)];
    assert.deepEqual(await numbers([weight, turned], [20], places), [[0, 1, 2, 3, 4]]);
    const { bytes, displaced } = await laidOut([weight, other], [20], places);
    assert.deepEqual(displaced, [1]);
    assert.deepEqual(
      bytes.map((buffer) => [...new Float32Array(buffer)]),
      [
        [0, 1, 2, 3, 4],
        [1, 2, 3, 5],
      ],
    );
    // Tensors without elements between them take nothing.
    const between = [places[0], place([1], [0, 3], [3, 1], 5), place([2], [2, 2], [1, 2], 1)];
    assert.deepEqual((await laidOut([weight, floats('none', [0, 3], []), other], [20], between)).displaced, [2]);
    // Nothing of a displaced tensor stays, so that the next one is compared with those that are there.
    const three = [...places, place([2], [1], [1], 4)];
    const last = floats('last', [1], [4]);
    assert.deepEqual((await laidOut([weight, other, last], [20], three)).displaced, [1]);
  });

  it('puts every dtype by its bits', async () => {
    const all = {
      ...{ uint8: 1, bool: 1, float8_e4m3fn: 1, bfloat16: 2, float16: 2, uint16: 2, int32: 4, complex32: 4 },
      ...{ float64: 8, int64: 8, complex64: 8, complex128: 16 },
    };
    for (const [dtype, width] of Object.entries(all)) {
      const bytes = Uint8Array.from({ length: 2 * width }, (_, i) => (dtype === 'bool' ? i % 2 : 255 - i));
      const tensor = { name: 'x', dtype, shape: [2], bytes };
      const { bytes: found } = await laidOut([tensor], [4 * width], [place([0], [2], [2], 1)], [dtype]);
      const expected = new Uint8Array(4 * width);
      expected.set(bytes.subarray(0, width), width);
      expected.set(bytes.subarray(width), 3 * width);
      assert.deepEqual(new Uint8Array(found[0]), expected, dtype);
    }
  });

  it('puts nothing for tensors without elements, and takes one element of shape [1] for one of shape []', async () => {
    assert.deepEqual(await numbers([floats('none', [0, 3], [])], [0, 4], [place([0], [0, 3], [3, 1], 5)]), [[], [0]]);
    assert.deepEqual(await numbers([floats('count', [1], [5])], [8], [place([0], [], [], 1)]), [[0, 5]]);
    assert.deepEqual(await numbers([floats('count', [1], [5])], [4], [place([0], [], [])]), [[5]]);
  });
});
