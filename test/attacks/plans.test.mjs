// Tests the addon with plans that lib/checkpoint/ would never make: it must check everything they say about a file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import native from '../../dist/native/native.js';
import { temporaryFolder } from '../support.mjs';

const most = Number.MAX_SAFE_INTEGER;
const storage = (changes) => ({ offset: 4, bytes: 16, bigEndian: false, crc32: -1, ...changes });
const tensor = (changes) => ({
  ...{ name: 'weight', dtype: 'float32', shape: [2, 2], stride: [2, 1], offset: 0, storage: 0 },
  ...changes,
});

/** By error: changes of a valid plan for a file of 20 bytes. */
const plans = {
  'a file of another size': { fileBytes: 24 },
  'no descriptor': { descriptor: undefined },
  'a descriptor that is not open': { descriptor: 9999 },
  'a descriptor below 0': { descriptor: -1 },
  'a descriptor beyond all': { descriptor: 2 ** 40 },
  'a storage past the file': { storages: [storage({ offset: 20 })] },
  'a storage that reaches past the file': { storages: [storage({ bytes: 20 })] },
  'a storage before the file': { storages: [storage({ offset: -4 })] },
  'a storage of fewer than no bytes': { storages: [storage({ bytes: -16 })] },
  'a storage whose end overflows': { storages: [storage({ offset: most, bytes: most })] },
  'storages that are more than the file': { storages: [storage(), storage()] },
  'fewer unpacked bytes than it says': { storages: [storage({ unpacked: new Uint8Array(15) })] },
  'more unpacked bytes than it says': { storages: [storage({ unpacked: new Uint8Array(17) })] },
  'a wrong checksum': { storages: [storage({ crc32: 7 })] },
  'a tensor without a storage': { storages: [] },
  'a tensor in another storage than there are': { parts: [[tensor({ storage: 1 })]] },
  'a tensor in storage -1': { parts: [[tensor({ storage: -1 })]] },
  'a tensor that reaches too far': { parts: [[tensor({ offset: 1 })]] },
  'a tensor that begins before its storage': { parts: [[tensor({ offset: -1 })]] },
  'a stride that goes back': { parts: [[tensor({ stride: [-2, 1] })]] },
  'a size below 0': { parts: [[tensor({ shape: [-1, -4] })]] },
  'strides whose sum overflows': { parts: [[tensor({ stride: [most, most], shape: [3000, 3000] })]] },
  'sizes whose product overflows': { parts: [[tensor({ shape: [most, most, most], stride: [0, 0, 0] })]] },
  'more strides than sizes': { parts: [[tensor({ stride: [2, 1, 1] })]] },
  'a hundred dimensions': { parts: [[tensor({ shape: Array(100).fill(1), stride: Array(100).fill(1) })]] },
  'a dtype that is wider than its storage': { parts: [[tensor({ dtype: 'complex128' })]] },
  'an unknown dtype': { parts: [[tensor({ dtype: 'float33' })]] },
  'two dtypes in big-endian bytes': {
    storages: [storage({ bigEndian: true })],
    parts: [[tensor(), tensor({ name: 'other', dtype: 'int16' })]],
  },
  'a size that is not an integer': { parts: [[tensor({ shape: [1.5, 2] })]] },
  'a size that is not a number': { parts: [[tensor({ shape: ['2', 2] })]] },
  'a tensor that is a text': { parts: [['weight']] },
  'a storage that is None': { storages: [null] },
  'no list of tensors': { parts: [undefined] },
};

describe('the addon', () => {
  const temporary = temporaryFolder();
  const file = () => {
    fs.writeFileSync(
      temporary('file'),
      Buffer.concat([Buffer.from('head'), Buffer.from(new Float32Array([1, 2, 3, 4]).buffer)]),
    );
    return temporary('file');
  };
  const read = async (changes) => {
    const path = file();
    const descriptor = fs.openSync(path);
    try {
      const plan = { path, descriptor, fileBytes: 20, storages: [storage()], parts: [[tensor()]], ...changes };
      return native.native().readState(plan);
    } finally {
      // The addon reads through its own descriptor.
      fs.closeSync(descriptor);
    }
  };

  it('reads by a valid plan', async () => {
    const [handle] = await read({});
    assert.deepEqual([...new Float32Array(native.native().stateTensor(handle, 0))], [1, 2, 3, 4]);
    assert.throws(() => native.native().stateTensor(handle, 1), { code: 'ERR_INVALID_OPTION' });
    assert.throws(() => native.native().stateTensor(handle, -1), { code: 'ERR_INVALID_OPTION' });
  });

  for (const [what, changes] of Object.entries(plans)) {
    it(`refuses a plan with ${what}`, async () => {
      await assert.rejects(read(changes), ({ code, message }) => {
        assert.match(String(code), /^ERR_(STATE_FORMAT|FILE|INVALID_OPTION)$/, message);
        return true;
      });
    });
  }
});
