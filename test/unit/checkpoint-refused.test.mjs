// Files that loadState must refuse: broken, cut, hostile, or something else. Each with the right code, quickly, and with
// words that say what is wrong.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { LearnError, loadState } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';
import {
  checkpoint,
  join,
  p,
  pickle,
  records,
  storage,
  tensor,
  tupleOf,
  u8,
  u32,
  u64,
  zip,
} from './checkpoint-support.mjs';

const fixture = fs.readFileSync(path.join(root, 'test/golden/checkpoints/sharing.pth'));
const call = (module, name, ...args) => [p.global(module, name), tupleOf(args), p.reduce];
const changed = (index, changes) =>
  zip(records().map((record, i) => (i === index ? [record[0], record[1], changes] : record)));
const end64 = (change) => (facts) => {
  const { start, bytes, entries, at } = { ...facts, ...change };
  const record = [u32(0x06064b50), u64(44), u32(0), u32(0), u32(0), u64(entries), u64(entries), u64(bytes), u64(start)];
  return join(record, u32(0x07064b50), u32(0), u64(at), u32(1));
};

/** What the file is, its bytes, and words of the message. */
const format = {
  'an empty file': ['', /empty/],
  'an HTML page': ['\n<!DOCTYPE html><html>', /an HTML page/],
  'a JSON answer': ['{"error": "not found"}', /a JSON text/],
  'a git-LFS pointer': ['version https://git-lfs.github.com/spec/v1\noid sha256:0', /git lfs pull/],
  'a legacy stream': [Buffer.from('80028a0a6cfc9c46f9206aa850192e8002', 'hex'), /before PyTorch 1\.6.*torch\.save/],
  'a plain pickle': [pickle(), /a plain pickle/],
  'a safetensors file': [join(u64(2), '{}'), /a safetensors file.*load_file/],
  'a tar archive': [join(Buffer.alloc(257), 'ustar', Buffer.alloc(250)), /a tar archive/],
  'a gzip file': [gzipSync(checkpoint()), /gunzip/],
  'an HDF5 file': [Buffer.from('894844460d0a1a0a', 'hex'), /an HDF5 file/],
  'a GGUF file': ['GGUF\x03', /a GGUF file/],
  'an ONNX model': [Buffer.from('080812077079746f726368', 'hex'), /an ONNX model/],
  'a NumPy array': [Buffer.from('934e554d5059', 'hex'), /a NumPy array/],
  'nothing known': ['what is this?', /of no known kind.*77 68 61 74/],
  'a TorchScript archive': [zip([...records(), ['x/constants.pkl', '']]), /a TorchScript archive.*torch\.jit\.load/],
  'an exported program': [zip([['x/archive_format', 'pt2']]), /an exported program.*torch\.export\.load/],
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
  'a compressed record': [changed(2, { method: 8 }), /data\/0 is compressed \(method 8\)/],
  'a record outside the file': [changed(2, { offset: 0xfffffff0 }), /data\/0 overlaps another or lies outside/],
  'a record larger than the file': [changed(2, { size: 0x7fffffff, stored: 0x7fffffff }), /lies outside the file/],
  'a ZIP64 size that is missing': [changed(2, { size: 0xffffffff }), /lacks a 64-bit size/],
  'a ZIP64 size beyond all numbers': [
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
  'a record twice': [zip([...records(), ['x/data/0', '']]), /data\/0 is there twice/],
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

  'an empty pickle': [checkpoint(''), /it is cut/],
  'a pickle of protocol 0': [checkpoint('(dp0\n.'), /protocol 2 to 5/],
  'a pickle of protocol 6': [checkpoint(join(p.proto(6), p.none, p.stop)), /protocol 6/],
  'a pickle without an end': [checkpoint(pickle().subarray(0, -1)), /it is cut/],
  'bytes behind the end of the pickle': [checkpoint(join(pickle(), 'N.')), /2 bytes follow its end/],
  'a pickle of two values': [checkpoint(join(p.proto(), p.none, p.none, p.stop)), /ends with 2 values/],
  'a pickle of nothing': [checkpoint(join(p.proto(), p.stop)), /ends with 0 values/],
  'an open mark at the end': [checkpoint(join(p.proto(), p.emptyDict, p.mark, p.stop)), /ends with 1 values/],
  'an instruction that takes too much': [checkpoint(join(p.proto(), p.reduce, p.stop)), /more values than there are/],
  'an instruction that takes what is below a mark': [
    checkpoint(join(p.proto(), p.emptyList, p.mark, p.append, p.stop)),
    /more values than there are/,
  ],
  'a group that was not begun': [checkpoint(join(p.proto(), p.tuple, p.stop)), /never begun/],
  'a key without a value': [checkpoint(pickle(null, [p.text('weight')])), /a key has no value/],
  'an instruction to import by number': [checkpoint(join(p.proto(), u8(0x82), u8(1), p.stop)), /instruction 0x82/],
  'an instruction of protocol 0 that makes an object': [
    checkpoint(join(p.proto(), p.mark, 'ios\nsystem\n', p.stop)),
    /instruction 0x69/,
  ],
  'a memo that is not there': [checkpoint(join(p.proto(), p.get(7), p.stop)), /value 7 is used before/],
  'a memo at the largest number': [
    checkpoint(join(p.proto(), p.none, p.put(0xffffffff), p.get(0xfffffffe), p.stop)),
    /4294967294 is used before/,
  ],
  'a string longer than the pickle': [checkpoint(join(p.proto(), 'X', u32(500_000), p.stop)), /it is cut/],
  'a string of gigabytes': [checkpoint(join(p.proto(), 'X', u32(0xfffffff0), p.stop)), /too long/],
  'a string that is not UTF-8': [checkpoint(join(p.proto(), 'X', u32(1), [0xff], p.stop)), /not valid UTF-8/],
  'a frame longer than the pickle': [checkpoint(join(p.proto(4), [0x95], u64(2n ** 60n), p.stop)), /a frame is longer/],
  'items put into a tensor': [
    checkpoint(pickle([tensor(), p.int(0), p.int(0), p.setItem])),
    /\["weight"\] is no valid tensor/,
  ],
  'a state given to a tensor': [
    checkpoint(pickle([tensor(), p.emptyDict, p.build])),
    /\["weight"\] is no valid tensor/,
  ],
  'items put into a number': [
    checkpoint(join(p.proto(), p.int(1), p.int(0), p.int(0), p.setItem, p.stop)),
    /cannot take items/,
  ],
  'a state given to a list': [
    checkpoint(join(p.proto(), p.emptyList, p.none, p.build, p.stop)),
    /cannot take the state/,
  ],
  'the same key twice': [
    checkpoint(pickle(null, [p.text('__proto__'), tensor(), p.text('__proto__'), tensor()])),
    /"__proto__" twice/,
  ],
  'a list that holds itself': [
    checkpoint(join(p.proto(), p.emptyList, p.put(0), p.get(0), p.append, p.stop)),
    /found a list of 1/,
  ],
  'tuples 200,000 deep': [
    checkpoint(join(p.proto(), p.emptyTuple, Buffer.alloc(200_000, 0x85), p.stop)),
    /found a tuple of 1/,
  ],
  'tuples 200,000 deep for a tensor': [
    checkpoint(pickle([p.emptyTuple, Buffer.alloc(200_000, 0x85)])),
    /\["weight"\] is a tuple/,
  ],
  'parameters 1,000 deep': [
    checkpoint(
      pickle([
        Array(1000).fill([p.global('torch._utils', '_rebuild_parameter'), p.mark]),
        tensor(),
        Array(1000).fill([p.false, p.none, p.tuple, p.reduce]),
      ]),
    ),
    /Expected a tensor for \["weight"\]/,
  ],

  'a number instead of a state dict': [checkpoint(join(p.proto(), p.int(4), p.stop)), /found the number 4/],
  'a tensor instead of a state dict': [checkpoint(join(p.proto(), tensor(), p.stop)), /save model\.state_dict\(\)/],
  'a key that is no string': [checkpoint(pickle(null, [p.int(1), tensor()])), /\[the number 1\]/],
  'a value that is no tensor': [checkpoint(pickle(p.text('words'))), /\["weight"\] is the string "words"/],
  'a training checkpoint': [
    checkpoint(
      pickle(null, [p.text('epoch'), p.int(3), p.text('model'), p.emptyDict, p.text('fc'), tensor(), p.setItem]),
    ),
    /\["epoch"\], \["model"\].*Weights are under \["model"\] \(1 tensors\).*\['model'\], sys/s,
  ],
  '_metadata that is no dict': [
    checkpoint(join(p.proto(), p.emptyDict, p.emptyDict, p.text('_metadata'), p.int(1), p.setItem, p.build, p.stop)),
    /a dict for _metadata/,
  ],
  'a version in _metadata that is a list': [
    checkpoint(
      join(
        p.proto(),
        p.emptyDict,
        p.emptyDict,
        p.text('_metadata'),
        p.emptyDict,
        p.text(''),
        p.emptyDict,
        p.text('version'),
        p.emptyList,
        [p.setItem, p.setItem, p.setItem],
        p.build,
        p.stop,
      ),
    ),
    /_metadata\[""\]\["version"\]/,
  ],

  'a storage that is missing': [
    checkpoint(pickle(tensor({ from: storage({ key: '1' }) }))),
    /data\/1, which the file does not have/,
  ],
  'a storage named with a path': [
    checkpoint(pickle(tensor({ from: storage({ key: '../data.pkl' }) }))),
    /does not have/,
  ],
  'a storage smaller than it says': [
    checkpoint(pickle(tensor({ from: storage({ numel: 1000 }) }))),
    /1000 of elements of 4 bytes/,
  ],
  'a storage of a negative size': [checkpoint(pickle(tensor({ from: storage({ numel: -4 }) }))), /-4 of elements/],
  'a storage of 2**62 elements': [
    checkpoint(pickle(tensor({ from: storage({ numel: 2n ** 62n }) }))),
    /4611686018427387904 of elements/,
  ],
  'a storage of two types': [
    checkpoint(
      pickle(null, [p.text('a'), tensor(), p.text('b'), tensor({ from: storage({ type: 'torch IntStorage' }) })]),
    ),
    /torch\.IntStorage, another tensor for something else/,
  ],
  'a quantised storage': [
    checkpoint(pickle(tensor({ from: storage({ type: 'torch QInt8Storage' }) }))),
    /QInt8Storage, which is not supported/,
  ],
  'a storage that is no storage': [
    checkpoint(pickle(tensor({ from: p.int(1) }))),
    /Expected a storage for \["weight"\]/,
  ],
  'a module in place of a storage': [
    checkpoint(pickle(tensor({ from: storage({ tag: 'module' }) }))),
    /Expected a storage/,
  ],
  'a shape larger than the storage': [
    checkpoint(pickle(tensor({ shape: [2, 3], stride: [3, 1] }))),
    /needs 6 elements of x\/data\/0, which has 4/,
  ],
  'an offset behind the storage': [checkpoint(pickle(tensor({ offset: 1 }))), /offset 1 needs 5 elements/],
  'a stride that reaches too far': [checkpoint(pickle(tensor({ stride: [4, 1] }))), /needs 6 elements/],
  'a negative offset': [checkpoint(pickle(tensor({ offset: -1 }))), /the offset the number -1/],
  'a negative stride': [checkpoint(pickle(tensor({ stride: [-2, 1] }))), /a stride of at most 64 sizes/],
  'a negative size': [checkpoint(pickle(tensor({ shape: [-2, -2] }))), /a shape of at most 64 sizes/],
  'sizes whose product overflows': [
    checkpoint(pickle(tensor({ shape: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], stride: [0, 0, 0] }))),
    /needs Infinity elements/,
  ],
  'strides whose sum overflows': [
    checkpoint(pickle(tensor({ stride: [2 ** 53 - 1, 2 ** 53 - 1] }))),
    /needs Infinity elements/,
  ],
  'more strides than sizes': [checkpoint(pickle(tensor({ stride: [2, 1, 1] }))), /2 sizes, 3 strides/],
  'a thousand dimensions': [
    checkpoint(pickle(tensor({ shape: Array(1000).fill(1), stride: Array(1000).fill(1) }))),
    /at most 64 sizes/,
  ],
  'a tensor with too few arguments': [
    checkpoint(pickle(call('torch._utils', '_rebuild_tensor_v2'))),
    /unexpected arguments/,
  ],
  'a conjugated view': [
    checkpoint(pickle(tensor({ rest: [p.false, p.none, p.emptyDict, p.text('conj'), p.true, p.setItem] }))),
    /conjugated/,
  ],
  'a sparse tensor': [
    checkpoint(pickle(call('torch._utils', '_rebuild_sparse_tensor', p.none))),
    /sparse tensor; store \.to_dense\(\)/,
  ],
  'a dtype that is unknown': [
    checkpoint(
      pickle(
        tensor({
          how: 'torch._utils _rebuild_tensor_v3',
          from: storage({ type: 'torch.storage UntypedStorage', numel: 16 }),
          rest: [p.false, p.none, p.global('torch', 'Size')],
        }),
      ),
    ),
    /dtype torch\.Size/,
  ],
};

const unsafe = {
  'os.system for a tensor': [pickle(call('os', 'system', p.text('touch owned'))), /\["weight"\] asks for os\.system/],
  'posix.system at the root': [
    join(p.proto(), call('posix', 'system', p.text('true')), p.stop),
    /The whole file asks for posix\.system/,
  ],
  'eval in an argument of a tensor': [
    pickle(tensor({ rest: [p.false, call('builtins', 'eval', p.text('1'))] })),
    /builtins\.eval/,
  ],
  'an object made with NEWOBJ and BUILD': [
    pickle([p.global('subprocess', 'Popen'), p.emptyTuple, p.newobj, p.emptyDict, p.build]),
    /\["weight"\] asks for subprocess\.Popen/,
  ],
  'a function by its global alone': [pickle(p.global('builtins', 'exec')), /builtins\.exec/],
  'a whole pickled model': [
    join(p.proto(), p.global('__main__', 'Net'), p.emptyTuple, p.newobj, p.emptyDict, p.build, p.stop),
    /__main__\.Net/,
  ],
  'a deque that is appended to': [
    pickle([call('collections', 'deque'), p.mark, p.int(1), p.appends]),
    /collections\.deque/,
  ],
  'code deep inside a training checkpoint': [
    pickle(null, [p.text('args'), p.emptyList, call('argparse', 'Namespace'), p.append]),
    /\["args"\]\[the number 0\] asks for argparse\.Namespace/,
  ],
  'code in a storage': [pickle(tensor({ from: [call('os', 'getcwd'), p.persid] })), /os\.getcwd/],
  'code as a key': [pickle(null, [call('os', 'getcwd'), p.int(1)]), /os\.getcwd/],
  'code by STACK_GLOBAL': [join(p.proto(4), p.text('os'), p.text('system'), u8(0x93), p.stop), /os\.system/],
  'a name that looks like one of PyTorch': [
    pickle(call('torch._utils', '_rebuild_tensor_v2.__globals__')),
    /__globals__/,
  ],
  'torch.load itself': [pickle(call('torch', 'load', p.text('x'))), /torch\.load/],
};

describe('a file that loadState refuses', () => {
  const temporary = temporaryFolder();

  async function refused(content, code, message) {
    const file = temporary('bad.pth');
    fs.writeFileSync(file, content);
    const start = performance.now();
    await assert.rejects(loadState(file), (error) => {
      assert.ok(error instanceof LearnError, error.stack);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.ok(error.message.includes(file), error.message);
      return true;
    });
    assert.ok(performance.now() - start < 2000);
  }

  it('differs in one thing only from one that it loads', async () => {
    fs.writeFileSync(temporary('good.pth'), checkpoint());
    const state = await loadState(temporary('good.pth'));
    assert.deepEqual(state.tensor('weight'), { shape: [2, 2], dtype: 'float32', data: new Float32Array([1, 2, 3, 4]) });
    fs.writeFileSync(temporary('good.pth'), zip(records(), { end64: end64({}), comment: 'made by hand' }));
    assert.ok((await loadState(temporary('good.pth'))).equals(state));
  });

  for (const [what, [content, message]] of Object.entries(format)) {
    it(`is ${what}`, () => refused(content, 'ERR_STATE_FORMAT', message));
  }

  for (const [what, [data, message]] of Object.entries(unsafe)) {
    it(`holds ${what}, and nothing is run`, () => refused(checkpoint(data), 'ERR_STATE_UNSAFE', message));
  }

  it('is cut, at whatever length', async () => {
    for (let length = 0; length < fixture.length; length += 37) {
      await refused(fixture.subarray(0, length), 'ERR_STATE_FORMAT', /./);
    }
    await refused(fixture.subarray(0, -1), 'ERR_STATE_FORMAT', /no directory at its end/);
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

  it('has a pickle of 16 million instructions, which do not hold up the event loop', async function () {
    this.timeout(10_000);
    const file = temporary('long.pth');
    fs.writeFileSync(file, checkpoint(join(p.proto(), p.none, Buffer.alloc(17_000_000, 'q\0'), p.none, p.stop)));
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await assert.rejects(loadState(file), { code: 'ERR_STATE_FORMAT' });
    clearInterval(timer);
    assert.ok(longest < 250, `${longest} ms`);
  });

  it('does not exist, or is a folder, a distributed checkpoint or a named pipe', async () => {
    const failure = (file, message) => assert.rejects(loadState(file), { code: 'ERR_FILE', message });
    await failure(temporary('missing.pth'), /Cannot open .*missing\.pth: ENOENT/);
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
