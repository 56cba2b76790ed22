// Makes safetensors files with bad lengths, bad JSON, duplicate keys, holes, overlaps, unknown dtypes or trailing data.
import { join, u64 } from '../unit/checkpoint-support.mjs';
import { entry, four, safetensors } from './build.mjs';

const named = { extension: '.safetensors' };
const bad = (words, ...file) => [safetensors(...file), words, 'ERR_STATE_FORMAT', named];
const one = (words, changes, data) => bad(words, { weight: entry(changes) }, data);
const raw = (words, text) => bad(words, text);
const eight = join(four, four);

export const hostile = {
  'a file of seven bytes': [Buffer.alloc(7), /no known kind/, 'ERR_STATE_FORMAT', named],
  'a header of no bytes': bad(/header/, '', four),
  'a header longer than the file': bad(/header/, undefined, four, { length: 10_000 }),
  'a header of 2**63 bytes': bad(/no known kind/, undefined, four, { length: 2n ** 63n }),
  'a header of 100 MB and a byte': bad(/100000001 bytes/, undefined, four, { length: 100_000_001 }),
  'a header one byte too short': bad(/header is damaged/, undefined, four, {
    length: safetensors().length - 8 - 16 - 1,
  }),
  'a header that is not JSON': raw(/header is damaged/, '{weight}'),
  'a header that ends early': raw(/header is damaged/, '{"weight": {"dtype": "F32"'),
  'a header with a comma too many': raw(
    /header is damaged/,
    '{"weight": {"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},}',
  ),
  'a header with something after its end': raw(
    /header is damaged/,
    '{"weight": {"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}} {}',
  ),
  'a header that is a list': raw(/no known kind/, '[1]'),
  'a header that starts with a space': raw(
    /no known kind/,
    ' {"weight": {"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}',
  ),
  'a header that is not UTF-8': [join(u64(9), '{"', [0xff, 0xfe], '":{}}', four), /UTF-8/, 'ERR_STATE_FORMAT', named],
  'a header with a byte order mark': raw(
    /no known kind/,
    '\ufeff{"weight": {"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}',
  ),
  'lists 100,000 deep': raw(/nested deeper/, `{"weight": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  'objects 100,000 deep in its metadata': raw(
    /nested deeper/,
    `{"__metadata__": ${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
  ),
  'one name twice': raw(
    /twice|duplicate/i,
    '{"a": {"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}, "a": {"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
  ),
  'one name twice, once written with an escape': raw(
    /twice|duplicate/i,
    '{"a": {"dtype":"F32","shape":[2],"data_offsets":[0,8]}, "\\u0061": {"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
  ),
  'one fact twice': raw(/twice|duplicate/i, '{"a": {"dtype":"F32","shape":[2,2],"shape":[4],"data_offsets":[0,16]}}'),
  'an entry that is a number': raw(/found 5/, '{"weight": 5}'),
  'an entry that is None': raw(/for \["weight"\] but found null/, '{"weight": null}'),
  'an entry without a dtype': one(/dtype/, { dtype: undefined }),
  'an entry without a shape': one(/shape/, { shape: undefined }),
  'an entry without a place': one(/data_offsets/, { data_offsets: undefined }),
  'an unknown dtype': one(/F31/, { dtype: 'F31' }),
  'a dtype that JavaScript has a use for': one(/__proto__|dtype/, { dtype: '__proto__' }),
  'a dtype narrower than a byte': one(/F4/, { dtype: 'F4', shape: [8, 4] }),
  'a dtype in small letters': one(/f32/, { dtype: 'f32' }),
  'a shape that does not fit its bytes': one(/takes 24 bytes but has 16/, { shape: [2, 3] }),
  'a negative size': one(/-2/, { shape: [-2, -2] }),
  'a size that is not an integer': one(/2\.5/, { shape: [2.5, 1.6] }),
  'a size that is a text': one(/"2"/, { shape: ['2', '2'] }),
  'sizes whose product wraps around 64 bits': one(/but has 16/, { shape: [2 ** 32, 2 ** 30, 4] }, ''),
  'a size of 1e400': raw(/1e400/, '{"weight": {"dtype":"F32","shape":[1e400],"data_offsets":[0,16]}}'),
  'a size beyond exact numbers': raw(
    /9007199254740992/,
    '{"weight": {"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,16]}}',
  ),
  'a thousand dimensions': one(/at most 64/, { shape: Array(1000).fill(1), data_offsets: [0, 4] }, four.subarray(0, 4)),
  'a place of three numbers': one(/\[0,8,16\]/, { data_offsets: [0, 8, 16] }),
  'a place that ends before it starts': one(/\[16,0\]/, { data_offsets: [16, 0] }),
  'a place that starts below 0': one(/-16/, { data_offsets: [-16, 0] }),
  'a place past the file': one(/begin at byte 0/, { data_offsets: [16, 32] }),
  'a place that reaches past the file': one(/Expected 24 bytes/, { shape: [3, 2], data_offsets: [0, 24] }),
  'a hole in front': one(/begin at byte 0/, { data_offsets: [16, 32] }, eight),
  'a hole between two tensors': bad(/begin at byte 4/, {
    a: entry({ shape: [1], data_offsets: [0, 4] }),
    b: entry({ shape: [2], data_offsets: [8, 16] }),
  }),
  'two tensors at one place': bad(/begin at byte 16/, { a: entry(), b: entry() }),
  'two tensors that overlap': bad(/begin at byte 12/, {
    a: entry({ shape: [3], data_offsets: [0, 12] }),
    b: entry({ shape: [2], data_offsets: [8, 16] }),
  }),
  'bytes that no tensor uses': bad(/found 32/, undefined, eight),
  'bytes after the last tensor': bad(/found 20/, undefined, four, { tail: 'junk' }),
  'a file that is cut': [safetensors().subarray(0, -1), /found 15/, 'ERR_STATE_FORMAT', named],
  'metadata that is a list': bad(/__metadata__/, { __metadata__: [1], weight: entry() }),
  'metadata that holds a number': bad(/__metadata__/, { __metadata__: { a: 1 }, weight: entry() }),
  '100,000 tensors at one place': bad(
    /begin at byte 16/,
    Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, entry()])),
  ),
  'a name with escape sequences': bad(/F31/, { '\u001b[2J\u009b31m\r\n': entry({ dtype: 'F31' }) }),
  'a name of a megabyte': bad(/n{100}/, { ['n'.repeat(2 ** 20)]: entry({ dtype: 'F31' }) }),
};

const values = (array) => Buffer.from(array.buffer);

export const benign = {
  'one tensor': [safetensors(), undefined, named],
  'one tensor, whatever its name': [safetensors()],
  'an entry with another fact': [safetensors({ weight: entry({ stride: [2, 1] }) }), undefined, named],
  'a header padded with spaces': [safetensors(`${JSON.stringify({ weight: entry() })}     `), undefined, named],
  'metadata of texts': [safetensors({ __metadata__: { format: 'pt' }, weight: entry() }), undefined, named],
  'no tensors': [safetensors({}, ''), {}, named],
  'tensors whose names are in another order than their places': [
    safetensors({
      b: entry({ shape: [2], data_offsets: [8, 16] }),
      a: entry({ shape: [2], data_offsets: [0, 8] }),
    }),
    { a: ['float32', [2], [1, 2]], b: ['float32', [2], [3, 4]] },
    { ...named, anyOrder: true },
  ],
  'a tensor of no elements': [
    safetensors({ weight: entry(), none: entry({ shape: [0, 3], data_offsets: [16, 16] }) }),
    { weight: ['float32', [2, 2], [1, 2, 3, 4]], none: ['float32', [0, 3], []] },
    { ...named, anyOrder: true },
  ],
  'a tensor of no dimensions': [
    safetensors({ weight: entry({ shape: [], data_offsets: [0, 4] }) }, four.subarray(0, 4)),
    { weight: ['float32', [], [1]] },
    named,
  ],
  'a tensor of int64': [
    safetensors({ weight: entry({ dtype: 'I64', shape: [2] }) }, values(new BigInt64Array([1n, -2n]))),
    { weight: ['int64', [2], [1n, -2n]] },
    named,
  ],
  'names that JavaScript has uses for': [
    safetensors('{"__proto__": {"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'),
    { ['__proto__']: ['float32', [2, 2], [1, 2, 3, 4]] },
    named,
  ],
};

const manyEmpty = Object.fromEntries(
  Array.from({ length: 50_000 }, (_, i) => [`t${i}`, entry({ shape: [0], data_offsets: [0, 0] })]),
);

export const bounded = {
  '50,000 tensors of no elements': [safetensors(manyEmpty, ''), named],
  'a name of four million escapes': [safetensors(`{"${'\\n'.repeat(4_000_000)}": 1}`), named],
  'a text of eight million braces': [safetensors(`{"__metadata__": {"a": "${'{'.repeat(8_000_000)}"}}`, ''), named],
  'a million texts in the metadata': [
    safetensors(`{"__metadata__": {${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":""`).join()}}}`, ''),
    named,
  ],
};
