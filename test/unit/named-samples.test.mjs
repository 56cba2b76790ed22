// Data sets of named, typed inputs: what batches() gives of them, and every error that names what is wrong.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { arrays, batches, subset, toTensor } from 'torch-incremental';
import { collect } from './data-support.mjs';

const ids = { data: new BigInt64Array(10), shape: [5] };
const dense = { data: new Float32Array(6), shape: [3] };
const both = { ids, dense };
const image = { data: new Uint8Array(2 * 192), shape: [3, 8, 8] };
const meta = { data: Float32Array.of(1, -2, 3.5, 4), shape: [2] };
const labels = [0, 1];

const option = (message) => ({ name: 'LearnError', code: 'ERR_INVALID_OPTION', message });
const format = (message) => ({ name: 'LearnError', code: 'ERR_DATA_FORMAT', message });

describe('batches of named inputs', () => {
  it('are what arrays() was given, of any types, shapes and targets', async () => {
    const types = { uint8: Uint8Array, int32: Int32Array, int64: BigInt64Array, float32: Float32Array };
    const numbers = { uint8: [0, 255], int32: [-(2 ** 31), 2 ** 31 - 1], int64: [-(2n ** 63n), 2n ** 63n - 1n] };
    const valuesOf = (type, length) => {
      const each =
        type === 'float32'
          ? fc.float({ noNaN: true })
          : type === 'int64'
            ? fc.bigInt(...numbers.int64)
            : fc.integer({ min: numbers[type][0], max: numbers[type][1] });
      return fc.array(each, { minLength: length, maxLength: length }).map((list) => types[type].from(list));
    };
    const size = (of) => of.reduce((product, side) => product * side, 1);
    const shapes = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 });
    const inputOf = (count) =>
      fc
        .record({ type: fc.constantFrom(...Object.keys(types)), shape: shapes })
        // Images of uint8 need transforms.
        .filter((input) => input.type !== 'uint8' || input.shape.length !== 3)
        .chain((input) =>
          valuesOf(input.type, count * size(input.shape)).map((data) => ({ data, shape: input.shape })),
        );
    const indices = (count, type, min = 0) =>
      fc
        .array(fc.oneof(fc.constant(min), fc.integer({ min: 0, max: 200 })), { minLength: count, maxLength: count })
        .map((list) => (type === BigInt64Array ? BigInt64Array.from(list, BigInt) : type.from(list)));
    const targetOf = (count) =>
      shapes.chain((of) => {
        const values = (data) => ({ data, shape: of });
        return fc.oneof(
          indices(count, Int32Array).map((data) => ({ kind: 'class', data })),
          indices(count, BigInt64Array).map((data) => ({ data })),
          indices(count * size(of), Int32Array, -100).map((data) => ({ kind: 'tokens', ...values(data) })),
          indices(count * size(of), Uint8Array).map((data) => ({ kind: 'tokens', ...values(data) })),
          valuesOf('uint8', count * size(of)).map((data) => ({ kind: 'classes', ...values(data.map((v) => v % 2)) })),
          fc
            .array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
              minLength: count * size(of),
              maxLength: count * size(of),
            })
            .map((data) => values(Float32Array.from(data))),
          fc.constant(undefined),
        );
      });
    const sets = fc.integer({ min: 1, max: 6 }).chain((count) =>
      fc.record({
        ...{ count: fc.constant(count), targets: targetOf(count), batchSize: fc.integer({ min: 1, max: 7 }) },
        inputs: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), inputOf(count), { minKeys: 1, maxKeys: 3 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(sets, async ({ count, inputs, targets, batchSize }) => {
        const data = arrays({ inputs, ...(targets && { targets }) });
        const made = await collect(batches(data, { batchSize, shuffle: false }));
        assert.equal(made.length, Math.ceil(count / batchSize));
        for (const [name, given] of Object.entries(inputs)) {
          const parts = made.map((batch) => batch.inputs[name]);
          assert.deepEqual(
            parts.flatMap((part) => [...part.data]),
            [...given.data],
          );
          for (const [i, part] of parts.entries()) assert.deepEqual(part.shape, [made[i].length, ...given.shape]);
          assert.equal(parts[0].data.constructor, given.data.constructor);
        }
        const given = Array.from(targets?.data ?? [], Number);
        assert.deepEqual(
          made.flatMap((batch) => [...batch.targets.data]),
          given,
        );
        for (const batch of made) {
          assert.deepEqual(Object.keys(batch.inputs), Object.keys(inputs));
          assert.deepEqual(batch.targets.shape, [batch.length, ...(targets?.shape ?? [])]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('have the values of transforms by name, and of others as they are', async () => {
    const data = arrays({ inputs: { image: { ...image, data: image.data.map((_, i) => i) }, meta }, labels });
    const transforms = { image: [toTensor()] };
    const [batch] = await collect(batches(data, { transforms, shuffle: false }));
    assert.deepEqual(
      batch.inputs.image.data,
      Float32Array.from({ length: 384 }, (_, i) => (i % 256) / 255),
    );
    assert.deepEqual([...batch.inputs.meta.data], [...meta.data]);
    assert.deepEqual(batch.inputs.image.shape, [2, 3, 8, 8]);
  });

  it('of a subset have its samples of every input, and its targets', async () => {
    const inputs = {
      ids: { data: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n), shape: [2] },
      sizes: { data: Int32Array.of(7, 8, 9), shape: [] },
    };
    const read = async (more) => {
      const [batch] = await collect(batches(subset(arrays({ inputs, ...more }), { start: 1 }), { shuffle: false }));
      return [batch.inputs.ids.data, batch.inputs.sizes, batch.targets];
    };
    const values = [BigInt64Array.of(3n, 4n, 5n, 6n), { data: Int32Array.of(8, 9), shape: [2] }];
    const targets = { data: Float32Array.of(0, 1, 2, 3, 4, 5), shape: [1, 2] };
    assert.deepEqual(await read({ targets }), [...values, { data: Float32Array.of(2, 3, 4, 5), shape: [2, 1, 2] }]);
    assert.deepEqual(await read({}), [...values, { data: new Int32Array(), shape: [2] }]);
  });

  for (const [what, inputs, transforms, message] of [
    [
      'one list for several inputs',
      both,
      [],
      /an object with a list for each input .* among ids, dense, for "transforms"/,
    ],
    ['a name that no input has', both, { idz: [] }, /only inputs of the samples, which are ids, dense, .*'idz'/],
    ['a transform instead of a list', both, { dense: toTensor() }, /an array for "transforms.dense"/],
    ['an item that is no transform', both, { dense: ['flip'] }, /a transform made by .* for "transforms.dense\[0\]"/],
    ['names that are inherited', both, Object.create({ dense: [] }), /an object of arrays .* for "transforms"/],
    ['no list at all', both, 3, /an array, or an object of arrays by the names of inputs, for "transforms"/],
    ['transforms of integers', both, { ids: [toTensor()] }, /float32 values, but the input "ids" is int64/],
    ['pixels of float32', both, { dense: [toTensor()] }, /toTensor works on uint8 images/],
    ['none for an image', { image, meta }, { image: [] }, /toTensor is missing/],
    ['pixels of a table', { bytes: { ...meta, data: new Uint8Array(4) } }, [toTensor()], /\[channels, height, width\]/],
  ]) {
    it(`refuse transforms with ${what}`, async () => {
      await assert.rejects(collect(batches(arrays({ inputs, labels }), { transforms })), option(message));
    });
  }
});

describe('arrays of named inputs', () => {
  const targets = (data, more) => ({ inputs: both, targets: { data, ...more } });
  const refused = {
    'no inputs': [{ inputs: {}, labels }, option(/an object with an input for each name, for "inputs"/)],
    'inputs that are inherited': [
      { inputs: Object.create(both), labels },
      option(/an object with an input for each name/),
    ],
    'an input of doubles': [
      { inputs: { ...both, dense: { ...dense, data: new Float64Array(6) } }, labels },
      option(/a Float32Array for "inputs.dense.data"/),
    ],
    'doubles alone': [{ inputs: new Float64Array(6), labels, shape: [3] }, option(/a Float32Array for "inputs"/)],
    'an input that is an array alone': [
      { inputs: { ids: ids.data }, labels },
      option(/\{ data, shape \} for "inputs.ids"/),
    ],
    'an input without values': [
      { inputs: { ids: { shape: [5] } }, labels },
      option(/a typed array for "inputs.ids.data"/),
    ],
    'an input without a shape': [{ inputs: { ids: { data: ids.data } }, labels }, option(/"inputs.ids.shape"/)],
    'an input with a word too many': [{ inputs: { ids: { ...ids, dtype: 'int64' } }, labels }, option(/"dtype"/)],
    'a size of 0': [
      { inputs: { ids: { ...ids, shape: [0] } }, labels },
      option(/positive sizes for "inputs.ids.shape"/),
    ],
    'a shape for all': [{ inputs: both, labels, shape: [3] }, option(/no shape, since each .* has its own/)],
    'an input of other counts': [
      { inputs: { ids, dense: { ...dense, data: new Float32Array(9) } } },
      format(/Expected 2 samples of shape \[3\], which is 6 values, but inputs.dense has 9/),
    ],
    'another count of labels': [
      { inputs: both, labels: [0, 1, 2] },
      format(/Expected 3 samples of shape \[5\], one for each label, which is 15 values, but inputs.ids has 10/),
    ],
    'another count of targets': [
      targets(new Float32Array(3)),
      format(/Expected 3 samples of shape \[5\], one for each target, .* inputs.ids has 10/),
    ],
    'targets that are not whole': [
      targets(new Float32Array(5), { shape: [2] }),
      format(/targets of shape \[2\], which are 2 values each, but "targets" has 5/),
    ],
    'labels and targets': [
      { inputs: both, labels, targets: { data: Int32Array.of(0, 1) } },
      option(/either labels or targets, not both, for "targets"/),
    ],
    'targets without values': [{ inputs: both, targets: {} }, option(/a typed array for "targets.data"/)],
    'targets of doubles': [targets(new Float64Array(2)), option(/a Float32Array for "targets.data"/)],
    'an unknown kind': [
      targets(Int32Array.of(0, 1), { kind: 'label' }),
      option(/one of .*'tokens'.* for "targets.kind"/),
    ],
    'something else than a shape': [
      targets(Int32Array.of(0, 1), { shape: 2 }),
      option(/positive integers for "targets.shape"/),
    ],
    'a class of floats': [
      targets(new Float32Array(2), { kind: 'class' }),
      option(/indices of classes, .* for a target "class" for "targets.data"/),
    ],
    'tokens of floats': [targets(new Float32Array(2), { kind: 'tokens' }), option(/for a target "tokens"/)],
    'values of integers': [
      targets(new Int32Array(2), { kind: 'values' }),
      option(/Float32Array for a target "values"/),
    ],
    'classes of int64': [
      targets(new BigInt64Array(2), { kind: 'classes' }),
      option(/of 0 and 1 for a target "classes"/),
    ],
    'a class with a shape': [targets(new Int32Array(4), { kind: 'class', shape: [2] }), option(/no shape for a class/)],
    'none with values': [targets(new Int32Array(2), { kind: 'none' }), option(/no data for targets "none"/)],
    'a class below 0': [targets(Int32Array.of(0, -100)), format(/from 0, but the target of sample 1 holds -100/)],
    'a token below 0': [
      targets(Int32Array.of(0, -100, -1, 0), { shape: [2] }),
      format(/from 0, but the target of sample 1 holds -1/),
    ],
    'a class of 33 bits': [targets(BigInt64Array.of(0n, 2n ** 32n)), format(/target of sample 1 is 4294967296/)],
    'a class that is half there': [
      targets(Float32Array.of(0, 1, 0.5, 0), { kind: 'classes', shape: [2] }),
      format(/0 or 1 for each class but that of sample 1 holds 0.5/),
    ],
    'a target that is NaN': [
      targets(Float32Array.of(0, Number.NaN)),
      format(/finite targets but that of sample 1 holds NaN/),
    ],
    'an infinite target': [targets(Float32Array.of(Infinity, 0)), format(/that of sample 0 holds Infinity/)],
    'a number of classes for values': [
      { ...targets(new Float32Array(2)), classes: 3 },
      option(/"values" are no indices of classes, for "classes"/),
    ],
    'no classes': [{ inputs: both, labels, classes: 0 }, option(/an integer of at least 1 for "classes"/)],
  };
  for (const [what, [options, error]] of Object.entries(refused)) {
    it(`refuse ${what}`, () => assert.throws(() => arrays(options), error));
  }

  it('name the token that the number of classes has no room for', async () => {
    const data = arrays({ ...targets(Int32Array.of(1, -100, 2, 0), { shape: [2] }), classes: 2 });
    await assert.rejects(collect(batches(data)), format(/tokens from 0 to 1, or -100 but a token of sample 1 is 2/));
  });

  it('find the kind of targets by their type and shape', () => {
    const kindOf = (data, more) => arrays(targets(data, more)).targets.kind;
    assert.equal(kindOf(new Float32Array(2)), 'values');
    assert.equal(kindOf(new BigInt64Array(2)), 'class');
    assert.equal(kindOf(new Uint8Array(4), { shape: [2] }), 'tokens');
    assert.equal(arrays({ inputs: both }).targets.kind, 'none');
  });
});
