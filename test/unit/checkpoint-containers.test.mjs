// Tests files that loadState must refuse before it reads their content: files of other formats, and zip files that
// are broken, truncated or misleading.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { LearnError, loadState } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';
import { checkpoint, join, pickle, records, refused, u32, u64, zip } from './checkpoint-support.mjs';

const fixture = fs.readFileSync(path.join(root, 'test/golden/checkpoints/sharing.pth'));
const changed = (index, changes) =>
  zip(records().map((record, i) => (i === index ? [record[0], record[1], changes] : record)));
const end64 = (change) => (facts) => {
  const { start, bytes, entries, at } = { ...facts, ...change };
  const record = [u32(0x06064b50), u64(44), u32(0), u32(0), u32(0), u64(entries), u64(entries), u64(bytes), u64(start)];
  return join(record, u32(0x07064b50), u32(0), u64(at), u32(1));
};

/** By description: the bytes of the file, and a pattern of the message. */
const cases = {
  'an empty file': ['', /empty/],
  'an HTML page': ['\n<!DOCTYPE html><html>', /an HTML page/],
  'a JSON answer': ['{"error": "not found"}', /a JSON text/],
  'a git-LFS pointer': ['version https://git-lfs.github.com/spec/v1\noid sha256:0', /git lfs pull/],
  'a plain pickle': [pickle(), /a plain pickle/],
  'a tar archive': [join(Buffer.alloc(257), 'ustar', Buffer.alloc(250)), /a tar archive/],
  'a gzip file': [gzipSync(checkpoint()), /gunzip/],
  'an HDF5 file': [Buffer.from('894844460d0a1a0a', 'hex'), /an HDF5 file/],
  'a GGUF file': ['GGUF\x03', /a GGUF file/],
  'an ONNX model': [Buffer.from('080812077079746f726368', 'hex'), /an ONNX model/],
  'a NumPy array': [Buffer.from('934e554d5059', 'hex'), /a NumPy array/],
  'nothing known': ['what is this?', /of no known kind.*77 68 61 74/],
  'a TorchScript archive': [
    zip([...records(), ['x/constants.pkl', '']]),
    /a module in data\.pkl of the TorchScript archive/,
  ],
  'an exported program': [zip([['x/archive_format', 'pt2']]), /an exported program.*loadModel\(\)/],
  'a zip of something else': [zip([['x/word/document.xml', '']]), /without data\.pkl.*document\.xml/],
  'an empty zip': [zip([]), /no known kind/],

  'a zip followed by junk': [join(checkpoint(), 'junk'), /no directory at its end/],
  'a zip in several parts': [zip(records(), { disk: 1 }), /one of several parts/],
  'more records than the directory has room for': [zip(records(), { count: 5000 }), /too small for 5000 records/],
  'fewer records than the directory holds': [zip(records(), { count: 3 }), /holds more than its records/],
  'a directory that starts elsewhere': [zip(records(), { directoryStart: 3 }), /does not end where/],
  'a ZIP64 end that disagrees': [zip(records(), { end64: end64({ entries: 9 }) }), /end records disagree/],
  'a ZIP64 end that is elsewhere': [zip(records(), { end64: end64({ at: 1 }) }), /not where it should be/],
  'an encrypted record': [changed(2, { flags: 1 }), /data\/0 is encrypted/],
  'a record compressed with bzip2': [changed(2, { method: 12 }), /data\/0 is compressed \(method 12\)/],
  'a record outside the file': [changed(2, { offset: 0xfffffff0 }), /data\/0 overlaps another or lies outside/],
  'a record larger than the file': [changed(2, { size: 0x7fffffff, stored: 0x7fffffff }), /lies outside the file/],
  'a ZIP64 size that is missing': [changed(2, { size: 0xffffffff }), /is missing a 64-bit size/],
  'a ZIP64 size beyond exact numbers': [
    changed(2, {
      size: 0xffffffff,
      stored: 0xffffffff,
      extra: join([1, 0, 16, 0], u64(2n ** 64n - 1n), u64(2n ** 64n - 1n)),
    }),
    /lies outside the file/,
  ],
  'two sizes for one record': [changed(2, { stored: 3 }), /stored in 3 bytes but has 16/],
  'records that overlap': [changed(2, { offset: 0 }), /overlap/],
  'a local header of another name': [changed(2, { localName: 'x/data/1' }), /does not agree/],
  'a local header of another method': [changed(2, { localMethod: 8 }), /does not agree/],
  'a local header that is encrypted': [changed(2, { localFlags: 1 }), /does not agree/],
  'a name that climbs out': [zip([['../data.pkl', '']]), /unsafe name/],
  'a name from the root': [zip([['/x/data.pkl', '']]), /unsafe name/],
  'a name with a NUL': [zip([['x/data.pkl\0', '']]), /unsafe name/],
  'a name that is not UTF-8': [zip([[Buffer.from([0x78, 0x2f, 0xff]), '']]), /unsafe name/],
  'records in two folders': [zip([...records(), ['y/data/1', '']]), /one top folder/],
  'a record without a folder': [zip([['data.pkl', pickle()]]), /one top folder/],
  'a record twice': [zip([...records(), ['x/data/0', '']]), /data\/0 occurs twice/],
  'a wrong checksum of the pickle': [changed(0, { crc: 1 }), /checksum of x\/data\.pkl is wrong/],
  'a wrong checksum of a tensor': [changed(2, { crc: 1 }), /checksum of the 16 bytes/],
  'a version of the future': [
    zip([...records().slice(0, 3), ['x/version', '11\n']]),
    /format version from 1 to 10 but found "11"/,
  ],
  'no version': [zip(records().slice(0, 3)), /format version/],
  'an unknown byte order': [
    zip([['x/data.pkl', pickle()], ['x/byteorder', 'middle'], ...records().slice(2)]),
    /little or big/,
  ],
  'a byteorder record of megabytes': [
    zip([
      ['x/data.pkl', ''],
      ['x/byteorder', Buffer.alloc(2 ** 20)],
      ['x/version', '3'],
    ]),
    /larger than 64/,
  ],
};

describe('a file that loadState refuses', () => {
  const temporary = temporaryFolder();

  it('differs only in one fact from one that it loads', async () => {
    fs.writeFileSync(temporary('good.pth'), checkpoint());
    const state = await loadState(temporary('good.pth'));
    assert.deepEqual(state.tensor('weight'), { shape: [2, 2], dtype: 'float32', data: new Float32Array([1, 2, 3, 4]) });
    fs.writeFileSync(temporary('good.pth'), zip(records(), { end64: end64({}), comment: 'made by hand' }));
    assert.ok((await loadState(temporary('good.pth'))).equals(state));
  });

  for (const [what, [content, message]] of Object.entries(cases)) {
    it(`is ${what}`, () => refused(temporary('bad.pth'), content, 'ERR_STATE_FORMAT', message));
  }

  it('is truncated, at any length', async () => {
    for (let length = 0; length < fixture.length; length += 37) {
      await refused(temporary('cut.pth'), fixture.subarray(0, length), 'ERR_STATE_FORMAT', /./);
    }
    await refused(temporary('cut.pth'), fixture.subarray(0, -1), 'ERR_STATE_FORMAT', /no directory at its end/);
  });

  it('has any one byte of its pickle or directory changed, or it still loads', async () => {
    const file = temporary('changed.pth');
    for (let at = 0; at < fixture.length; at += 11) {
      const bytes = Buffer.from(fixture);
      bytes[at] ^= 0x41;
      fs.writeFileSync(file, bytes);
      await loadState(file).catch((error) => {
        assert.ok(error instanceof LearnError, error.stack);
        assert.match(error.code, /^ERR_STATE_(FORMAT|UNSAFE)$/, error.message);
      });
    }
  });

  it('does not exist, or is a folder, a distributed checkpoint or a named pipe', async () => {
    const failure = (file, message) => assert.rejects(loadState(file), { code: 'ERR_FILE', message });
    await failure(temporary('missing.pth'), /Cannot open .*missing\.pth: ENOENT/);
    await failure('missing.pth', new RegExp(`ENOENT: .*, in the current folder, ${process.cwd()}$`));
    await failure(temporary(), /is a folder; name a file in it/);
    fs.mkdirSync(temporary('distributed'));
    fs.writeFileSync(temporary('distributed/.metadata'), '');
    await failure(temporary('distributed'), /dcp_to_torch/);
    execFileSync('mkfifo', [temporary('pipe')]);
    await failure(temporary('pipe'), /is a named pipe/);
  });

  it('is given with wrong options', async () => {
    await assert.rejects(loadState(3), { code: 'ERR_INVALID_OPTION' });
    await assert.rejects(loadState('a\0b'), { code: 'ERR_INVALID_OPTION' });
    await assert.rejects(loadState('x.pth', { sginal: undefined }), { code: 'ERR_INVALID_OPTION', message: /signal/ });
  });
});
