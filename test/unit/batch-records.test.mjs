// Batches in the journal: whatever the inputs and targets of their samples are, they are read as they were written, and nothing else is.
import assert from 'node:assert/strict';
import { decode, encode } from '../../dist/online/storage/records.js';
import { randomNumbers } from './journal-support.mjs';

const arrays = { uint8: Uint8Array, int32: Int32Array, int64: BigInt64Array, float32: Float32Array };
const rules = 2;

function payloadOf(record) {
  const { kind, parts } = encode(record);
  return { kind, payload: Buffer.concat(parts) };
}

const read = ({ kind, payload }) => decode({ sequence: 7, kind, payload });

function drawn(random, type, length) {
  const values = new arrays[type](length);
  const bytes = new Uint8Array(values.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
  return values;
}

/** A batch of `count` samples with inputs and targets of random types and sizes. */
function drawBatch(random, inputTypes, targetType) {
  const count = 1 + random.below(5);
  const size = () => 1 + random.below(9);
  const some = (make) => Array.from({ length: count }, () => (random.below(3) === 0 ? null : make()));
  return {
    ...{ kind: 'batch', rules, fresh: random.below(2) === 0 },
    ids: random.below(2) === 0 ? some(() => `id ${random.below(1000)}`) : Array(count).fill(null),
    inputs: inputTypes.map((type) => drawn(random, type, count * size())),
    targets: drawn(random, targetType, count * size()),
    scores: random.below(2) === 0 ? some(() => ({ loss: random.next() })) : Array(count).fill(null),
  };
}

/** Bytes, since NaNs in random bits are not equal as numbers. */
const comparable = ({ inputs, targets, ...others }) => ({
  ...others,
  parts: [targets, ...inputs].map((values) => [
    values.constructor.name,
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex'),
  ]),
});

describe('a batch in the journal', () => {
  it('is read as it was written, with inputs of all types and targets of both', () => {
    const random = randomNumbers(Number(process.env.BATCH_SEED ?? 1));
    const types = Object.keys(arrays);
    for (let run = 0; run < 500; run++) {
      const inputs = Array.from({ length: 1 + random.below(4) }, () => types[random.below(types.length)]);
      const batch = drawBatch(random, inputs, random.below(2) === 0 ? 'int32' : 'float32');
      assert.deepEqual(comparable(read(payloadOf(batch))), comparable(batch), `run ${run}`);
    }
  });

  it('has the bytes that records.ts and docs/online.md show', () => {
    const { kind, payload } = payloadOf({
      ...{ kind: 'batch', rules, fresh: true, ids: [null, null], scores: [null, null] },
      inputs: [Uint8Array.of(5, 7, 255, 0, 1, 2), BigInt64Array.of(42n, -1n)],
      targets: Int32Array.of(1, 0),
    });
    const text = '{"rules":2,"count":2,"fresh":true,"parts":[["int32",1],["uint8",3],["int64",1]]}';
    assert.equal(kind, 8);
    assert.equal(
      payload.toString('hex'),
      `50000000${Buffer.from(text).toString('hex')}01000000000000000507ff000102${'2a00000000000000'}${'ff'.repeat(8)}`,
    );
  });

  it('of an earlier version, with one input and labels, is read', () => {
    const text = JSON.stringify({ rules: 1, type: 'float32', labels: [1, 0], fresh: true, ids: ['a', null] });
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const inputs = Float32Array.of(1, 2, 3, 4);
    const payload = Buffer.concat([length, Buffer.from(text), Buffer.from(inputs.buffer)]);
    assert.deepEqual(read({ kind: 1, payload }), {
      ...{ kind: 'batch', rules: 1, ids: ['a', null], targets: Int32Array.of(1, 0), scores: [null, null] },
      ...{ inputs: [inputs], fresh: true },
    });
  });

  const sound = payloadOf({
    ...{ kind: 'batch', rules, fresh: true, ids: ['a', null], scores: [null, null] },
    ...{ inputs: [new Uint8Array(6)], targets: new Int32Array(2) },
  });
  /** The payload with another text. */
  const withText = (change) => {
    const end = 4 + sound.payload.readUInt32LE(0);
    const header = JSON.parse(sound.payload.subarray(4, end).toString());
    const text = Buffer.from(JSON.stringify({ ...header, ...change }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text, sound.payload.subarray(end)]);
  };
  for (const [what, payload] of Object.entries({
    'a byte more': Buffer.concat([sound.payload, Buffer.alloc(1)]),
    'a byte less': sound.payload.subarray(0, -1),
    'an unknown type': withText({
      parts: [
        ['int32', 1],
        ['float64', 3],
      ],
    }),
    'a type from a prototype': withText({
      parts: [
        ['int32', 1],
        ['toString', 3],
      ],
    }),
    'bytes as targets': withText({
      parts: [
        ['uint8', 4],
        ['uint8', 3],
      ],
    }),
    'no inputs': withText({ parts: [['int32', 1]] }),
    'no samples': withText({ count: 0 }),
    'half a sample': withText({ count: 0.5 }),
    'values of no size': withText({
      parts: [
        ['int32', 1],
        ['uint8', 0],
      ],
    }),
    'more samples than bytes': withText({ count: 2 ** 50 }),
    'an id too few': withText({ ids: ['a'] }),
    'a score too many': withText({ scores: [null, null, null] }),
    'rules of a later version': withText({ rules: rules + 1 }),
    'no word on whether it is new': withText({ fresh: undefined }),
    'a text without an end': sound.payload.subarray(0, 20),
  })) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => read({ kind: sound.kind, payload }), {
        code: 'ERR_JOURNAL',
        message: 'record 7 has a form that this version does not know',
      });
    });
  }

  it('is refused if its kind is of a later version', () => {
    assert.throws(() => read({ ...sound, kind: 9 }), {
      code: 'ERR_JOURNAL',
      message: 'record 7 is of a kind, 9, that this version does not know',
    });
  });
});
