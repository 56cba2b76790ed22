// Values that nodes of a program are given and return: numbers, constants of a type, lists of both, what the run decides. Expected ones are
// arithmetic.
import assert from 'node:assert/strict';
import { arrays, mseLoss, predict, State, sgd, trainIncremental } from 'torch-incremental';

const value = (name) => ({ value: name });
const node = (op, overload, args, ...outputs) => ({ op, overload, args, outputs });
const aten = (op, overload, args, ...outputs) => node(`aten::${op}`, overload, args, ...outputs);

/** A model of one input of shape [2], called `x`, that returns `output`. */
function model(nodes, more = {}) {
  const { dtype = 'float32', shape = [2], parameters = [], ...others } = more;
  const inputs = [{ name: 'x', dtype, shape }];
  const program = { inputs, parameters, buffers: [], nodes, outputs: ['output'], exported: true, ...others };
  return { name: 'Made', program, tensors: parameters, modules: [['', 1]] };
}

/** Outputs for samples of [1, 2] and [3, 4]. */
async function outputs(nodes, more = {}) {
  const made = model(nodes, more);
  const data = more.dtype === 'int64' ? BigInt64Array.of(1n, 2n, 3n, 4n) : Float32Array.of(1, 2, 3, 4);
  const { logits, shape } = await predict(State.from({}), data, { model: made, threads: 1, transforms: [] });
  return { values: [...logits], shape };
}

describe('values of a program', () => {
  it('keep integers and floats apart, as an operator of any number sees them', async () => {
    const halved = (other) => [
      aten('div', 'Tensor', { self: value('x'), other }, 'quotient'),
      aten('mul', 'Tensor', { self: value('x'), other }, 'product'),
      aten('eq', 'Scalar', { self: value('product'), other: { int: 2 } }, 'is two'),
      aten('to', 'dtype', { self: value('is two'), dtype: { dtype: 'float32' } }, 'output'),
    ];
    assert.deepEqual((await outputs(halved({ int: 2 }), { dtype: 'int64' })).values, [1, 0, 0, 0]);
    // int64 times 2.5 is float32: 2.5, 5, 7.5, 10.
    const scaled = [
      aten('mul', 'Tensor', { self: value('x'), other: { float: 2.5 } }, 'product'),
      aten('to', 'dtype', { self: value('product'), dtype: { dtype: 'float64' } }, 'output'),
    ];
    assert.deepEqual((await outputs(scaled, { dtype: 'int64' })).values, [2.5, 5, 7.5, 10]);
    const whole = [aten('mul', 'Tensor', { self: value('x'), other: { float: 2 } }, 'output')];
    const result = await outputs(
      [
        ...whole.slice(0, 0),
        aten('mul', 'Tensor', { self: value('x'), other: { float: 2 } }, 'product'),
        aten('div', 'Tensor', { self: value('product'), other: { int: 4 } }, 'output'),
      ],
      { dtype: 'int64' },
    );
    assert.deepEqual(result.values, [0.5, 1, 1.5, 2]);
  });

  it('may be numbers: sizes, what is computed of them, and where tensors are taken', async () => {
    const nodes = [
      aten('sym_size', 'int', { self: value('x'), dim: 0 }, 'samples'),
      node('scalar::mul', '', { a: value('samples'), b: { int: 2 } }, 'elements'),
      aten('reshape', '', { self: value('x'), shape: [value('elements')] }, 'flat'),
      aten('mul', 'Tensor', { self: value('flat'), other: value('samples') }, 'scaled'),
      node('scalar::truediv', '', { a: value('elements'), b: { int: 8 } }, 'half'),
      aten('add', 'Tensor', { self: value('scaled'), other: value('half') }, 'shifted'),
      aten('view', '', { self: value('shifted'), size: [value('samples'), { int: -1 }] }, 'output'),
    ];
    assert.deepEqual(await outputs(nodes), { values: [2.5, 4.5, 6.5, 8.5], shape: [2, 2] });
  });

  it('are items of the lists that operators return, of which some may have no name', async () => {
    const nodes = [
      aten('unbind', 'int', { self: value('x'), dim: { int: 1 } }, [null, 'second']),
      aten('split', 'Tensor', { self: value('x'), split_size: { int: 1 }, dim: { int: 1 } }, ['left', 'right']),
      aten('cat', '', { tensors: [value('right'), value('left')], dim: 1 }, 'swapped'),
      aten('unsqueeze', '', { self: value('second'), dim: { int: 1 } }, 'column'),
      aten('add', 'Tensor', { self: value('swapped'), other: value('column') }, 'output'),
    ];
    assert.deepEqual((await outputs(nodes)).values, [4, 3, 8, 7]);
    const wrong = [aten('unbind', 'int', { self: value('x'), dim: { int: 1 } }, ['a', 'b', 'output'])];
    await assert.rejects(outputs(wrong), {
      code: 'ERR_SHAPE',
      message: /Expected 3 values of node 0 \(aten::unbind\.int\)/,
    });
  });

  it('are lists of optional tensors, and constants as large as an integer of 64 bits', async () => {
    const nodes = [
      aten(
        'arange',
        'start',
        { start: { int: 1 }, end: { int: 2 }, device: { run: 'device' }, dtype: { dtype: 'int64' } },
        'columns',
      ),
      aten('index', 'Tensor', { self: value('x'), indices: [null, value('columns')] }, 'last'),
      aten(
        'slice',
        'Tensor',
        { self: value('last'), dim: { int: 1 }, start: { int: 0 }, end: { int: '9223372036854775807' } },
        'output',
      ),
    ];
    assert.deepEqual(await outputs(nodes), { values: [2, 4], shape: [2, 1] });
  });

  it('are infinite or no numbers where a float may be', async () => {
    const nodes = [
      aten('full_like', '', { self: value('x'), fill_value: { float: -Infinity } }, 'least'),
      aten('maximum', '', { self: value('least'), other: value('x') }, 'output'),
    ];
    assert.deepEqual((await outputs(nodes)).values, [1, 2, 3, 4]);
    const nan = await outputs([aten('add', 'Scalar', { self: value('x'), other: { float: NaN } }, 'output')]);
    assert.ok(nan.values.every(Number.isNaN));
  });

  it('are chosen by a condition, whose other branch does not run', async () => {
    const branch = (name, nodes) => ({ inputs: [name], nodes, outputs: [`of ${name}`] });
    const nodes = [
      aten('sum', '', { self: value('x') }, 'total'),
      aten('gt', 'Scalar', { self: value('total'), other: { int: 100 } }, 'is large'),
      {
        ...node('control::condition', '', { condition: value('is large'), operands: [value('x')] }, 'output'),
        branches: {
          whenTrue: branch('a', [aten('reshape', '', { self: value('a'), shape: [{ int: 99 }] }, 'of a')]),
          whenFalse: branch('b', [aten('neg', '', { self: value('b') }, 'of b')]),
        },
      },
    ];
    assert.deepEqual((await outputs(nodes)).values, [-1, -2, -3, -4]);
  });

  it('are cast for the nodes of a region of autocast alone', async () => {
    const region = { autocast: { dtype: 'bfloat16', region: 0 } };
    const exact = { autocast: { dtype: false, region: 1 } };
    const weight = [{ name: 'w', dtype: 'float32', shape: [2, 2] }];
    const linear = (output, around) => ({
      ...aten('linear', '', { input: value('x'), weight: value('w') }, output),
      ...around,
    });
    const state = State.from({ w: { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1.001, 0, 0, 1) } });
    const run = async (nodes) => {
      const made = model(nodes, { parameters: weight });
      const { logits } = await predict(state, Float32Array.of(1, 1), { model: made, threads: 1, transforms: [] });
      return logits[0];
    };
    const float = (from) => aten('to', 'dtype', { self: value(from), dtype: { dtype: 'float32' } }, 'output');
    assert.equal(await run([linear('low', region), float('low')]), 1);
    assert.equal(await run([linear('output', exact)]), Math.fround(1.001));
    assert.equal(await run([linear('low', region), linear('output', {})]), Math.fround(1.001));
  });

  it('get no gradients from nodes that say so', async () => {
    const parameters = ['a', 'b'].map((name) => ({ name, dtype: 'float32', shape: [2] }));
    const nodes = [
      { ...aten('mul', 'Tensor', { self: value('x'), other: value('a') }, 'fixed'), gradient: false },
      aten('mul', 'Tensor', { self: value('fixed'), other: value('b') }, 'output'),
    ];
    const data = arrays({
      inputs: { x: { data: Float32Array.of(1, 2), shape: [2] } },
      targets: { kind: 'values', data: Float32Array.of(0, 0), shape: [2] },
    });
    const ones = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 1) };
    const { state } = await trainIncremental(State.from({ a: ones, b: ones }), {
      ...{ model: model(nodes, { parameters }), data, epochs: 1, batchSize: 1, threads: 1, loss: mseLoss() },
      // Decay would change the weights that have a gradient of zeros.
      optimizer: sgd({ learningRate: 0.1, momentum: 0, weightDecay: 0.5 }),
    });
    assert.deepEqual([...state.tensor('a').data], [1, 1]);
    assert.notDeepEqual([...state.tensor('b').data], [1, 1]);
  });

  it('are refused where they do not fit what an operator takes', async () => {
    const refusals = [
      [aten('relu', '', { self: { dtype: 'float32' } }, 'output'), /"self"/],
      [aten('view', '', { self: value('x'), size: [{ float: 2.5 }] }, 'output'), /"size" of node 0/],
      [aten('to', 'dtype', { self: value('x'), dtype: 6 }, 'output'), /"dtype" of node 0 .* must be a dtype/],
      [
        aten('view', 'dtype', { self: value('x'), dtype: { dtype: 'bool' } }, 'output'),
        /view of bytes as another type/,
      ],
      [aten('relu', '', { self: value('x'), layout: { layout: 'strided' } }, 'output'), /Unknown or repeated argument/],
      [
        aten('slice', 'Tensor', { self: value('x'), end: { int: '92233720368547758070' } }, 'output'),
        /integer of 64 bits/,
      ],
      [aten('add', 'out', { self: value('x'), other: value('x'), out: value('x') }, 'output'), /writes into "out"/],
      [aten('from_file', '', { filename: '/tmp/x' }, 'output'), /not one that a model may use/],
      [node('scalar::mul', '', { a: { int: 2 } }, 'output'), /Missing argument "b"/],
      [node('scalar::floordiv', '', { a: { int: 2 }, b: { int: 0 } }, 'output'), /Expected a divisor/],
    ];
    for (const [refused, message] of refusals) {
      await assert.rejects(
        outputs([refused]),
        (error) => /^ERR_/.test(error.code) && message.test(error.message),
        String(message),
      );
    }
  });
});
