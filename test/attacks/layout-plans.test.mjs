// Tests the addon with layouts and files that lib/pt2/ would never plan: it must check everything that they say about a state.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import native from '../../dist/native/native.js';
import { temporaryFolder } from '../support.mjs';

const most = Number.MAX_SAFE_INTEGER;
const tensor = { name: 'weight', dtype: 'float32', shape: [2, 2], bytes: new Uint8Array(16) };
const place = ({ storage = 0, offset = 0, axes, shape = [2, 2], stride = [2, 1], count, tensors = [0] } = {}) => [
  ...[storage, offset, axes ?? shape.length, ...shape, ...stride, count ?? tensors.length],
  ...tensors,
];

/** By error: changes of a valid plan for a state of one tensor of four numbers. `place` replaces the numbers of its place. */
const layouts = {
  'a storage of fewer than no bytes': { storages: [16, -1] },
  'a storage of half a byte': { storages: [16.5] },
  'a storage that is larger than any memory': { storages: [most] },
  'no storages': { storages: [] },
  'a storage that is too small': { storages: [15] },
  'storages that are no Float64Array': { typed: { storages: [16] } },
  'places that are no Float64Array': { typed: { places: place() } },
  'no places': { typed: { places: new Float64Array(0) } },
  'no dtypes': { typed: { dtypes: undefined } },
  'an unknown dtype': { dtypes: ['float33'] },
  'another dtype than the tensor': { dtypes: ['int32'] },
  'another width than the tensor': { dtypes: ['complex128'] },
  'a storage that is not there': { place: { storage: 1 } },
  'storage -1': { place: { storage: -1 } },
  'a place that begins before its storage': { place: { offset: -1 } },
  'a place that ends after its storage': { place: { offset: 1 } },
  'an offset that overflows': { place: { offset: most } },
  'a stride that goes back': { place: { stride: [-2, 1] } },
  'strides that reach too far': { place: { stride: [3, 1] } },
  'strides whose sum overflows': { place: { shape: [3000, 3000], stride: [most, most] } },
  'sizes whose product overflows': { place: { shape: [most, most, most], stride: [0, 0, 0] } },
  'a size below 0': { place: { shape: [-1, -4] } },
  'another shape than the tensor': { place: { shape: [4, 1], stride: [1, 1] } },
  'more sizes than the tensor': { place: { shape: [2, 2, 1], stride: [2, 1, 1] } },
  'fewer axes than none': { place: { axes: -1 } },
  'more axes than numbers': { place: { axes: 2 ** 50 } },
  'a hundred axes': { place: { shape: Array(100).fill(1), stride: Array(100).fill(1) } },
  'no tensor': { place: { tensors: [] } },
  'fewer tensors than none': { place: { count: -1 } },
  'more tensors than numbers': { place: { count: most } },
  'a tensor that is not there': { place: { tensors: [1] } },
  'tensor -1': { place: { tensors: [-1] } },
  'an index that is NaN': { place: { tensors: [Number.NaN] } },
  'an index that is infinite': { place: { tensors: [Number.POSITIVE_INFINITY] } },
  'half an index': { place: { tensors: [0.5] } },
  'fewer places than dtypes': { dtypes: ['float32', 'float32'] },
  'more places than dtypes': { dtypes: [] },
};

/** By error: changes of a valid plan for a file with one record of that state. */
const files = {
  'a storage that is not there': { contents: [1] },
  'storage -1': { contents: [-1] },
  'half a storage': { contents: [0.5] },
  'a storage that is NaN': { contents: [Number.NaN] },
  'a content that is a text': { contents: ['weight'] },
  'a content that is another typed array': { contents: [new Float32Array(1)] },
  'a content that is None': { contents: [null] },
  'fewer contents than names': { contents: [] },
  'more contents than names': { contents: [0, 0] },
  'a name that is a number': { names: [1] },
  'a name that no zip file can hold': { names: ['x'.repeat(70_000)] },
  'no names': { names: undefined },
};

describe('the addon', () => {
  const temporary = temporaryFolder();
  const addon = native.native();
  const state = addon.makeState([tensor]);

  const layOut = ({ storages = [16], dtypes = ['float32'], place: changes, typed }) =>
    addon.layOut(state, {
      storages: Float64Array.from(storages),
      dtypes,
      places: Float64Array.from(place(changes)),
      ...typed,
    });

  const refused = ({ code, message }) => {
    assert.match(String(code), /^ERR_(STATE_FORMAT|STATE_MISMATCH|INVALID_OPTION|OUT_OF_MEMORY)$/, message);
    return true;
  };

  it('lays a state out by a valid plan', async () => {
    const { storages, displaced } = await layOut({});
    assert.equal(addon.stateTensor(storages, 0).byteLength, 16);
    assert.deepEqual(displaced, []);
  });

  for (const [what, changes] of Object.entries(layouts))
    it(`refuses a layout with ${what}`, () => assert.rejects(async () => layOut(changes), refused));

  it('refuses a layout of what is no state, and one that is no plan', async () => {
    for (const call of [() => addon.layOut({}, {}), () => addon.layOut(state), () => addon.layOut(state, 1)])
      await assert.rejects(async () => call(), { code: 'ERR_INVALID_OPTION' });
  });

  for (const [what, changes] of Object.entries(files))
    it(`refuses to write a file with ${what}, and creates none`, async () => {
      const path = temporary('file.zip');
      const plan = { path, mode: 0o600, archive: 'a', names: ['x'], contents: [0], ...changes };
      await assert.rejects(async () => addon.writeState([state], plan), { code: 'ERR_INVALID_OPTION' });
      assert.ok(!fs.existsSync(path));
    });
});
