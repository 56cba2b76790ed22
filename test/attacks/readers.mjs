// Makes zip files in which two readers find different contents: PyTorch, which ignores case and the content of
// folders; Python's zipfile; tools that read from front to back; and tools that use the other one of two facts.
import { crc32 } from 'node:zlib';
import { call, checkpoint, join, p, pickle, records, tensor, u16, u32, zip } from '../unit/checkpoint-support.mjs';
import { descriptor, dict, end64, entry, extra64, four, legacy, pickled, safetensors } from './build.mjs';

const other = Buffer.from(new Float32Array([9, 8, 7, 6]).buffer);
const code = pickle(call('os', 'system', p.text('touch canary')));
const otherPickle = pickle(null, [p.text('other'), tensor()]);
const changed = (index, changes) => zip(records().map(([name, data], i) => [name, data, i === index ? changes : {}]));
const beside = (...more) => zip([...records(), ...more]);

/** A record as it is in the file before the directory. */
const localOf = (record) => {
  const file = zip([record]);
  return file.subarray(0, file.indexOf('PK\x01\x02'));
};

/** A storage with two ZIP64 offsets: its own, and that of a record hidden before another one. */
function twoOffsets(order) {
  const hidden = localOf(['x/data/0', other]);
  const [first, second, third, last] = records();
  const start = localOf(first).length;
  const real = start + hidden.length + localOf(second).length;
  const offsets = order === 'real first' ? [real, start] : [start, real];
  const extra = join(extra64(offsets[0]), extra64(offsets[1]));
  const crc = offsets[1] === start ? crc32(other) : crc32(four);
  const changes = { offset: 0xffffffff, extra, crc };
  return zip([first, [...second, { before: hidden }], [...third, changes], last]);
}

/** A zip whose comment is another zip, which ends a few bytes before the file does. */
function inComment(otherData) {
  const good = checkpoint();
  const inner = Buffer.from(zip([['x/data.pkl', otherData], ...records().slice(1)]));
  const move = (at) => inner.writeUInt32LE(inner.readUInt32LE(at) + good.length, at);
  for (let at = inner.indexOf('PK\x01\x02'); at >= 0; at = inner.indexOf('PK\x01\x02', at + 1)) move(at + 42);
  const end = inner.length - 22;
  move(end + 16);
  inner.writeUInt16LE(7, end + 20);
  return join(good.subarray(0, -2), u16(inner.length + 3), inner, 'end');
}

const unicodePath = (crcOf, path) => join(u16(0x7075), u16(5 + path.length), [1], u32(crc32(Buffer.from(crcOf))), path);
const described = (index, after) => changed(index, { flags: 8, localFlags: 8, localSize: 0, localCrc: 0, after });

/** `file` with the first header of a tar archive among its bytes: a checksum in octal digits. */
function asTar(file) {
  const bytes = Buffer.from(file);
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}  `, 148, 'latin1');
  return bytes;
}

const room = ' '.repeat(600);

export const hostile = {
  'a legacy stream that is a tar archive too': [
    asTar(legacy({ system: pickled(dict(p.text('little_endian'), p.true, p.text('x'), p.text(room))) })),
    /is a tar archive too/,
  ],
  'a safetensors file that is a tar archive too': [
    asTar(safetensors({ __metadata__: { x: room }, weight: entry() })),
    /is a tar archive too/,
  ],
  'a pickle of other weights in capitals': [
    zip([['x/DATA.PKL', otherPickle], ...records()]),
    /DATA\.PKL differs in case/,
  ],
  'a pickle of code in capitals': [zip([['x/DATA.PKL', code], ...records()]), /DATA\.PKL differs in case/],
  'a storage in capitals': [zip([['x/DATA/0', other], ...records()]), /DATA\/0 occurs twice, in names that differ/],
  'a storage in capitals after its twin': [beside(['x/Data/0', other]), /Data\/0 occurs twice/],
  'two storages of mixed case': [beside(['x/data/aB', four], ['x/data/Ab', four]), /data\/Ab occurs twice/],
  'a byte order in capitals': [beside(['x/BYTEORDER', 'big']), /BYTEORDER differs in case/],
  'a byte order in capitals alone': [
    zip(records().toSpliced(1, 1, ['x/ByteOrder', 'big'])),
    /ByteOrder differs in case from byteorder/,
  ],
  'a version in capitals': [beside(['x/.data/VERSION', '3']), /VERSION differs in case/],
  'the mark of a program in capitals': [beside(['x/Constants.pkl', '']), /Constants\.pkl differs in case/],
  'a byte order with a line feed': [zip(records().toSpliced(1, 1, ['x/byteorder', 'little\n'])), /little or big/],
  'two versions that disagree': [beside(['x/.data/version', '4\n']), /version and \.data\/version disagree/],

  'two ZIP64 offsets, the second of a hidden record': [twoOffsets('real first'), /data\/0 has two ZIP64 fields/],
  'two ZIP64 offsets, the first of a hidden record': [twoOffsets('hidden first'), /data\/0 has two ZIP64 fields/],
  'a ZIP64 field that contradicts the sizes': [changed(2, { extra: extra64(12, 12) }), /ZIP64 field that contradicts/],
  'a ZIP64 offset after sizes that are not needed': [
    changed(2, { offset: 0xffffffff, extra: extra64(16, 16, 7) }),
    /ZIP64 field that contradicts/,
  ],
  'a ZIP64 field of four values': [
    changed(2, { size: 0xffffffff, stored: 0xffffffff, extra: extra64(16, 16, 7, 7) }),
    /ZIP64 field that contradicts/,
  ],
  'a ZIP64 end record of two counts': [zip(records(), { end64: end64({ entriesHere: 9 }) }), /disagree/],
  'a ZIP64 end record of another size': [
    (() => {
      const file = Buffer.from(zip(records(), { end64: end64() }));
      file.writeUInt32LE(60, file.indexOf('PK\x06\x06') + 4);
      return file;
    })(),
    /not where it should be/,
  ],
  'another zip of other weights in the comment': [inComment(otherPickle), /comment holds another end record/],
  'another zip of code in the comment': [inComment(code), /comment holds another end record/],
  'the start of an end record in the comment': [
    zip(records(), { comment: 'PK\x05\x06' }),
    /comment holds another end record/,
  ],
  'a hidden record at the front': [
    zip(
      records().map(([name, data], i) => [name, data, i === 0 ? { before: localOf(['x/data.pkl', otherPickle]) } : {}]),
    ),
    /starts with a record that its directory does not list/,
  ],

  ...Object.fromEntries(
    ['pickle', 'byte order', 'storage', 'version'].map((what, i) => [
      `a ${what} that is marked as a folder`,
      [changed(i, { external: 0x10 }), /marked as a folder or a link/],
    ]),
  ),
  "a storage that is marked as Unix's folder": [changed(2, { external: 0x41ed0000 }), /marked as a folder or a link/],
  'a storage that is marked as a link': [changed(2, { external: 0xa1ff0000 }), /marked as a folder or a link/],
  'a folder with content': [beside(['x/data/', four]), /is a folder but has 16 bytes/],

  'a local header of another size': [changed(2, { localSize: 12 }), /does not agree/],
  'a local header of another checksum': [changed(2, { localCrc: 7 }), /does not agree/],
  'a local header of missing ZIP64 sizes': [changed(2, { localSize: 0xffffffff }), /does not agree/],
  'a local header of other ZIP64 sizes': [
    changed(2, { localSize: 0xffffffff, localExtra: extra64(12, 12) }),
    /does not agree/,
  ],
  'a descriptor of another size': [described(2, descriptor(other.subarray(0, 8))), /descriptor of record x\/data\/0/],
  'a descriptor of another checksum': [described(2, descriptor(other)), /descriptor of record x\/data\/0/],
  'a patched record': [changed(2, { flags: 0x20, localFlags: 0x20 }), /encrypted/],

  'a name that steps nowhere': [beside(['x/./data/0', other]), /unsafe name/],
  'a name with an empty step': [beside(['x//data/0', other]), /unsafe name/],
  'another Unicode path': [changed(2, { extra: unicodePath('x/data/0', 'x/data/9') }), /data\/0 has a second name/],
  'a Unicode path of another name': [
    changed(2, { extra: unicodePath('x/data/9', 'x/data/0') }),
    /data\/0 has a second name/,
  ],
  'names in two encodings': [
    zip(records().map(([name, data], i) => [name.replace('x/', 'größe/'), data, { flags: i === 2 ? 0x800 : 0 }])),
    /named in another encoding/,
  ],
};

export const benign = {
  'a legacy stream with digits where a tar archive has its checksum': [
    legacy({ system: pickled(dict(p.text('little_endian'), p.true, p.text('x'), p.text('0'.repeat(600)))) }),
  ],
  'capitals in a name that has no twin': [beside(['x/extra/README', 'text'])],
  'a ZIP64 field that repeats the offset': [
    changed(0, { size: 0xffffffff, stored: 0xffffffff, extra: extra64(pickle().length, pickle().length, 0) }),
  ],
  'a ZIP64 field that repeats all': [changed(0, { extra: extra64(pickle().length, pickle().length, 0) })],
  "Unix's files": [zip(records().map(([name, data]) => [name, data, { external: 0x81a40000 }]))],
  'the same Unicode path': [changed(2, { extra: unicodePath('x/data/0', 'x/data/0') })],
  'names that are marked as UTF-8': [
    zip(records().map(([name, data]) => [name.replace('x/', 'größe/'), data, { flags: 0x800 }])),
  ],
  'a local header of ZIP64 sizes': [changed(2, { localSize: 0xffffffff, localExtra: extra64(16, 16) })],
  'descriptors of wide sizes': [
    described(
      2,
      join(descriptor(four).subarray(0, 8), Buffer.from([16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0])),
    ),
  ],
  'two versions that agree': [beside(['x/.data/version', '3\n'])],
};
