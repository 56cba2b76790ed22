// Tests safetensors files made by hand: what is read, and what is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createState, loadState, net, saveState } from 'torch-incremental';
import { inspectFile } from '../../dist/checkpoint/inspect.js';
import { root, temporaryFolder } from '../support.mjs';
import { checkpoint, join, p, pickle, refused, tensor, u64 } from './checkpoint-support.mjs';

const floats = (...values) => Buffer.from(new Float32Array(values).buffer);
const data = floats(1, 2, 3, 4);
const file = (header, content = data, length = Buffer.byteLength(header)) => join(u64(length), header, content);
const entry = ({ dtype = '"F32"', shape = '[2,2]', offsets = '[0,16]' } = {}) =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`;
const one = (changes, content) => file(`{"weight":${entry(changes)}}`, content);
const two = (first, second, content) => file(`{"a":${entry(first)},"b":${entry(second)}}`, content);
const row = (offsets) => ({ shape: '[2]', offsets });

/** By error: the bytes, and a pattern of the message. */
const cases = {
  'a header longer than the file': [file('{}', '', 999), /header of 999 bytes, but 2 are left/],
  'a header longer than all files': [file('{}', '', 2 ** 47), /header of 140737488355328 bytes, but 2 are left/],
  'a header beyond the limit': [
    join(u64(2 ** 24 + 1), '{', Buffer.alloc(2 ** 24)),
    /header of 16777217 bytes is larger/,
  ],
  'a header that is cut': [file('{"weight":', ''), /its end was found/],
  'a header that is not JSON': [file("{'weight':1}", ''), /a string was expected but "'weight':1" was found/],
  'a header with something after it': [file('{}x', ''), /something follows its end \(at character 2\)/],
  'a header that begins with a space': [file(' {}', ''), /of no known kind/],
  'a comma too many': [
    file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},}', ''),
    /a string was expected but "}" was found/,
  ],
  'a header that is not UTF-8': [file(Buffer.from('7b22ff223a317d', 'hex'), ''), /not valid UTF-8/],
  'a name with half a character': [file('{"\\ud800":1}', ''), /not valid Unicode/],
  'a name with a line break': [file('{"a\nb":1}', ''), /a string is not valid/],
  'a name twice': [file(`{"w":${entry()},"\\u0077":${entry()}}`), /the key "w" occurs twice/],
  'a field twice': [file('{"w":{"dtype":"F32","dtype":"F64"}}'), /the key "dtype" occurs twice/],
  'values inside values without end': [file(`{"w":${'['.repeat(50)}`), /nested deeper than 8/],
  'an entry that is not an object': [
    file('{"w":3}'),
    /object with dtype, shape and data_offsets for \["w"\] but found 3/,
  ],
  'no dtype': [file('{"w":{"shape":[],"data_offsets":[0,4]}}'), /as dtype of \["w"\] but found nothing/],
  'an unknown dtype': [one({ dtype: '"F128"' }), /Expected one of U64, .* but found "F128"/],
  'a dtype of PyTorch': [one({ dtype: '"float32"' }), /found "float32"/],
  'a dtype of half a byte': [one({ dtype: '"F4"' }), /dtype F4, of less than a byte/],
  'a dtype of six bits': [one({ dtype: '"F6_E2M3"' }), /dtype F6_E2M3, of less than a byte/],
  'a negative size': [one({ shape: '[-2,-2]' }), /sizes for \["weight"\] but found \["-2","-2"\]/],
  'a size that is not an integer': [one({ shape: '[2.0,2]' }), /but found \["2\.0",2\]/],
  'a size that is not a number': [one({ shape: '[null,true]' }), /but found \[null,true\]/],
  'a number out of range': [file('{"a":1e999}', ''), /a number is out of range/],
  'a word that is not a value': [file('{"a":nil}', ''), /a value was expected but "nil}" was found/],
  'a size that is a string': [
    one({ shape: '["4"]' }),
    /a shape of at most 64 sizes for \["weight"\] but found \["4"\]/,
  ],
  'a size beyond exact numbers': [one({ shape: `[${2n ** 64n}]` }), /a shape of at most 64 sizes/],
  'a product beyond exact numbers': [one({ shape: `[${2 ** 50},${2 ** 50}]` }), /takes 5\.07\S+ bytes but has 16/],
  'too many dimensions': [one({ shape: `[${Array(65).fill(1)}]` }), /at most 64 sizes/],
  'three offsets': [
    one({ offsets: '[0,16,16]' }),
    /\[begin, end\] as data_offsets of \["weight"\] but found \[0,16,16\]/,
  ],
  'offsets that run backwards': [one({ offsets: '[16,0]' }), /\[begin, end\].*found \[16,0\]/],
  'fewer bytes than its shape needs': [one({ offsets: '[0,12]' }), /takes 16 bytes but has 12/],
  'a hole before the first tensor': [one({ offsets: '[4,20]' }, join('    ', data)), /begin at byte 0 .*found 4/],
  'a hole between tensors': [
    two(row('[0,8]'), row('[12,20]'), join(data, '    ')),
    /"b" to begin at byte 8 .*found 12/,
  ],
  'tensors that overlap': [two(row('[0,8]'), row('[4,12]'), data), /"b" to begin at byte 8 .*found 4/],
  'tensors in one place': [two({}, {}), /"b" to begin at byte 16 .*found 0/],
  'data that is cut': [one({}, data.subarray(0, -1)), /Expected 16 bytes of data, .*found 15: it is cut/],
  'trailing bytes': [one({}, join(data, 'x')), /Expected 16 bytes of data, .*found 17/],
  'metadata that is not an object': [
    file('{"__metadata__":[]}', ''),
    /strings by name for __metadata__ but found \[\]/,
  ],
  'metadata that is not a string': [file('{"__metadata__":{"a":1}}', ''), /strings by name for __metadata__/],
  'metadata with a null in it': [file('{"__metadata__":{"a":null}}', ''), /strings by name for __metadata__/],
  'metadata that is false': [file('{"__metadata__":false}', ''), /strings by name for __metadata__ but found false/],
};

describe('a safetensors file that loadState refuses', () => {
  const temporary = temporaryFolder();

  for (const [what, [content, message]] of Object.entries(cases)) {
    it(`has ${what}`, () => refused(temporary('bad.safetensors'), content, 'ERR_STATE_FORMAT', message));
  }

  it('is truncated, at any length', async () => {
    const good = one();
    for (let length = 0; length < good.length; length++)
      await refused(temporary('cut.safetensors'), good.subarray(0, length), 'ERR_STATE_FORMAT', /./);
  });

  it('is loaded with a key', async () => {
    fs.writeFileSync(temporary('in.safetensors'), one());
    const load = loadState(temporary('in.safetensors'), { key: 'model' });
    await assert.rejects(load, { code: 'ERR_STATE_FORMAT', message: /nothing under the key "model".*Leave out/ });
  });
});

describe('a safetensors file', () => {
  const temporary = temporaryFolder();
  const load = async (content, options) => {
    fs.writeFileSync(temporary('in'), content);
    return loadState(temporary('in'), options);
  };

  it('is identified by its content, and holds tensors in the order of their bytes, and strings', async () => {
    const header = `{"10":${entry(row('[8,16]'))},"__proto__":${entry(row('[0,8]'))},"__metadata__":{"format":"pt"}}   `;
    const state = await load(file(header));
    assert.deepEqual(state.names, ['__proto__', '10']);
    assert.deepEqual(state.tensor('10'), { shape: [2], dtype: 'float32', data: new Float32Array([3, 4]) });
    assert.deepEqual([...state.metadata], [['format', 'pt']]);
    const { kind, byteorder, tensors } = await inspectFile(temporary('in'));
    assert.deepEqual([kind, byteorder, tensors.length], ['safetensors', 'little', 2]);
  });

  it('may hold nothing, and tensors without elements', async () => {
    assert.deepEqual((await load(file('{}', ''))).names, []);
    const state = await load(file(`{"a":${entry({ shape: '[3,0]', offsets: '[0,0]' })}}`, ''));
    assert.deepEqual(state.tensors[0].shape, [3, 0]);
  });

  it('may have null as metadata, and properties of tensors that the format does not define', async () => {
    const more = '"a":null,"b":[-1.5e-3,true,{"c":[false]}]';
    const state = await load(file(`{"__metadata__":null,"w":${entry().replace('{', `{${more},`)}}`));
    assert.deepEqual([state.names, state.metadata.size], [['w'], 0]);
    assert.deepEqual([...state.tensor('w').data], [1, 2, 3, 4]);
  });

  it('loses a prefix with stripPrefix', async () => {
    const state = await load(file(`{"module.a":${entry()}}`), { stripPrefix: 'auto' });
    assert.deepEqual(state.names, ['a']);
  });
});

describe('saveState as safetensors', () => {
  const temporary = temporaryFolder();
  const nextWarning = () => new Promise((resolve) => process.once('warning', resolve));

  it('is chosen by the extension, unless a format is given', async () => {
    const state = await createState(net());
    const magicOf = (name) => fs.readFileSync(temporary(name)).subarray(0, 2).toString();
    await saveState(state, temporary('a.safetensors'));
    await saveState(state, temporary('b.safetensors'), { format: 'pth' });
    await saveState(state, temporary('c.pth'), { format: 'safetensors' });
    assert.deepEqual(
      ['a.safetensors', 'b.safetensors', 'c.pth'].map((name) => magicOf(name) === 'PK'),
      [false, true, false],
    );
    for (const name of ['a.safetensors', 'c.pth']) {
      const again = await loadState(temporary(name));
      assert.deepEqual([...again.names].sort(), [...state.names].sort());
      for (const key of state.names) assert.deepEqual(again.tensor(key), state.tensor(key));
    }
    await assert.rejects(saveState(state, temporary('d'), { format: 'onnx' }), { code: 'ERR_INVALID_OPTION' });
  });

  it('writes the widest dtypes first, then by name, after a header padded to a multiple of eight', async () => {
    const header = `{"b":${entry(row('[0,8]'))},"a":${entry(row('[8,16]'))}}`;
    fs.writeFileSync(temporary('in.safetensors'), file(header));
    await saveState(await loadState(temporary('in.safetensors')), temporary('out.safetensors'));
    const wanted = `{"a":${entry(row('[0,8]'))},"b":${entry(row('[8,16]'))}}`;
    const padded = wanted.padEnd(Math.ceil(wanted.length / 8) * 8);
    assert.deepEqual(fs.readFileSync(temporary('out.safetensors')), file(padded, floats(3, 4, 1, 2)));
  });

  it('keeps strings, also through a .pth, and warns of everything else it leaves out', async () => {
    const items = [p.text('arch'), p.text('net'), p.text('epoch'), p.int(3)];
    const weights = [p.emptyDict, p.mark, p.text('w'), tensor(), p.setItems];
    fs.writeFileSync(temporary('in.pth'), checkpoint(pickle(null, [...items, p.text('model'), weights])));
    const warned = nextWarning();
    await saveState(await loadState(temporary('in.pth')), temporary('out.safetensors'));
    const { code, message } = await warned;
    assert.equal(code, 'WARN_NOT_WRITTEN');
    assert.match(message, /safetensors file holds tensors by name and strings only: \["epoch"\]$/);
    const state = await loadState(temporary('out.safetensors'));
    assert.deepEqual([...state.metadata], [['arch', 'net']]);
    await saveState(state, temporary('out.pth'));
    const again = await loadState(temporary('out.pth'));
    assert.ok(again.equals(state));
    assert.deepEqual(again.metadata, state.metadata);
    await saveState(again, temporary('again.safetensors'));
    assert.deepEqual(fs.readFileSync(temporary('again.safetensors')), fs.readFileSync(temporary('out.safetensors')));
  });

  it('refuses dtypes and names that the format does not have, and leaves the old file', async () => {
    fs.writeFileSync(temporary('old.safetensors'), 'old');
    const named = (name) => checkpoint(pickle(null, [p.text(name), tensor()]));
    const fails = async (content, message) => {
      fs.writeFileSync(temporary('in.pth'), content);
      const save = saveState(await loadState(temporary('in.pth')), temporary('old.safetensors'));
      await assert.rejects(save, { code: 'ERR_INVALID_OPTION', message });
      assert.equal(fs.readFileSync(temporary('old.safetensors'), 'utf8'), 'old');
    };
    await fails(named('__metadata__'), /no tensors of that name. Save it with format: 'pth'/);
    const everyDtype = fs.readFileSync(path.join(root, 'test/golden/checkpoints/dtypes.pth'));
    await fails(everyDtype, /Cannot write "complex128" to .*no dtype complex128/);
  });

  it('leaves out and names texts that are not Unicode, and a text with the name of the metadata', async () => {
    const half = Buffer.from('58040000007aedb080', 'hex');
    const items = [
      p.text('w'),
      tensor(),
      p.text('half'),
      half,
      p.text('__metadata__'),
      p.text('x'),
      p.text('a'),
      p.text('b'),
    ];
    fs.writeFileSync(temporary('in.pth'), checkpoint(pickle(null, items)));
    const state = await loadState(temporary('in.pth'));
    assert.equal(state.metadata.get('half'), 'z\udc00');
    const [warning] = await Promise.all([nextWarning(), saveState(state, temporary('out.safetensors'))]);
    assert.match(warning.message, /only: \["half"\], \["__metadata__"\]$/);
    assert.deepEqual([...(await loadState(temporary('out.safetensors'))).metadata], [['a', 'b']]);
  });

  it('refuses a file that could not be loaded: a header of more than 16 MiB', async () => {
    const name = 'n'.repeat(2 ** 20);
    const names = Array.from({ length: 17 }, (_, i) => [p.text(name.slice(i)), tensor()]);
    fs.writeFileSync(temporary('in.pth'), checkpoint(pickle(null, names.flat())));
    const save = saveState(await loadState(temporary('in.pth')), temporary('large.safetensors'));
    await assert.rejects(save, { code: 'ERR_INVALID_OPTION', message: /header would have \d+ bytes.*format: 'pth'/ });
    assert.ok(!fs.existsSync(temporary('large.safetensors')));
  });

  it('ends at an abort, and leaves the old file', async () => {
    fs.writeFileSync(temporary('old.safetensors'), 'old');
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(saveState(await createState(net()), temporary('old.safetensors'), { signal }), /enough/);
    assert.equal(fs.readFileSync(temporary('old.safetensors'), 'utf8'), 'old');
  });
});
