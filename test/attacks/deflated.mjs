// Makes compressed records: broken ones, ones with wrong sizes, and bombs; and zip files of very many records.
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { join, p, pickle, records, storage, tensor, zip } from '../unit/checkpoint-support.mjs';
import { deflated, end64, four } from './build.mjs';

const replaced = (index, ...record) => zip(records().toSpliced(index, 1, ...record));
const mebibyte = deflateRawSync(Buffer.alloc(2 ** 20), { level: 9, finishFlush: constants.Z_FULL_FLUSH });

/** Data that inflates to `size` zeros (whole mebibytes), about a thousandth of that size. */
const bomb = (name, size, changes = {}) => [
  name,
  join(Array(size / 2 ** 20).fill(mebibyte), [3, 0]),
  { method: 8, localMethod: 8, crc: crc32(Buffer.alloc(size)), size, ...changes },
];
const bombed = (size, changes) =>
  zip([['x/data.pkl', pickle(tensor({ shape: [], stride: [] }))], bomb('x/data/0', size, changes), ['x/version', '3']]);
const packed = deflateRawSync(four);
const swollen = (count, size) => {
  const [, zeros, changes] = bomb('', size);
  const numel = size / 4;
  const one = (key) => tensor({ from: storage({ key, numel }), shape: [numel], stride: [1] });
  const keys = Array.from({ length: count }, (_, i) => String(i));
  return zip([
    [
      'x/data.pkl',
      pickle(
        null,
        keys.map((key) => [p.text(`t${key}`), one(key)]),
      ),
    ],
    ...keys.map((key) => [`x/data/${key}`, zeros, changes]),
    ['x/version', '3'],
  ]);
};

export const hostile = {
  'a deflated record that is not deflate': [
    replaced(2, ['x/data/0', 'not deflated', { method: 8, localMethod: 8, size: 16, crc: crc32(four) }]),
    /data\/0/,
  ],
  'a deflated record that is cut': [
    replaced(2, ['x/data/0', packed.subarray(0, -3), { method: 8, localMethod: 8, size: 16, crc: crc32(four) }]),
    /data\/0/,
  ],
  'a deflated record that is larger than it says': [
    replaced(2, ['x/data/0', deflateRawSync(Buffer.alloc(64)), { method: 8, localMethod: 8, size: 16, crc: 0 }]),
    /data\/0/,
  ],
  'a deflated record that is smaller than it says': [
    replaced(2, ['x/data/0', deflateRawSync(Buffer.alloc(8)), { method: 8, localMethod: 8, size: 16, crc: 0 }]),
    /data\/0/,
  ],
  'a deflated record of a wrong checksum': [replaced(2, deflated(['x/data/0', four, { crc: 7 }])), /checksum/],
  'a deflated pickle of a wrong checksum': [replaced(0, deflated(['x/data.pkl', pickle(), { crc: 7 }])), /checksum/],
  'a deflated pickle of 1 GB': [() => zip([bomb('x/data.pkl', 2 ** 30), ['x/version', '3']]), /larger than|data\.pkl/],
  'a deflated pickle that is 1 GB and says 100 bytes': [
    () => zip([bomb('x/data.pkl', 2 ** 30, { size: 100 }), ['x/version', '3']]),
    /data\.pkl/,
  ],
  'a deflated pickle that says 4 GB': [
    zip([
      ['x/data.pkl', packed, { method: 8, localMethod: 8, crc: 0, size: 0xfffffff0 }],
      ['x/version', '3'],
    ]),
    /data\.pkl/,
  ],
  'a deflated byte order of 100 MB': [() => replaced(1, bomb('x/byteorder', 100 * 2 ** 20)), /byteorder/],
  'a deflated tensor that says more than deflate can make': [
    zip([
      ['x/data.pkl', pickle(tensor({ shape: [], stride: [] }))],
      ['x/data/0', packed, { method: 8, localMethod: 8, crc: 0, size: 2 ** 31 }],
      ['x/version', '3'],
    ]),
    /data\/0/,
  ],
  'twelve deflated tensors of 100 MB in a file of 1 MB': [
    () => swollen(12, 100 * 2 ** 20),
    /compressed tensors are larger/,
    'ERR_STATE_FORMAT',
    { slow: true },
  ],
  'a deflated tensor of 1 GB, of which 16 bytes are used': [() => bombed(2 ** 30), /data\/0|elements/],
};

export const benign = {
  'a deflated pickle': [replaced(0, deflated(['x/data.pkl', pickle()]))],
  'a deflated tensor': [replaced(2, deflated(['x/data/0', four]))],
  'a deflated tensor with data after its end': [
    replaced(2, ['x/data/0', join(packed, 'junk'), { method: 8, localMethod: 8, size: 16, crc: crc32(four) }]),
  ],
  'everything deflated': [zip(records().map(deflated))],
  'deflated records with descriptors': [
    zip(
      records()
        .map(deflated)
        .map(([name, data, changes]) => [name, data, { ...changes, flags: 8, localFlags: 8, localSize: 0 }]),
    ),
  ],
  'a list of two tensors that are deflated and shared': [
    zip([
      ['x/data.pkl', pickle(null, [p.text('a'), tensor(), p.text('b'), tensor({ shape: [], stride: [], offset: 2 })])],
      deflated(['x/data/0', four]),
      ['x/version', '3'],
    ]),
    { a: ['float32', [2, 2], [1, 2, 3, 4]], b: ['float32', [], [3]] },
  ],
};

export const bounded = {
  'a hundred thousand records': [
    () => zip([...records(), ...Array.from({ length: 100_000 }, (_, i) => [`x/extra/${i}`, ''])], { end64: end64() }),
  ],
  'twenty thousand tensors in records of their own': [
    () => {
      const keys = Array.from({ length: 20_000 }, (_, i) => String(i));
      const one = (key) => [p.text(`t${key}`), tensor({ from: storage({ key }) })];
      const data = keys.map((key) => [`x/data/${key}`, four]);
      return zip([['x/data.pkl', pickle(null, keys.map(one))], ['x/version', '3'], ...data]);
    },
  ],
};
