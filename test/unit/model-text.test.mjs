// The text by which a learner's folder has an exported model: it is read as the same model, and refused where it is damaged.
import assert from 'node:assert/strict';
import { modelText, readModel } from '../../dist/online/storage/model-text.js';
import { temporaryFolder } from '../support.mjs';
import { exported } from './exported-support.mjs';

/** A model with everything that only exported programs have. */
const whole = {
  name: 'Made',
  program: {
    inputs: [{ name: 'x', dtype: 'float32', shape: ['width', 2] }],
    parameters: [
      { name: 'a', dtype: 'float32', shape: [2, 3], stride: [1, 2], ties: ['b'] },
      { name: 'c', dtype: 'float32', shape: [1], frozen: true },
    ],
    buffers: [],
    nodes: [
      {
        ...{
          op: 'aten::clamp',
          overload: '',
          args: { self: { value: 'x' }, min: { float: -Infinity }, max: { float: NaN } },
        },
        ...{ outputs: ['y'], only: 'training', gradient: false, place: 'the module "a", line 3' },
      },
      { op: 'aten::unbind', overload: 'int', args: { self: { value: 'y' }, dim: { int: 0 } }, outputs: [[null, 'z']] },
      {
        ...{
          op: 'aten::mul',
          overload: 'Tensor',
          args: { self: { value: 'z' }, other: { float: -0 } },
          outputs: ['w'],
        },
        autocast: { dtype: 'bfloat16', region: 0 },
      },
      {
        ...{
          op: 'aten::slice',
          overload: 'Tensor',
          args: { self: { value: 'w' }, end: { int: '9223372036854775807' } },
        },
        outputs: ['v'],
      },
      {
        ...{
          op: 'control::condition',
          overload: '',
          args: { condition: true, operands: [{ value: 'v' }] },
          outputs: ['output'],
        },
        branches: {
          whenTrue: { inputs: ['i'], nodes: [], outputs: ['i'] },
          whenFalse: {
            inputs: ['j'],
            nodes: [{ op: 'aten::neg', overload: '', args: { self: { value: 'j' } }, outputs: ['k'] }],
            outputs: ['k'],
          },
        },
      },
    ],
    outputs: ['output'],
    constants: [{ name: 'table', dtype: 'int64', shape: [1], data: 'AQAAAAAAAAA=' }],
    sizes: { width: { min: 2, max: 8 } },
    batch: { min: 2 },
    exported: true,
    trainsOnly: 'aten::rand draws random numbers',
  },
  tensors: ['a', 'b']
    .map((name) => ({ name, dtype: 'float32', shape: [2, 3] }))
    .concat({ name: 'c', dtype: 'float32', shape: [1] }),
  modules: [['', 1]],
};

describe('the text of an exported model', () => {
  const at = temporaryFolder();

  it('is read as the same model, which has the same text', async () => {
    for (const model of [whole, await exported(at('reader.pt2'))]) {
      const text = modelText(model);
      assert.deepEqual(readModel(text), JSON.parse(JSON.stringify(model, unknownNumbers), knownNumbers));
      assert.equal(modelText(readModel(text)), text);
    }
    const [{ args }] = readModel(modelText(whole)).program.nodes;
    assert.deepEqual([args.min.float, args.max.float], [-Infinity, NaN]);
    assert.ok(Object.is(readModel(modelText(whole)).program.nodes[2].args.other.float, -0));
  });

  const unknownNumbers = (_, value) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? `number ${Object.is(value, -0) ? '-0' : value}`
      : value;
  const knownNumbers = (_, value) =>
    typeof value === 'string' && value.startsWith('number ') ? Number(value.slice(7)) : value;

  const damages = {
    'a stride of text': ['"stride":[1,2]', '"stride":"1,2"'],
    'a tie that the state does not have': ['"ties":["b"]', '"ties":["d"]'],
    'a parameter that is frozen in part': ['"frozen":true', '"frozen":"most"'],
    'a number of no kind': ['{"$number":"NaN"}', '{"$number":"many"}'],
    'a mode that there is not': ['"only":"training"', '"only":"both"'],
    'gradients of text': ['"gradient":false', '"gradient":"no"'],
    'a region without a number': ['"region":0', '"region":"here"'],
    'a place that is no text': ['"place":"the module \\"a\\", line 3"', '"place":3'],
    'an output of no name': ['"outputs":["y"]', '"outputs":[1]'],
    'an overload that is no text': ['"overload":"Tensor"', '"overload":2'],
    'one branch': ['"whenFalse"', '"whenOther"'],
    'a branch without inputs': ['"inputs":["j"]', '"inputs":"j"'],
    'a constant without elements': ['"data"', '"date"'],
    'a constant whose elements are no base64': ['AQAAAAAAAAA=', 'AQAAAA\\u0000AAAA='],
    'a range of no numbers': ['"max":8', '"max":"8"'],
    'a batch without its least': ['"batch":{"min":2}', '"batch":{"max":2}'],
    'an origin of another kind': ['"exported":true', '"exported":1'],
    'a reason that is no text': ['"trainsOnly":"aten::rand draws random numbers"', '"trainsOnly":true'],
    'arguments in a list': ['"args":{"self":{"value":"y"},"dim":{"int":0}}', '"args":[]'],
  };
  for (const [name, [from, to]] of Object.entries(damages)) {
    it(`is refused if it holds ${name}`, () => {
      const text = modelText(whole);
      assert.ok(text.includes(from), text);
      assert.throws(() => readModel(text.replace(from, to)), { code: 'ERR_STATE_FORMAT' });
    });
  }
});
