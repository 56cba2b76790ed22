// Tests the addon with samples that lib/ would never hand over: it must check everything that memory depends on.
import assert from 'node:assert/strict';
import { createState } from 'torch-incremental';
import native from '../../dist/native/native.js';
import { programHandle } from '../../dist/native/programs.js';
import { stateHandle } from '../../dist/state/state.js';
import { text } from '../golden/input-models.mjs';

const ids = { name: 'ids', data: new BigInt64Array(10), shape: [5] };
const dense = { name: 'dense', data: new Float32Array(6), shape: [3] };
const otherDense = (changes) => ({ inputs: [ids, { ...dense, ...changes }] });
const otherIds = (data) => ({ inputs: [{ ...ids, data }, dense] });

/** By error: changes of a valid plan for two samples of two inputs. */
const predictions = {
  'an input twice': { order: [0, 0] },
  'an input that does not exist': { order: [0, 2] },
  'an input before the first': { order: [-1, 0] },
  'an input beyond all': { order: [2 ** 53, 0] },
  'an order that is too short': { order: [0] },
  'inputs of the types of one another': { order: [1, 0] },
  'an input too few': { inputs: [ids], order: [0], transforms: [[]] },
  'no inputs': { inputs: [], order: [], transforms: [] },
  'transforms of one input': { transforms: [[]] },
  'transforms without lists': { transforms: [{}, {}] },
  'inputs of other counts': otherDense({ data: new Float32Array(9) }),
  'no samples': { inputs: [ids, dense].map((input) => ({ ...input, data: input.data.slice(0, 0) })) },
  'values of another type': otherIds(new Float32Array(10)),
  'values that are too wide': otherIds(new Float64Array(10)),
  'values other than an array': otherIds('0123456789'),
  'no values': otherIds(undefined),
  'half a sample': otherDense({ data: new Float32Array(5) }),
  'a size of 0': otherDense({ shape: [0] }),
  'a size below 0': otherDense({ shape: [-3] }),
  'sizes whose product overflows': otherDense({ shape: [2 ** 52, 2 ** 52] }),
  'a size that is not a number': otherDense({ shape: ['3'] }),
  'a shape that the model does not take': otherDense({ shape: [1, 3] }),
  'an index after the last': otherIds(new BigInt64Array(10).fill(50n)),
  'an index before the first': otherIds(new BigInt64Array(10).fill(-1n)),
};

const target = (kind, shape, targets) => ({ target: { kind, shape }, targets });
const sets = {
  'floats for a class': { targets: new Float32Array(2) },
  'bytes for a class': { targets: new Uint8Array(2) },
  'int32 for values': target('values', [], new Int32Array(2)),
  'an unknown kind': target('label', [], new Int32Array(2)),
  'a class with a shape': target('class', [1], new Int32Array(2)),
  'none with a shape': target('none', [1], new Int32Array()),
  'a target too few': { targets: new Int32Array(1) },
  'half a target': target('values', [2], new Float32Array(3)),
  'a size of 0': target('values', [0], new Float32Array(2)),
  'sizes whose product overflows': target('values', [2 ** 31, 2 ** 31, 4], new Float32Array(2)),
  'a class that does not exist': { targets: Int32Array.of(0, 4) },
  'a class below 0': { targets: Int32Array.of(0, -100) },
  'a token below 0': target('tokens', [1], Int32Array.of(-100, -1)),
  'classes below 0': { classes: -1 },
  'a target that is NaN': target('values', [], Float32Array.of(0, Number.NaN)),
  'a class that is half there': target('classes', [1], Float32Array.of(0, 0.5)),
  'inputs of other counts': { inputs: [ids, { ...dense, data: new Float32Array(3) }] },
  'no inputs': { inputs: [] },
};

describe('the addon, given samples', () => {
  let state;
  before(async () => {
    state = await createState(text, { seed: 0 });
  });
  const addon = () => native.native();
  const predict = async (changes) =>
    addon().predict({
      ...{ program: await programHandle(text.program), state: stateHandle(state), inputs: [ids, dense] },
      ...{ order: [0, 1], transforms: [[], []], output: 0, batchSize: 2, threads: 1, device: 'cpu' },
      ...changes,
    }).done;
  const make = async (changes) =>
    addon().makeDataset({
      ...{ kind: 'arrays', inputs: [ids, dense], ...target('class', [], new Int32Array(2)), classes: 4 },
      ...changes,
    });
  const isNamed = ({ code, message }) => {
    assert.match(String(code), /^ERR_(INVALID_OPTION|DATA_FORMAT|SHAPE|TORCH)$/, message);
    return true;
  };

  it('works by valid plans', async () => {
    assert.deepEqual((await predict({})).shape, [2, 4]);
    assert.equal(addon().datasetInfo(await make({})).length, 2);
  });

  for (const [what, changes] of Object.entries(predictions)) {
    it(`refuses to predict with ${what}`, () => assert.rejects(predict(changes), isNamed));
  }

  for (const [what, changes] of Object.entries(sets)) {
    it(`refuses a data set with ${what}`, () => assert.rejects(make(changes), isNamed));
  }
});
