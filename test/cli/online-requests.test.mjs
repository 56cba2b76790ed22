// Lines of `torch-incremental online`: the requests in them, and their length.
import assert from 'node:assert/strict';
import limits from '../../dist/cli/online/limits.js';
import requests from '../../dist/cli/online/requests.js';
import { formOf } from './online-support.mjs';

const { limitsOf } = limits;
const { fieldsOf, understand } = requests;

const form = formOf('uint8', [3, 4, 5]);
const shape = [3, 4, 5];
const size = 60;

/** What a line is taken for; a line is text, or a value. */
function taken(line, as = form) {
  const bytes = Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
  return understand(fieldsOf(bytes), bytes, as);
}

const nested = (shape, value) =>
  shape.length === 0 ? value() : Array.from({ length: shape[0] }, () => nested(shape.slice(1), value));

/** 0, 1, 2 … in that shape. */
const counted = (shape) => {
  let next = 0;
  return nested(shape, () => next++);
};

describe('command line: a line of online', () => {
  it('has numbers one after the other, or nested as the sample is, in the same order', () => {
    const expected = Uint8Array.from({ length: size }, (_, i) => i);
    assert.deepEqual(taken({ input: counted([size]) }).inputs, [expected]);
    assert.deepEqual(taken({ input: counted(shape) }).inputs, [expected]);
    const floats = formOf('float32', shape);
    assert.deepEqual(taken({ input: counted(shape) }, floats).inputs, [Float32Array.from(expected)]);
    const vector = formOf('uint8', [size]);
    assert.deepEqual(taken({ input: counted([size]) }, vector).inputs, [expected]);
  });

  it('is refused if its numbers are nested in another shape', () => {
    for (const input of [counted([4, 5, 3]), counted([1, 3, 4, 5]), counted([3, 20]), [1, 2, [3]], [[[[[[[[1]]]]]]]]]) {
      for (const line of [{ input }, { input, label: 3 }])
        assert.throws(() => taken(line), { code: 'ERR_SHAPE', message: /\[3, 4, 5\]/ });
    }
    const wrong = counted(shape);
    wrong[2][0][4] = 256;
    assert.throws(() => taken({ input: wrong }), { code: 'ERR_INVALID_OPTION', message: /integers from 0 to 255/ });
  });

  it('has each field once, since parsers differ in which of two they take', () => {
    for (const line of [
      '{"input": [1], "input": [2]}',
      '{"id": "a", "input": [1], "label": 1, "id": "b"}',
      '{"input": [1], "label": 1, "label"\t: 2}',
      '{"rollback": 1, "rollb\\u0061ck": 2}',
      '{"id": "\\\\", "input": [1], "id": "\\""}',
    ])
      assert.throws(() => taken(line), { code: 'ERR_DATA_FORMAT', message: /each field of a line once/ }, line);
    // No names, though they look like some.
    for (const id of ['a": 1, "id', '\\', '\\"', '{"id": 1, "id": 2}', '":'])
      assert.equal(taken({ id, input: [1] }).id, id);
  });

  it('is an error with a code if it is invalid, whatever its fields and values', () => {
    const objects = [{}, true, { constructor: { name: { toString: 1 } } }, { toString: 1, toJSON: 1 }, [[]]];
    const lines = [
      ...objects.flatMap((value) => [
        { id: value, input: [1], label: 1 },
        { input: value },
        { input: [1], label: value },
        { input: [value], label: 1 },
        { feedback: value, label: 1 },
        { feedback: 'x', label: value },
        { rollback: [value] },
        { save: value },
        { metrics: [value] },
        { [JSON.stringify(value)]: value },
      ]),
      ...['{"__proto__": {"input": [1]}}', '{"input": [1], "__proto__": {"label": 3}}', '{"constructor": 1}'],
      ...['{"input": 1e400}', '{"input": [1e400]}', '{"input": [-1]}', '{"input": [1], "label": 1e400}'],
      ...['{"input": [1], "id": 1e400}', '{"input": [1], "id": 9007199254740993}', '{"rollback": 1e400}'],
      ...[`{"input": ${'['.repeat(40_000)}${']'.repeat(40_000)}}`, `{"input": ${'['.repeat(80_000)}`],
      ...['{"toString": 1}', '{"hasOwnProperty": 1, "input": [1]}', '{"input": null}', '{"label": 3}'],
      ...['', 'null', '[]', '1', '"x"', '{', '}{', '\u0000', '{"metrics": true}{}', "{'metrics': true}"],
    ];
    for (const line of lines) {
      assert.throws(
        () => taken(line),
        ({ code, message }) => /^ERR_(INVALID_OPTION|DATA_FORMAT|SHAPE)$/.test(code) && message.length < 500,
        JSON.stringify(line).slice(0, 200),
      );
    }
  });

  it('has an id of at most 1 KiB and of whole characters, an integer of at most 2^53, or none', () => {
    for (const id of ['x'.repeat(1024), 'ü'.repeat(512), '', '\u0000', 2 ** 53 - 1, -1, '😀'])
      assert.equal(taken({ id, input: [1] }).id, id);
    assert.equal(taken({ id: null, input: [1] }).id, undefined);
    for (const id of ['x'.repeat(1025), 'ü'.repeat(513), '\ud800', 'a\udc00b', 2 ** 53, 1.5]) {
      assert.throws(() => taken({ id, input: [1], label: 1 }), { code: 'ERR_INVALID_OPTION' });
      assert.throws(() => taken({ feedback: id, label: 1 }), { code: 'ERR_INVALID_OPTION' });
    }
    assert.throws(
      () => taken({ id: 'x'.repeat(5000), input: [1] }),
      ({ message }) => message.length < 200,
    );
  });

  it('may be as long as a sample of this learner can make it, and little longer', () => {
    const id = '\u0000'.repeat(1024);
    for (const [inputs, longest] of [
      ['uint8', '255.0'],
      ['float32', '-2.2250738585072014e-308'],
    ]) {
      for (const shape of [[3, 32, 32], [1], [24], [3072, 1, 1], [1, 1, 1, 500]]) {
        // As Python's json.dumps() separates them.
        const rows = (sides) =>
          sides.length === 0
            ? longest
            : `[${Array(sides[0])
                .fill(rows(sides.slice(1)))
                .join(', ')}]`;
        const line = `{"id": ${JSON.stringify(id)}, "input": ${rows(shape)}, "label": -9007199254740991}`;
        const limit = limitsOf(formOf(inputs, shape), 64).line;
        assert.ok(line.length <= limit, `${inputs} [${shape}]: ${line.length} of ${limit}`);
        assert.ok(limit < 2 * line.length + 65_536, `${inputs} [${shape}]: ${line.length} of ${limit}`);
      }
    }
  });

  it('takes part of bounded memory, whose size follows from the sample and the batch', () => {
    const { line, answer, lines, own, shared } = limitsOf(formOf('uint8', [3, 32, 32]), 64);
    assert.equal(lines, 128);
    assert.ok(line < 100_000 && answer < 10_000 && own === 65_536);
    assert.equal(shared, 64 * 2 ** 20);
    const large = limitsOf({ ...formOf('float32', [3, 1024, 1024]), classes: 1000 }, 4);
    // Else four peers with such a line could keep one another from ever being answered.
    assert.ok(large.shared >= 4 * (large.line + large.answer));
    // Else a batch would never be full.
    assert.ok(large.shared >= large.lines * 3 * 1024 * 1024 * 4);
  });
});
