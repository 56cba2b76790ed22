import { checkpoint, join, pickle, records, u16, u32, u64, zip } from '../unit/checkpoint-support.mjs';
import { descriptor, end64, extra64, four } from './build.mjs';

/** The good checkpoint with changes of one record: 0 data.pkl, 1 byteorder, 2 data/0, 3 version. */
const changed = (index, changes) => zip(records().map(([name, data], i) => [name, data, i === index ? changes : {}]));
const replaced = (index, ...record) => zip(records().toSpliced(index, 1, ...record));
const good = checkpoint();
const patched = (at, ...parts) => {
  const bytes = Buffer.from(good);
  join(parts).copy(bytes, at < 0 ? good.length + at : at);
  return bytes;
};

const methods = {
  1: 'shrunk',
  6: 'imploded',
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'xz',
  99: 'AES',
};
const names = {
  'climbs out': '../data.pkl',
  'climbs out from inside': 'x/../../data.pkl',
  'starts at the root': '/x/data.pkl',
  'has a backslash': 'x\\data.pkl',
  'starts with a drive and has a backslash': 'C:\\x\\data.pkl',
  'has a NUL': 'x/data.pkl\0.txt',
  'is empty': '',
  'is of 5,000 bytes': `x/${'n'.repeat(5000)}`,
};

export const hostile = {
  'a zip cut in its directory': [good.subarray(0, -60), /no directory at its end/],
  'a zip cut in its last byte': [good.subarray(0, -1), /no directory at its end/],
  'a zip cut in a record': [good.subarray(0, 90), /no directory at its end/],
  'the first four bytes of a zip': [good.subarray(0, 4), /no directory at its end/],
  'a zip without records': [zip([]), /no known kind/],
  'a zip followed by junk': [join(good, 'junk'), /no directory at its end/],
  'a zip after junk': [join('junk', good), /no known kind/],
  'a zip after another zip': [join(good, good), /does not end where|overlap|directory/],
  'junk before the directory': [zip(records(), { junk: 'junk', directoryStart: good.length - 22 }), /directory/],
  'a comment that is longer than the file': [patched(-2, u16(500)), /no directory at its end/],
  'a comment that is shorter than what follows': [
    join(good.subarray(0, -2), u16(2), 'junk'),
    /no directory at its end/,
  ],
  'a comment that holds another end record': [
    zip(records(), { comment: Buffer.from(join(u32(0x06054b50), Buffer.alloc(16), u16(0))).toString('latin1') }),
    /directory/,
  ],
  'a zip in several parts': [zip(records(), { disk: 1 }), /several parts/],
  'a record in another part': [changed(2, { disk: 1 }), /another part/],
  'a count that differs by part': [patched(-14, u16(9)), /several parts/],
  'more records than the directory has room for': [zip(records(), { count: 5000 }), /too small for 5000/],
  'fewer records than the directory holds': [zip(records(), { count: 3 }), /more than its records/],
  'no records, says the end record': [zip(records(), { count: 0 }), /more than its records/],
  'a directory that starts elsewhere': [zip(records(), { directoryStart: 3 }), /does not end where/],
  'a directory that starts past the file': [zip(records(), { directoryStart: 0xfffffff0 }), /does not end where/],
  'a directory of 4 GB': [zip(records(), { directoryBytes: 0xfffffff0 }), /does not end where/],
  'a directory whose entries have a wrong mark': [patched(good.indexOf('PK\x01\x02'), 'PK\x01\x03'), /entry 0/],
  'a name longer than the directory': [patched(good.lastIndexOf('PK\x01\x02') + 28, u16(0xffff)), /cut/],

  'a ZIP64 end with another count': [zip(records(), { end64: end64({ entries: 9 }) }), /disagree|too small/],
  'a ZIP64 end with a count of 2**63': [
    zip(records(), { count: 0xffff, end64: end64({ entries: 2n ** 63n }) }),
    /too large|disagree/,
  ],
  'a ZIP64 end with two counts': [zip(records(), { end64: end64({ entriesHere: 9 }) }), /disagree/],
  'a ZIP64 end with another start': [zip(records(), { end64: end64({ start: 9 }) }), /disagree/],
  'a ZIP64 end with another size': [zip(records(), { end64: end64({ bytes: 2n ** 40n }) }), /disagree/],
  'a ZIP64 end that is elsewhere': [zip(records(), { end64: end64({ at: 1 }) }), /not where it should be/],
  'a ZIP64 end past the file': [zip(records(), { end64: end64({ at: 2n ** 63n }) }), /not where it should be/],
  'a ZIP64 end with a wrong mark': [zip(records(), { end64: end64({ magic: 7 }) }), /not where it should be/],
  'a ZIP64 end in another part': [zip(records(), { end64: end64({ disk: 1 }) }), /several parts/],
  'a ZIP64 end of two parts': [zip(records(), { end64: end64({ disks: 2 }) }), /several parts/],
  'a ZIP64 size that is missing': [changed(2, { size: 0xffffffff }), /64-bit size/],
  'a ZIP64 field that is cut': [changed(2, { size: 0xffffffff, extra: join(u16(1), u16(16), u64(16)) }), /cut/],
  'a ZIP64 field of one byte': [changed(2, { size: 0xffffffff, extra: join(u16(1), u16(1), [0]) }), /64-bit size/],
  'a ZIP64 size beyond exact numbers': [
    changed(2, { size: 0xffffffff, stored: 0xffffffff, extra: extra64(2n ** 64n - 1n, 2n ** 64n - 1n) }),
    /outside the file/,
  ],
  'a ZIP64 offset beyond exact numbers': [
    changed(2, { offset: 0xffffffff, extra: extra64(2n ** 64n - 16n) }),
    /outside the file|overlap/,
  ],

  'an encrypted record': [changed(2, { flags: 1 }), /encrypted/],
  'a strongly encrypted record': [changed(2, { flags: 0x41 }), /encrypted/],
  'an encrypted directory': [changed(2, { flags: 0x2000 }), /encrypted/],
  ...Object.fromEntries(
    Object.entries(methods).map(([method, name]) => [
      `a record that is ${name}`,
      [changed(2, { method: Number(method), localMethod: Number(method) }), new RegExp(`data/0 .*${method}`)],
    ]),
  ),
  'a record outside the file': [changed(2, { offset: 0xfffffff0 }), /outside the file/],
  'a record inside the directory': [changed(2, { offset: good.indexOf('PK\x01\x02') }), /overlap|outside/],
  'a record larger than the file': [changed(2, { size: 0x7fffffff, stored: 0x7fffffff }), /outside the file/],
  'two sizes for one stored record': [changed(2, { stored: 3 }), /3 bytes/],
  'records at one place': [changed(2, { offset: 0 }), /overlap/],
  'a record inside another': [
    zip([...records().slice(0, 3), ['x/data/1', zip(records()).subarray(0, 60)], ['x/version', '3', { offset: 300 }]]),
    /overlap|agree/,
  ],
  'a local header that is not one': [changed(2, { offset: 1, size: 1, stored: 1 }), /overlap|agree/],
  'a local header of another name': [changed(2, { localName: 'x/data/1' }), /agree/],
  'a local header of a longer name': [changed(2, { localName: 'x/data/00' }), /agree|overlap/],
  'a local header of another method': [changed(2, { localMethod: 8 }), /agree/],
  'a local header that is encrypted': [changed(2, { localFlags: 1 }), /agree/],
  'a local header whose field reaches over the next': [
    patched(good.indexOf('PK\x03\x04', 100) + 28, u16(0x7000)),
    /overlap|agree/,
  ],
  ...Object.fromEntries(
    Object.entries(names).map(([what, name]) => [`a name that ${what}`, [zip([[name, pickle()]]), /unsafe name/]]),
  ),
  'a name with a NUL, of a record that is not needed': [zip([...records(), ['x/not\0needed', '']]), /unsafe name/],
  'a name that is not UTF-8': [zip([[Buffer.from([0x78, 0x2f, 0xff]), '']]), /unsafe name/],
  'a name with escape sequences': [zip([...records(), ['\x1b[2J\x9b31m/x', 'y']]), /\\u001b.*top folder/],
  'a compressed name with escape sequences': [
    zip([...records(), ['x/\x1b[2J\r\n', 'y', { method: 12, localMethod: 12 }]]),
    /\\u001b.*compressed/,
  ],
  'records in two folders': [zip([...records(), ['y/data/1', '']]), /top folder/],
  'a record without a folder': [zip([['data.pkl', pickle()]]), /top folder/],
  'data.pkl twice': [zip([...records(), ['x/data.pkl', pickle()]]), /data\.pkl occurs twice/],
  'a storage twice': [zip([...records(), ['x/data/0', four]]), /data\/0 occurs twice/],
  'a version twice': [zip([...records(), ['x/version', '3']]), /version occurs twice/],
  'no data.pkl': [zip(records().slice(1)), /without data\.pkl/],
  'a data.pkl that is a folder': [zip(records().toSpliced(0, 1, ['x/data.pkl/', ''])), /without data\.pkl/],

  'a wrong checksum of the pickle': [changed(0, { crc: 1 }), /checksum/],
  'a wrong checksum of a tensor': [changed(2, { crc: 1 }), /checksum/],
  'a wrong checksum of the byte order': [changed(1, { crc: 1 }), /checksum/],
  'a version of the future': [replaced(3, ['x/version', '11\n']), /from 1 to 10/],
  'a version of 0': [replaced(3, ['x/version', '0']), /from 1 to 10/],
  'a version that is not a number': [replaced(3, ['x/version', '3 or so']), /from 1 to 10/],
  'no version': [replaced(3), /version/],
  'a version of a megabyte': [replaced(3, ['x/version', Buffer.alloc(2 ** 20, '3')]), /larger than/],
  'an unknown byte order': [replaced(1, ['x/byteorder', 'middle']), /little or big/],
  'no byte order, though it is there': [replaced(1, ['x/byteorder', '']), /little or big/],
};

const withDescriptors = zip(
  records().map(([name, data]) => [name, data, { flags: 8, localFlags: 8, localSize: 0, after: descriptor(data) }]),
);
const padding = (bytes) => join('FB', u16(bytes), Buffer.alloc(bytes, 'Z'));

export const benign = {
  'a comment': [zip(records(), { comment: 'made by hand' })],
  'a comment of 65,535 bytes': [zip(records(), { comment: 'c'.repeat(65535) })],
  'ZIP64 end records': [zip(records(), { end64: end64() })],
  'a record of ZIP64 sizes': [changed(2, { size: 0xffffffff, stored: 0xffffffff, extra: extra64(16, 16) })],
  'a record of ZIP64 sizes after another field': [
    changed(2, { size: 0xffffffff, stored: 0xffffffff, extra: join(u16(0x5455), u16(1), [3], extra64(16, 16)) }),
  ],
  'no checksums': [zip(records().map(([name, data]) => [name, data, { crc: 0 }]))],
  'data descriptors': [withDescriptors],
  'padding in the local headers': [zip(records().map(([name, data]) => [name, data, { localExtra: padding(41) }]))],
  'records in another order': [zip(records().toReversed())],
  'records whose directory has another order': [reordered()],
  'room between the records': [changed(2, { before: Buffer.alloc(100) })],
  'entries for the folders': [zip([['x/', ''], ['x/data/', ''], ...records()])],
  'no byte order': [replaced(1)],
  'a version in .data': [replaced(3, ['x/.data/version', '3\n'])],
  'records that only PyTorch uses': [
    zip([
      ...records(),
      ['x/.format_version', '1'],
      ['x/.storage_alignment', '64'],
      ['x/.data/serialization_id', '0'.repeat(40)],
    ]),
  ],
  'a top folder of another name': [zip(records().map(([name, data]) => [name.replace('x/', 'größe 1/'), data]))],
};

/** The same records; their directory entries back to front. */
function reordered() {
  const start = good.indexOf('PK\x01\x02');
  const entries = good.subarray(start, -22).toString('latin1').split('PK\x01\x02').slice(1);
  const directory = entries.toReversed().map((entry) => Buffer.from(`PK\x01\x02${entry}`, 'latin1'));
  return join(good.subarray(0, start), directory, good.subarray(-22));
}
