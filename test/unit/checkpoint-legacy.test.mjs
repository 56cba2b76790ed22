// Tests legacy streams made by hand: variants that current PyTorch no longer writes, and streams that are refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { LearnError, loadState } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { join, p, refused, tensor, tupleOf, u8, u64 } from './checkpoint-support.mjs';

const magic = [u8(0x8a), u8(10), Buffer.from('6cfc9c46f9206aa85019', 'hex')];
const alone = (...parts) => join(p.proto(), ...parts, p.stop);
const dict = (...items) => [p.emptyDict, p.mark, ...items, p.setItems];
const machine = (little = p.true) =>
  alone(dict(p.text('protocol_version'), p.int(1001), p.text('little_endian'), little));
const list = (...keys) => alone(p.emptyList, p.mark, ...keys, p.appends);
const floats = (...values) => Buffer.from(new Float32Array(values).buffer);
const stored = (...values) => join(u64(values.length), floats(...values));

/** A storage's id, whose last item is None or ('key', offset, size) of a part. */
const id = ({
  tag = 'storage',
  type = 'torch FloatStorage',
  key = '7',
  location = 'cpu',
  numel = 4,
  view = p.none,
} = {}) => [
  tupleOf([p.text(tag), p.global(...type.split(' ')), p.text(key), p.text(location), p.int(numel), view]),
  p.persid,
];
const part = (key, offset, size) => tupleOf([p.text(key), p.int(offset), p.int(size)]);

/** A stream with one tensor, or with replaced pickles or bytes. */
function stream({
  number = alone(magic),
  version = alone(p.int(1001)),
  info = machine(),
  items = [p.text('weight'), tensor({ from: id() })],
  object = alone(dict(...items)),
  keys = list(p.text('7')),
  storages = stored(1, 2, 3, 4),
} = {}) {
  return join(number, version, info, object, keys, storages);
}

const two = (first, second) => [p.text('a'), tensor({ from: id(first) }), p.text('b'), tensor({ from: id(second) })];
const ofId = (...items) => ({ items: [p.text('weight'), tensor({ from: [tupleOf(items), p.persid] })] });
const good = stream();

/** By error: the bytes, and a pattern of the message. */
const cases = {
  'another magic number': [
    stream({ number: alone(u8(0x8a), u8(10), Buffer.alloc(10, 1)) }),
    /magic number 1195.* but found/,
  ],
  'something around the magic number': [
    stream({ number: alone(magic, p.tuple1) }),
    /magic number .*found a tuple of 1/,
  ],
  'another protocol version': [stream({ version: alone(p.int(1002)) }), /Expected 1001 .*found the number 1002/],
  'no dict about the machine': [stream({ info: alone(p.none) }), /dict about the machine .*found None/],
  'no list of storages': [stream({ keys: alone(p.none) }), /list of the storages' keys but found None/],
  'a key that is not a string': [stream({ keys: list(p.int(7)) }), /string as a storage's key but found the number 7/],
  'a storage that is listed twice': [stream({ keys: list(p.text('7'), p.text('7')) }), /storage "7" is stored twice/],
  'a storage that is not named': [stream({ keys: list(p.text('7'), p.text('8')) }), /"8" is stored, but no tensor/],
  'a storage that is not listed': [
    stream({ keys: alone(p.emptyList) }),
    /lies in storage "7", which is not in the file/,
  ],
  'a count that the tensors contradict': [
    stream({ storages: join(stored(1, 2, 3), '    ') }),
    /Expected 4 elements .*found 3/,
  ],
  'a negative count': [stream({ storages: join(u64(-1), floats(1, 2, 3, 4)) }), /Expected 4 elements .*found -1/],
  'a storage that is cut': [good.subarray(0, -1), /storage "7" of 16 bytes .*does not fit in the file's/],
  'a count that is cut': [good.subarray(0, -20), /does not fit in the file's/],
  'trailing bytes': [join(good, 'x'), /1 bytes follow the last storage/],
  'a storage larger than all files': [
    stream({ items: [p.text('a'), tensor({ from: id({ numel: 2 ** 47 }) })] }),
    /does not fit in the file's/,
  ],
  'a storage larger than all numbers': [
    stream({ items: [p.text('a'), tensor({ from: id({ numel: 2 ** 60 }) })] }),
    /number of elements for storage "7" but found the number/,
  ],
  'a negative number of elements': [
    stream({ items: [p.text('a'), tensor({ from: id({ numel: -4 }) })] }),
    /number of elements for storage "7" but found the number -4/,
  ],
  'a storage of two types': [
    stream({ items: two({}, { type: 'torch IntStorage' }) }),
    /4 elements of torch\.FloatStorage and as 4 of torch\.IntStorage/,
  ],
  'a storage of two sizes': [stream({ items: two({}, { numel: 5 }) }), /4 elements .* and as 5 of/],
  'a storage of an unknown type': [
    stream({ items: [p.text('a'), tensor({ from: id({ type: 'torch OddStorage' }) })] }),
    /stored as torch\.OddStorage, which is not supported/,
  ],
  'a tensor outside its storage': [
    stream({ items: [p.text('a'), tensor({ from: id(), offset: 1 })] }),
    /needs 5 elements of storage "7", which has 4/,
  ],
  'a part outside its storage': [
    stream({ items: [p.text('a'), tensor({ from: id({ view: part('9', 2, 3) }), shape: [1, 1] })] }),
    /part of storage "7" that does not lie in it/,
  ],
  'a tensor outside its part': [
    stream({ items: [p.text('a'), tensor({ from: id({ view: part('9', 2, 2) }) })] }),
    /needs 4 elements of storage "7", which has 2/,
  ],
  'a part that is two': [
    stream({ items: two({ view: part('9', 0, 4) }, { view: part('9', 1, 3) }) }),
    /the part "9" of storage "7" is named as two different ones/,
  ],
  'a part with the key of a storage': [
    stream({ items: [p.text('a'), tensor({ from: id({ view: part('7', 0, 4) }) })] }),
    /"7" is the key of a storage and of a part/,
  ],
  'an id of a zip file': [
    stream(ofId(p.text('storage'), p.global('torch', 'FloatStorage'), p.text('7'), p.text('cpu'), p.int(4))),
    /Expected \('storage', type, key, location, elements, view\) .*the number 4\)/,
  ],
  'an id of another kind': [stream(ofId(p.text('tensor'))), /as the id of a storage but found/],
  'an id that is not a tuple': [stream({ items: [p.text('a'), p.text('7'), p.persid] }), /found the string "7"/],
  'an object that is cut': [
    stream({ object: alone(p.mark), keys: '', storages: '' }),
    /ends with 0 values .*of the object/,
  ],
  'nothing after the magic number': [alone(magic), /it is cut .*of the protocol version/],
};

describe('a legacy stream that loadState refuses', () => {
  const temporary = temporaryFolder();

  for (const [what, [content, message]] of Object.entries(cases)) {
    it(`has ${what}`, () => refused(temporary('bad.pth'), content, 'ERR_STATE_FORMAT', message));
  }

  it('is a whole model with its source code', async () => {
    const code = 'class Net: pass';
    const model = ofId(p.text('module'), p.global('__main__', 'Net'), p.text('net.py'), p.text(code));
    await refused(
      temporary('bad.pth'),
      stream(model),
      'ERR_STATE_UNSAFE',
      /source code of __main__\.Net.*state_dict\(\)/,
    );
  });

  it('names code', async () => {
    const items = [p.text('weight'), tensor({ from: id() }), p.text('x'), p.global('os', 'system')];
    await refused(temporary('bad.pth'), stream({ items }), 'ERR_STATE_UNSAFE', /\["x"\] asks for os\.system/);
  });

  it('is truncated, at any length', async () => {
    for (let length = 0; length < good.length; length++)
      await refused(temporary('cut.pth'), good.subarray(0, length), 'ERR_STATE_FORMAT', /./);
  });

  it('has any one byte changed, or it still loads', async () => {
    for (let at = 0; at < good.length; at++) {
      const bytes = Buffer.from(good);
      bytes[at] ^= 0x41;
      fs.writeFileSync(temporary('changed.pth'), bytes);
      await loadState(temporary('changed.pth')).catch((error) => {
        assert.ok(error instanceof LearnError, error.stack);
        assert.match(error.code, /^ERR_STATE_(FORMAT|UNSAFE)$/, error.message);
      });
    }
  });
});

describe('a legacy stream', () => {
  const temporary = temporaryFolder();
  const load = async (content) => {
    fs.writeFileSync(temporary('in.pth'), content);
    return loadState(temporary('in.pth'));
  };
  const values = (state, name) => [...state.tensor(name).data];

  it('of a big-endian machine holds little-endian numbers, as torch.load reads them', async () => {
    assert.deepEqual(values(await load(good), 'weight'), [1, 2, 3, 4]);
    assert.deepEqual(values(await load(stream({ info: machine(p.false) })), 'weight'), [1, 2, 3, 4]);
  });

  it('of PyTorch before 0.4 has parts of storages, from which offsets count', async () => {
    const view = part('9', 2, 3);
    const items = [
      ...[p.text('all'), tensor({ from: id({ numel: 6 }), shape: [6], stride: [1] })],
      ...[p.text('part'), tensor({ from: id({ numel: 6, view }), offset: 1, shape: [2], stride: [1] })],
      ...[p.text('again'), tensor({ from: id({ numel: 6, view }), shape: [3], stride: [1] })],
    ];
    const state = await load(stream({ items, storages: stored(1, 2, 3, 4, 5, 6) }));
    assert.deepEqual(values(state, 'all'), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(values(state, 'part'), [4, 5]);
    assert.deepEqual(values(state, 'again'), [3, 4, 5]);
  });

  it('of Python 2 has strings of bytes', async () => {
    const old = (text) => join('U', u8(text.length), text);
    const reference = tupleOf([
      old('storage'),
      p.global('torch', 'FloatStorage'),
      old('7'),
      old('cpu'),
      p.int(4),
      p.none,
    ]);
    const made = tensor({ how: 'torch._utils _rebuild_tensor', from: [reference, p.persid], rest: [] });
    const state = await load(stream({ items: [old('weight'), made], keys: list(old('7')) }));
    assert.deepEqual(values(state, 'weight'), [1, 2, 3, 4]);
  });

  it('of a GPU has storages with the name of the device', async () => {
    const from = id({ type: 'torch.cuda FloatStorage', location: 'cuda:0' });
    assert.deepEqual(values(await load(stream({ items: [p.text('w'), tensor({ from })] })), 'w'), [1, 2, 3, 4]);
  });

  it('may have a storage without a tensor, which is recorded by its type and not read', async () => {
    const { names, metadata } = await load(stream({ items: [p.text('a'), id(), p.text('b'), tensor({ from: id() })] }));
    assert.deepEqual([names, metadata.get('a').name], [['b'], 'torch.FloatStorage']);
  });

  it('has its storages in the order of its list', async () => {
    const content = stream({
      items: two({ key: '10' }, { key: '9' }),
      keys: list(p.text('9'), p.text('10')),
      storages: join(stored(5, 6, 7, 8), stored(1, 2, 3, 4)),
    });
    const state = await load(content);
    assert.deepEqual(
      [values(state, 'a'), values(state, 'b')],
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
    );
  });

  it('has a pickle of any length', async () => {
    const long = Array.from({ length: 400 }, (_, i) => [p.text(`note ${i}`), p.text('x'.repeat(1000))]);
    const state = await load(stream({ items: [p.text('weight'), tensor({ from: id() }), ...long] }));
    assert.deepEqual(state.names, ['weight']);
    assert.equal(state.metadata.size, 400);
  });
});
