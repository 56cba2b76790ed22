// JSON is parsed as JSON.parse() does, but for numbers: integers of 64 bits are exact, and floats stay apart from integers.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Float } from '../../dist/checkpoint/values.js';
import { LearnError } from '../../dist/core/errors.js';
import { parseJson } from '../../dist/pt2/exact-json.js';

const parse = (text) => parseJson(Buffer.from(text), 'text');

/** Maps become objects, and floats numbers. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return value instanceof Float ? value.value : value;
}

describe('exact JSON', () => {
  const numbers = [
    ['0', 0],
    ['-0', 0],
    ['9007199254740991', 2 ** 53 - 1],
    ['9007199254740992', 2n ** 53n],
    ['-9007199254740993', -(2n ** 53n) - 1n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['2.0', new Float(2)],
    ['-0.0', new Float(-0)],
    ['1e3', new Float(1000)],
    ['1E-400', new Float(0)],
    ['0.1', new Float(0.1)],
  ];
  for (const [text, value] of numbers)
    it(`reads ${text} as a ${value instanceof Float ? 'float' : typeof value}`, async () =>
      assert.deepEqual(await parse(text), value));

  for (const text of [
    '9223372036854775808',
    '-9223372036854775809',
    '1e309',
    '+1',
    '.5',
    '1.',
    '0x1',
    '1_0',
    '--1',
    '1e',
    '-',
  ])
    it(`refuses the number ${text}`, () => assert.rejects(parse(text), LearnError));

  it('refuses a text of more than 64 MiB before it is parsed', () =>
    assert.rejects(parseJson(Buffer.alloc(2 ** 26 + 1), 'text'), /text of 67108865 bytes is larger than the 67108864/));

  it('keeps keys that objects have of their own', async () => {
    const found = await parse('{"__proto__": 1, "constructor": {"toString": []}}');
    assert.deepEqual([...found.keys()], ['__proto__', 'constructor']);
    assert.deepEqual(found.get('constructor').get('toString'), []);
  });

  it('reads what JSON.stringify() writes', () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, '\t'), async (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        // JSON.parse() also reads unpaired surrogates, and rounds integers of more than 64 bits.
        const expected = JSON.parse(text);
        const found = await parse(text).catch((error) => error);
        if (found instanceof LearnError) assert.match(found.message, /not valid Unicode|more than 64 bits/);
        else assert.deepEqual(normal(plain(found)), normal(expected));
      }),
      { numRuns: 300, seed: 7 },
    ));

  it('agrees with JSON.parse() on what is damaged', () =>
    fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.integer({ min: 32, max: 126 }),
        async (value, at, code) => {
          const bytes = Buffer.from(JSON.stringify(value));
          bytes[at % bytes.length] = code;
          const text = bytes.toString('utf8');
          let expected;
          try {
            expected = JSON.parse(text);
          } catch {
            await assert.rejects(parseJson(bytes, 'text'), LearnError);
            return;
          }
          const found = await parseJson(bytes, 'text').catch((error) => error);
          if (found instanceof LearnError)
            assert.match(found.message, /Unicode|64 bits|out of range|occurs twice/, `${text}: ${found.message}`);
          else assert.deepEqual(normal(plain(found)), normal(expected));
        },
      ),
      { numRuns: 500, seed: 7 },
    ));
});

/** Without the sign of zero, which integers do not have, and with integers as JSON.parse() rounds them. */
function normal(value) {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normal(item)]));
}
