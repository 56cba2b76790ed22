// Tests that operators of the list that trust their arguments are not called with wrong ones: in libtorch 2.13 these calls read and write
// beyond tensors, or end the process. Found by the fuzzers, with tensors at the end of their pages (test/fuzz/guard.c).
import assert from 'node:assert/strict';
import { arrays, evaluate, linear, predict, State, sequential, trainIncremental } from 'torch-incremental';

const value = (name) => ({ value: name });
const values = (...names) => names.map(value);
const floats = (shape, fill = 0.5) => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((all, size) => all * size, 1)).fill(fill),
});
const integers = (...numbers) => ({
  dtype: 'int64',
  shape: [numbers.length],
  data: BigInt64Array.from(numbers.map(BigInt)),
});

/** Predicts and trains linear(2, 3) after a call of `op` over parameters of their own. */
async function run(op, overload, tensors, args, outputs = ['made']) {
  const model = structuredClone(sequential([linear(2, 3)], { input: [2] }));
  const state = State.from({ ...tensors, '0.weight': floats([3, 2]), '0.bias': floats([3]) });
  for (const [name, { dtype, shape }] of Object.entries(tensors)) {
    const kind = dtype === 'float32' ? 'parameters' : 'buffers';
    model.program[kind] = [...model.program[kind], { name, dtype, shape }];
    model.tensors = [...model.tensors, { name, dtype, shape }];
  }
  model.program.nodes.unshift({ op, overload, args, outputs });
  const data = arrays({ inputs: Float32Array.from([1, 2, 3, 4]), labels: [0, 1], shape: [2] });
  const options = { model, threads: 1 };
  const before = state.tensors.map(({ name }) => String(state.tensor(name).data));
  const steps = [
    () => predict(state, Float32Array.of(1, 2), options),
    () => evaluate(state, { ...options, data }),
    () => trainIncremental(state, { ...options, data, batchSize: 2, epochs: 1, transforms: [] }),
  ];
  const found = [];
  for (const step of steps) {
    found.push(
      await step().then(
        () => 'ok',
        ({ code, message }) => `${code} ${message}`,
      ),
    );
  }
  assert.deepEqual(
    state.tensors.map(({ name }) => String(state.tensor(name).data)),
    before,
  );
  return found;
}

const layers = { has_biases: true, num_layers: 1, dropout: 0, train: false, bidirectional: false };
const weights = (gates, { input = 2, hidden = 3 } = {}) => ({
  ...{ wi: floats([gates * hidden, input]), wh: floats([gates * hidden, hidden]) },
  ...{ bi: floats([gates * hidden]), bh: floats([gates * hidden]) },
});
const parameters = values('wi', 'wh', 'bi', 'bh');
const sequence = { input: value('x'), params: parameters, ...layers, batch_first: true };
const states = { x: floats([5, 4, 2]), h: floats([1, 5, 3]), c: floats([1, 5, 3]) };
const hx = values('h', 'c');
const packed = { data: value('x'), batch_sizes: value('sizes'), hx, params: parameters, ...layers };
const rows = { ...weights(4), x: floats([5, 2]), h: floats([1, 2, 3]), c: floats([1, 2, 3]) };
const lstm = (changes, args = {}) => [
  'aten::lstm',
  'input',
  { ...weights(4), ...states, ...changes },
  { ...sequence, hx, ...args },
  ['y', 'hn', 'cn'],
];
const lstmOfPacked = (changes, args = {}) => [
  'aten::lstm',
  'data',
  { ...rows, sizes: integers(2, 2, 1), ...changes },
  { ...packed, ...args },
  ['y', 'hn', 'cn'],
];
const norm = (v, g, dim = 0) => [
  'aten::_weight_norm',
  '',
  { v: floats(v), g: floats(g) },
  { v: value('v'), g: value('g'), dim },
];
const grid = (fill) => [
  ...['aten::grid_sampler', '', { x: floats([1, 1, 3, 3]), grid: floats([1, 2, 2, 2], fill) }],
  { input: value('x'), grid: value('grid'), interpolation_mode: 0, padding_mode: 1, align_corners: true },
];

describe('a call of a model', () => {
  const wrong = {
    'normalises no weights': [norm([0], [6, 1]), /Expected at least one weight/],
    'normalises by norms that are too few': [norm([28, 7], [4]), /Expected norms of shape \[28, 1\]/],
    'normalises along an axis that there is not': [norm([2, 3], [2, 1], 7), /Expected an axis/],
    'samples at infinity': [grid(Number.POSITIVE_INFINITY), /Expected finite positions/],
    'samples at no number': [grid(Number.NaN), /Expected finite positions/],
    'has no bags of rows that there are not': [
      [
        ...['aten::embedding_bag', '', { w: floats([4, 4]), i: integers(0, 2 ** 50), o: integers() }],
        ...[
          { weight: value('w'), indices: value('i'), offsets: value('o'), scale_grad_by_freq: true },
          ['a', 'b', 'c', 'd'],
        ],
      ],
      /Expected indices from 0 to 3/,
    ],
    'has an LSTM with states of other samples': [
      lstm({ h: floats([1, 4, 3]), c: floats([1, 4, 3]) }),
      /Expected a state of shape \[1, 5, units\]/,
    ],
    'has an LSTM with one state': [lstm({}, { hx: values('h') }), /the parameters and the state of at least one layer/],
    'has an LSTM with weights of other inputs': [
      lstm({ wi: floats([12, 1]) }),
      /Expected a parameter of shape \[12, 2\]/,
    ],
    'has an LSTM with too few biases': [lstm({ bh: floats([3]) }), /Expected a parameter of shape \[12\]/],
    'has an LSTM without biases but with their flag': [
      lstm({}, { params: values('wi', 'wh') }),
      /Expected 4 parameters but received 2/,
    ],
    'has an LSTM of 2 ** 62 layers': [
      lstm({}, { num_layers: { int: String(2n ** 62n) } }),
      /the parameters and the state of at least one layer/,
    ],
    'has an LSTM of an empty sequence': [lstm({ x: floats([5, 0, 2]) }), /none of them empty/],
    'expands a number to 2 ** 50': [
      ['aten::expand', '', { x: floats([1]) }, { self: value('x'), size: [2 ** 50] }],
      /at most 68719476736 elements/,
    ],
    'expands a number beyond 64 bits': [
      ['aten::broadcast_to', '', { x: floats([1]) }, { self: value('x'), size: [2 ** 40, 2 ** 40, 1] }],
      /at most 68719476736 elements/,
    ],
    'has a grid of 2 ** 40 points': [
      [
        'aten::meshgrid',
        'indexing',
        { x: floats([1024]) },
        { tensors: values('x', 'x', 'x', 'x'), indexing: 'ij' },
        [['a', 'b', 'c', 'd']],
      ],
      /at most 68719476736 elements/,
    ],
    'has windows of 2 ** 38 elements': [
      ['aten::unfold', '', { x: floats([2 ** 20]) }, { self: value('x'), dimension: 0, size: 2 ** 18, step: 1 }],
      /at most 68719476736 elements/,
    ],
    'cuts nothing into 2 ** 40 parts': [
      ['aten::chunk', '', { x: floats([0]) }, { self: value('x'), chunks: 2 ** 40 }, [['a']]],
      /at most 1048576 parts/,
    ],
    'has 2 ** 40 empty parts': [
      ['aten::tensor_split', 'sections', { x: floats([0]) }, { self: value('x'), sections: 2 ** 40 }, [['a']]],
      /at most 1048576 parts/,
    ],
    'has an LSTM of packed rows that are fewer': [
      lstmOfPacked({ sizes: integers(2, 2, 2) }),
      /whose sum is the number of rows/,
    ],
    'has an LSTM of packed rows that grow': [lstmOfPacked({ sizes: integers(1, 2, 2) }), /that do not grow/],
    'has an LSTM of a negative number of packed rows': [lstmOfPacked({ sizes: integers(9, -4) }), /that do not grow/],
    'has an LSTM of packed rows with states of other samples': [
      lstmOfPacked({ h: floats([1, 1, 3]), c: floats([1, 1, 3]) }),
      /Expected a state of shape \[1, 2, units\]/,
    ],
  };
  for (const [what, [call, words]] of Object.entries(wrong))
    it(`that ${what} is refused`, async () => {
      for (const found of await run(...call)) assert.match(found, new RegExp(`^ERR_SHAPE .*${words.source}`));
    });

  const right = {
    'normalises weights': norm([3, 2], [3, 1]),
    'normalises weights along the last axis': norm([3, 2], [1, 2], 1),
    'samples within an image': grid(0.5),
    'has an LSTM': lstm({}),
    'has an LSTM that projects': lstm(
      { h: floats([1, 5, 2]), wh: floats([12, 2]), wr: floats([2, 3]) },
      { params: values('wi', 'wh', 'bi', 'bh', 'wr') },
    ),
    'has an LSTM of packed rows': lstmOfPacked({}),
    'has a GRU': ['aten::gru', 'input', { ...weights(3), ...states }, { ...sequence, hx: value('h') }, ['y', 'hn']],
    'has an RNN': [
      'aten::rnn_tanh',
      'input',
      { ...weights(1), ...states },
      { ...sequence, hx: value('h') },
      ['y', 'hn'],
    ],
  };
  for (const [what, call] of Object.entries(right))
    it(`that ${what} runs`, async () => assert.deepEqual(await run(...call), ['ok', 'ok', 'ok']));

  it('that has more results than its operator is refused where a batch norm looks for shapes', async () => {
    const tensors = { x: floats([2, 3]), mean: floats([3]), variance: floats([3]) };
    const args = {
      input: value('x'),
      weight: null,
      bias: null,
      running_mean: value('mean'),
      running_var: value('variance'),
    };
    const rest = { momentum: 0.1, eps: 1e-5, cudnn_enabled: false };
    for (const found of await run('aten::batch_norm', '', tensors, { ...args, ...rest }, ['y', 'more']))
      assert.match(found, /^ERR_INVALID_OPTION Too many outputs/);
  });

  it('that keeps statistics while it evaluates does not change the state', async () => {
    const tensors = { x: floats([2, 3], 7), mean: floats([3]), variance: floats([3]) };
    const args = {
      input: value('x'),
      weight: null,
      bias: null,
      running_mean: value('mean'),
      running_var: value('variance'),
    };
    const rest = { training: true, momentum: 0.1, eps: 1e-5, cudnn_enabled: false };
    const [predicted, evaluated] = await run('aten::batch_norm', '', tensors, { ...args, ...rest });
    assert.deepEqual([predicted, evaluated], ['ok', 'ok']);
  });
});
