// Lines of `torch-incremental online` for samples with several inputs, and for targets of every kind.
import assert from 'node:assert/strict';
import limits from '../../dist/cli/online/limits.js';
import requests from '../../dist/cli/online/requests.js';
import { formOf } from './online-support.mjs';

const { limitsOf } = limits;
const { fieldsOf, understand } = requests;

const form = {
  inputs: [
    { name: 'ids', dtype: 'int64', shape: [4] },
    { name: 'dense', dtype: 'float32', shape: [2, 2] },
    { name: 'place', dtype: 'int32', shape: [] },
    { name: 'pixels', dtype: 'uint8', shape: [3] },
  ],
  target: { kind: 'class', shape: [] },
  classes: 3,
};
const sample = {
  ids: [5, 6, 7, 0],
  dense: [
    [0.5, -1],
    [2, 1e-3],
  ],
  place: -7,
  pixels: [0, 1, 255],
};

function taken(line, as = form) {
  const bytes = Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
  return understand(fieldsOf(bytes), bytes, as);
}

const base64 = (values) => Buffer.from(values.buffer).toString('base64');
const withTarget = (kind, shape) => ({ ...form, target: { kind, shape } });
const refuses = (line, code, message, as = form) => assert.throws(() => taken(line, as), { code, message });

describe('command line: a line of online with several inputs', () => {
  it('has them by name, in any order, as numbers or in base64', () => {
    const expected = [
      BigInt64Array.of(5n, 6n, 7n, 0n),
      Float32Array.of(0.5, -1, 2, 1e-3),
      Int32Array.of(-7),
      Uint8Array.of(0, 1, 255),
    ];
    const { pixels, place, dense, ids } = sample;
    const coded = Object.fromEntries(form.inputs.map(({ name }, i) => [name, base64(expected[i])]));
    for (const inputs of [sample, { pixels, place, dense: dense.flat(), ids }, coded, { ...sample, ids: coded.ids }]) {
      assert.deepEqual(taken({ inputs }), { kind: 'predict', id: undefined, inputs: expected });
      assert.deepEqual(taken({ id: 'a', inputs, label: 2 }), { kind: 'learn', id: 'a', inputs: expected, target: 2 });
    }
    const large = BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 0n);
    assert.deepEqual(taken({ inputs: { ...sample, ids: base64(large) } }).inputs[0], large);
  });

  it('has them by name if there is one, too', () => {
    const one = formOf('uint8', [3]);
    const expected = { kind: 'learn', id: undefined, inputs: [Uint8Array.of(1, 2, 3)], target: 1 };
    assert.deepEqual(taken({ inputs: { input: [1, 2, 3] }, label: 1 }, one), expected);
    assert.deepEqual(taken({ input: [1, 2, 3], label: 1 }, one), expected);
    refuses({ inputs: { pixels: [1] } }, 'ERR_INVALID_OPTION', /"pixels" in "inputs"; the inputs are input$/, one);
    refuses({ inputs: [1, 2, 3] }, 'ERR_INVALID_OPTION', /an object with values for input for "inputs"/, one);
  });

  it('is refused if an input is missing, unknown or given twice, or if they have no names', () => {
    const { ids, ...others } = sample;
    const names = /ids, dense, place, pixels/;
    refuses({ input: ids }, 'ERR_INVALID_OPTION', names);
    refuses({ input: ids, label: 1 }, 'ERR_INVALID_OPTION', names);
    for (const inputs of [ids, 'AAAA', null, 1, [sample]]) refuses({ inputs }, 'ERR_INVALID_OPTION', names);
    refuses(
      { inputs: { ...sample, mask: [1] } },
      'ERR_INVALID_OPTION',
      /Unknown input "mask" in "inputs"; .*ids, dense/,
    );
    refuses({ inputs: others }, 'ERR_INVALID_OPTION', /"inputs\.ids" but received undefined/);
    refuses('{"inputs": {"__proto__": [1]}}', 'ERR_INVALID_OPTION', /__proto__/);
    const text = JSON.stringify(sample);
    refuses(
      `{"inputs": ${text.replace('{', '{"ids": [1, 2, 3, 4], ')}}`,
      'ERR_DATA_FORMAT',
      /each field of a line once/,
    );
    refuses(`{"inputs": ${text}, "inputs": ${text}}`, 'ERR_DATA_FORMAT', /each field of a line once/);
    refuses({ input: ids, inputs: sample }, 'ERR_INVALID_OPTION', /Unknown field "inputs"/);
    refuses({ label: 1 }, 'ERR_INVALID_OPTION', /Expected a field "inputs"/);
  });

  it('is refused if a number is not one of its type, and the message names it', () => {
    for (const [name, values, expected] of [
      ['ids', [1, 2, 2 ** 53, 4], /integers below 2\^53, or all values as base64, for "inputs\.ids\[2\]" but/],
      ['ids', [1.5, 2, 3, 4], /"inputs\.ids\[0\]" but received number \(1\.5\)/],
      ['ids', [1, 2, 3, -(2 ** 53)], /"inputs\.ids\[3\]"/],
      ['ids', [1, 2, 3, '4'], /"inputs\.ids\[3\]" but received string/],
      ['place', 2 ** 31, /integers from -2147483648 to 2147483647 for "inputs\.place" but/],
      ['place', -1.5, /"inputs\.place"/],
      ['place', [1], /a number, or base64 for "inputs\.place"/],
      ['pixels', [0, 256, 1], /integers from 0 to 255 for "inputs\.pixels\[1\]" but received number \(256\)/],
      ['pixels', [0, -1, 1], /"inputs\.pixels\[1\]"/],
      ['pixels', 3, /base64 or an array of numbers for "inputs\.pixels"/],
      ['dense', [0, null, 1, 2], /numbers for "inputs\.dense\[1\]" but received null/],
    ])
      refuses({ inputs: { ...sample, [name]: values } }, 'ERR_INVALID_OPTION', expected);
    refuses('{"inputs": {"ids": [1e400, 1, 1, 1]}}', 'ERR_INVALID_OPTION', /"inputs\.ids\[0\]"/);
    for (const [name, bytes] of [
      ['ids', 12],
      ['dense', 6],
      ['place', 3],
    ]) {
      const inputs = { ...sample, [name]: Buffer.alloc(bytes).toString('base64') };
      refuses({ inputs }, 'ERR_DATA_FORMAT', new RegExp(`"inputs\\.${name}", but there are ${bytes} bytes`));
    }
    refuses({ inputs: { ...sample, ids: '*' } }, 'ERR_DATA_FORMAT', /base64 for "inputs\.ids"/);
  });

  it('is refused if an input is nested in another shape', () => {
    for (const dense of [
      [[1, 2, 3, 4]],
      [[1, 2], [3]],
      [
        [[1], [2]],
        [[3], [4]],
      ],
      [1, [2]],
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ])
      refuses({ inputs: { ...sample, dense } }, 'ERR_SHAPE', /"inputs\.dense.*\[2, 2\]/);
    refuses({ inputs: { ...sample, ids: [[1, 2, 3, 4]] } }, 'ERR_SHAPE', /"inputs\.ids/);
  });

  const numberAs = {
    int64: '-9007199254740991.0',
    float32: '-2.2250738585072014e-308',
    int32: '-2147483648.0',
    uint8: '255.0',
  };

  it('may be as long as all inputs and the target can make it', () => {
    const rows = ([side, ...sides], text) =>
      side === undefined ? text : `[${Array(side).fill(rows(sides, text)).join(', ')}]`;
    const wide = {
      inputs: Object.keys(numberAs).map((dtype, i) => ({
        name: '\u0000'.repeat(1000) + i,
        dtype,
        shape: i % 2 === 0 ? [50, 40] : [3000, 1],
      })),
      target: { kind: 'values', shape: [100, 30] },
      classes: 0,
    };
    const inputs = wide.inputs.map(
      ({ name, dtype, shape }) => `${JSON.stringify(name)}: ${rows(shape, numberAs[dtype])}`,
    );
    const id = '\u0000'.repeat(1024);
    const line = `{"id": ${JSON.stringify(id)}, "inputs": {${inputs.join(', ')}}, "target": ${rows([100, 30], numberAs.float32)}}`;
    const { line: limit, answer, lines, shared } = limitsOf(wide, 64);
    assert.ok(line.length <= limit, `${line.length} of ${limit}`);
    assert.ok(limit < 2 * line.length + 65_536, `${line.length} of ${limit}`);
    assert.ok(answer >= rows([3000], numberAs.float32).length);
    assert.ok(shared >= 4 * (limit + answer));
    const many = limitsOf({ ...wide, inputs: [{ name: 'a', dtype: 'int64', shape: [2 ** 20] }] }, 64);
    assert.ok(many.shared >= lines * 8 * 2 ** 20);
    assert.ok(
      limitsOf(withTarget('tokens', [1000]), 64).line - limitsOf(form, 64).line >= 1000 * '-2147483648.0, '.length,
    );
  });
});

describe('command line: a line of online with a target', () => {
  it('has a number, or numbers flat or nested in its shape', () => {
    for (const [kind, shape, target, expected] of [
      ['values', [], 0.5, Float32Array.of(0.5)],
      ['values', [], -3, Float32Array.of(-3)],
      ['values', [1], [2.5], Float32Array.of(2.5)],
      [
        'values',
        [2, 2],
        [
          [1, 2],
          [3, 4],
        ],
        Float32Array.of(1, 2, 3, 4),
      ],
      ['classes', [3], [1, 0, 1], Float32Array.of(1, 0, 1)],
      ['tokens', [], 7, Int32Array.of(7)],
      [
        'tokens',
        [2, 3],
        [
          [1, 2, -100],
          [0, 0, 9],
        ],
        Int32Array.of(1, 2, -100, 0, 0, 9),
      ],
      ['tokens', [2, 3], [1, 2, -100, 0, 0, 9], Int32Array.of(1, 2, -100, 0, 0, 9)],
    ]) {
      const as = withTarget(kind, shape);
      assert.deepEqual(taken({ inputs: sample, target }, as).target, expected);
      assert.deepEqual(taken({ feedback: 'x', target }, as), { kind: 'feedback', id: 'x', target: expected });
      assert.equal(taken({ inputs: sample }, as).kind, 'predict');
    }
  });

  it('is refused if the target has another form', () => {
    for (const [kind, shape, target, code] of [
      ['values', [], [0.5], 'ERR_INVALID_OPTION'],
      ['values', [], '0.5', 'ERR_INVALID_OPTION'],
      ['values', [3], 0.5, 'ERR_INVALID_OPTION'],
      ['values', [3], [0, 1, null], 'ERR_INVALID_OPTION'],
      ['values', [3], [0, 1], 'ERR_SHAPE'],
      ['values', [3], [[0, 1, 2]], 'ERR_SHAPE'],
      ['values', [2, 2], [[0, 1], [2]], 'ERR_SHAPE'],
      ['tokens', [2], [1, 1.5], 'ERR_INVALID_OPTION'],
      ['tokens', [2], [1, 2 ** 31], 'ERR_INVALID_OPTION'],
      ['tokens', [2], 'AAAA', 'ERR_INVALID_OPTION'],
      ['classes', [2], undefined, 'ERR_INVALID_OPTION'],
    ]) {
      refuses({ feedback: 'x', target }, code, /"target/, withTarget(kind, shape));
      if (target !== undefined) refuses({ inputs: sample, target }, code, /"target/, withTarget(kind, shape));
    }
  });

  it('is refused if it has a label where targets are not classes, or a target where they are', () => {
    refuses(
      { inputs: sample, label: 3 },
      'ERR_INVALID_OPTION',
      /Unknown field "label"; .*target/,
      withTarget('values', []),
    );
    refuses({ feedback: 'x', label: 3 }, 'ERR_INVALID_OPTION', /Unknown field "label"/, withTarget('values', []));
    refuses({ inputs: sample, target: 3 }, 'ERR_INVALID_OPTION', /Unknown field "target"; .*label/);
  });
});
