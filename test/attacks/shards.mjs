// Makes sharded checkpoints whose index leads elsewhere, does not fit its files, or is no index. Each is a folder.
import { checkpoint, p, pickle, records, tensor, zip } from '../unit/checkpoint-support.mjs';
import { entry, four, safetensors, training } from './build.mjs';

const here = { extension: '' };
const name = 'model.safetensors.index.json';
const first = 'model-00001-of-00002.safetensors';
const second = 'model-00002-of-00002.safetensors';
const one = (key) => safetensors({ [key]: entry() });
const good = { [first]: one('a'), [second]: one('b') };
const map = { a: first, b: second };
const indexOf = (weights, metadata = { total_size: 32 }) => JSON.stringify({ metadata, weight_map: weights });
const folder = (index, files = good, indexName = name) => ({ make: 'files', files: { ...files, [indexName]: index } });
const bad = (words, index, files, code) => [folder(index, files), words, code, here];
const mapped = (words, weights) => bad(words, indexOf(weights));
const isPlain = /plain name of a file beside it/;

export const hostile = {
  'an index of a file above its folder': mapped(isPlain, { a: '../good.safetensors' }),
  'an index of a file by its whole path': mapped(isPlain, { a: '/etc/passwd' }),
  'an index of a file in a folder': mapped(isPlain, { a: 'inner/model.safetensors' }),
  'an index of a file in a folder of Windows': mapped(isPlain, { a: '..\\model.safetensors' }),
  'an index of a file on a drive of Windows': mapped(isPlain, { a: 'C:model.safetensors' }),
  'an index of its own folder': mapped(isPlain, { a: '.' }),
  'an index of the folder above': mapped(isPlain, { a: '..' }),
  'an index of a file without a name': mapped(isPlain, { a: '' }),
  'an index of a name with a NUL': mapped(isPlain, { a: `${first}\0.png` }),
  'an index of a name with escape sequences': mapped(isPlain, { a: '\u001b[2J' }),
  'an index of a name of a megabyte': mapped(isPlain, { a: 'x'.repeat(2 ** 20) }),
  'an index of a file that is a number': mapped(/found 5/, { a: 5 }),
  'an index of a file that is a list': mapped(isPlain, { a: [first] }),
  'an index of itself': bad(/JSON text/, indexOf({ a: name })),
  'a file that is missing': bad(
    /1 of the 2 files .* cannot be read: model-00002/,
    indexOf(map),
    { [first]: one('a') },
    'ERR_FILE',
  ),
  'a file that is a folder': bad(/is a folder/, indexOf({ a: 'inner' }), { 'inner/x': '' }, 'ERR_FILE'),
  'a file that is empty': bad(/empty/, indexOf(map), { ...good, [second]: '' }),
  'a file that is cut': bad(/found 15/, indexOf(map), { ...good, [second]: one('b').subarray(0, -1) }),
  'a file that is a page': bad(/HTML page/, indexOf(map), { ...good, [second]: '<!DOCTYPE html>' }),
  'a tensor that its file does not have': mapped(/missing are c/, { ...map, c: second }),
  'a tensor that the index does not have': bad(/c are not in the index/, indexOf(map), {
    ...good,
    [second]: safetensors({
      b: entry({ shape: [2], data_offsets: [0, 8] }),
      c: entry({ shape: [2], data_offsets: [8, 16] }),
    }),
  }),
  'one tensor in two files': bad(/missing are b; a are in another file by the index/, indexOf(map), {
    ...good,
    [second]: one('a'),
  }),
  'two files in the place of each other': mapped(/missing are b; a are in another file/, { a: second, b: first }),
  'one name twice in the index': bad(/the key "a" occurs twice/, `{"weight_map":{"a":"${first}","a":"${second}"}}`),
  'two maps in the index': bad(/occurs twice/, `{"weight_map":{"a":"${first}"},"weight_map":{"b":"${second}"}}`),
  'an index without a map': bad(/found none/, '{"metadata":{"total_size":32}}'),
  'an index of nothing': bad(/found none/, '{"weight_map":{}}'),
  'an index whose map is a list': bad(/Expected an object of file names/, `{"weight_map":["${first}"]}`),
  'an index whose size is a text': bad(/number of bytes for total_size/, indexOf(map, { total_size: '32' })),
  'an index whose size is negative': bad(/number of bytes for total_size/, indexOf(map, { total_size: -1 })),
  'an index that is a list': bad(/index is damaged/, '[1]'),
  'an index that is empty': bad(/index is damaged/, ''),
  'an index that ends early': bad(/index is damaged/, indexOf(map).slice(0, -5)),
  'an index with something after its end': bad(/something follows/, `${indexOf(map)} {}`),
  'an index that is not UTF-8': bad(/not valid UTF-8/, Buffer.from([0x7b, 0x22, 0xff, 0x22])),
  'an index that is no file': [
    { make: 'files', files: { ...good, [`${name}/x`]: '' } },
    /is a folder/,
    'ERR_FILE',
    here,
  ],
  'lists 100,000 deep in the index': bad(/nested deeper/, `{"metadata":${'['.repeat(100_000)}}`),
  'an index of 17 MiB': bad(/larger than/, `{"x":"${'x'.repeat(17 * 2 ** 20)}"}`),
  'an index of 5,000 files': mapped(
    /more than 4096 files/,
    Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`t${i}`, `${i}.safetensors`])),
  ),
  'an index of 150,000 tensors': mapped(
    /more than 100000 keys/,
    Object.fromEntries(Array.from({ length: 150_000 }, (_, i) => [`t${i}`, first])),
  ),
  'two indices': [
    { make: 'files', files: { ...good, [name]: indexOf(map), 'ema.safetensors.index.json': indexOf(map) } },
    /Expected one index of a sharded checkpoint/,
    'ERR_FILE',
    here,
  ],
  'a training checkpoint as a file': bad(/nothing but tensors/, indexOf({ weight: 'a.bin' }), {
    'a.bin': checkpoint(training(p.int(1))),
  }),
  'a number among the tensors of a file': bad(/nothing but tensors/, indexOf({ weight: 'a.bin' }), {
    'a.bin': checkpoint(pickle(null, [p.text('weight'), tensor(), p.text('epoch'), p.int(3)])),
  }),
  'code in a file': bad(
    /posix\.system|os\.system/,
    indexOf({ weight: 'a.bin' }),
    { 'a.bin': checkpoint(pickle([p.global('os', 'system'), p.mark, p.text('touch canary'), p.tuple, p.reduce])) },
    'ERR_STATE_UNSAFE',
  ),
  'a wrong checksum in a file': bad(/checksum/, indexOf({ weight: 'a.bin' }), {
    'a.bin': zip(records().map(([record, data]) => [record, data, record === 'x/data/0' ? { crc: 5 } : {}])),
  }),
  'a key of a sharded checkpoint': [
    folder(indexOf(map)),
    /which has no key/,
    'ERR_STATE_FORMAT',
    { ...here, options: { key: 'model' } },
  ],
  'a prefix that one name does not have': [
    folder(indexOf({ 'module.a': first, b: second }), { [first]: one('module.a'), [second]: one('b') }),
    /Expected every name to begin with "module\."/,
    'ERR_STATE_MISMATCH',
    { ...here, options: { stripPrefix: 'module.' } },
  ],
};

const floats = ['float32', [2, 2], [1, 2, 3, 4]];
const both = { a: floats, b: floats };

export const benign = {
  'two files': [folder(indexOf(map)), both, here],
  'two files, whose index says nothing of a size': [folder(indexOf(map, {})), both, here],
  'two files, of a size that is a float': [folder(indexOf(map).replace('32', '32.0')), both, here],
  'an index with spaces and other facts': [
    folder(
      JSON.stringify({ made_by: ['someone'], weight_map: map, metadata: { total_size: 32, format: 'pt' } }, null, 2),
    ),
    both,
    here,
  ],
  'one file, and another one beside it': [folder(indexOf({ a: first })), { a: floats }, here],
  'files of torch.save': [
    folder(
      indexOf({ weight: 'pytorch_model-00001-of-00001.bin' }),
      { 'pytorch_model-00001-of-00001.bin': checkpoint() },
      'pytorch_model.bin.index.json',
    ),
    undefined,
    here,
  ],
  'two indices of two kinds': [
    {
      make: 'files',
      files: { ...good, [name]: indexOf(map), 'pytorch_model.bin.index.json': indexOf({ a: 'gone.bin' }) },
    },
    both,
    here,
  ],
  'names that JavaScript has uses for': [
    folder(`{"weight_map":{"__proto__":"${first}"}}`, {
      [first]: safetensors('{"__proto__": {"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'),
    }),
    { ['__proto__']: floats },
    here,
  ],
  'a prefix of all names': [
    folder(indexOf({ 'module.a': first, 'module.b': second }), { [first]: one('module.a'), [second]: one('module.b') }),
    both,
    { ...here, options: { stripPrefix: 'auto' } },
  ],
};

const many = Array.from({ length: 50_000 }, (_, i) => [`t${i}`, first]);

export const bounded = {
  'an index of 50,000 tensors that one file does not have': [folder(indexOf(Object.fromEntries(many))), here],
  'a file of 50,000 tensors that the index does not have': [
    folder(indexOf({ a: first, b: second }), {
      [first]: safetensors(
        Object.fromEntries(many.map(([key]) => [key, entry({ shape: [0], data_offsets: [0, 0] })])),
        '',
      ),
      [second]: safetensors({ b: entry() }, four),
    }),
    here,
  ],
};
