// Archives that are well-formed for the reader, of models that are hostile: each its description, and by step the code and the words of the
// error that refuses it, or 'ok'. Nothing is said of steps that work. Of graphs inside graphs, tensors, names, inputs, and pairs of programs.
import { graphOf, node, raw, ref, unnamed } from './descriptions.mjs';
import {
  after,
  aten,
  bad,
  call,
  float,
  format,
  int,
  ints,
  linear,
  model,
  needsPair,
  number,
  outside,
  rest,
  running,
  self,
} from './hostile-calls.mjs';

const region = (grad, ...nodes) => ({
  ...node('torch.ops.higher_order.wrap_with_set_grad_enabled', {}, 'linear'),
  inputs: unnamed({ as_bool: grad }, graphOf(nodes, ['linear']), ...['x', 'p_fc_weight', 'p_fc_bias'].map(ref)),
});
const condition = (chosen, whenTrue, whenFalse) => ({
  ...node('torch.ops.higher_order.cond', {}, 'made'),
  inputs: unnamed(chosen, graphOf(...whenTrue), graphOf(...whenFalse), {
    as_tensors: ['x', 'p_fc_weight', 'p_fc_bias'].map((name) => ({ name })),
  }),
});
const relu = (name = 'y') => [[aten('relu.default', { self: ref('x') }, name)], [name]];
const nestedConditions = (depth) => {
  const inner = depth === 0 ? relu() : [[nestedConditions(depth - 1)], ['made']];
  return condition({ as_bool: true }, inner, inner);
};
export const graphs = {
  'has a condition that is a tensor of many': [after(condition(self, relu(), relu())), running(/./)],
  'has a condition that is a number': [
    after(aten('sym_size.int', { self: ref('x'), dim: int(0) }, number('b')), condition(number('b'), relu(), relu())),
    format(/Expected a condition/),
  ],
  'has a condition on a constant': [after(condition({ as_bool: true }, relu(), relu())), {}],
  'has an operator outside the list in a branch that never runs': [
    after(condition({ as_bool: true }, relu(), [[aten('set_.default', { self: ref('x') }, 'y')], ['y']])),
    outside,
  ],
  'has unwritten memory in a branch': [
    after(condition({ as_bool: true }, relu(), [[aten('empty_like.default', { self: ref('x') }, 'y')], ['y']])),
    bad(/memory that nobody has written/),
  ],
  'has branches of different shapes': [
    after(condition({ as_bool: false }, relu(), [[aten('sum.default', { self: ref('x') }, 'y')], ['y']])),
    {},
  ],
  'has conditions nested eight deep': [after(nestedConditions(8)), {}],
  'has a region without gradients that changes a parameter': [
    model({ nodes: [region(false, linear, aten('zero_.default', { self: ref('p_fc_weight') }, 'zeroed')), ...rest] }),
    { train: ['ERR_INVALID_OPTION', /depends on none of the parameters/] },
  ],
  'changes a parameter in place': [
    after(aten('zero_.default', { self: ref('p_fc_weight') }, 'zeroed')),
    { train: ['ERR_TORCH', /in-place operation/] },
  ],
  'changes a view of a parameter in place': [
    after(
      aten('view.default', { self: ref('p_fc_weight'), size: ints(6) }, 'seen'),
      aten('zero_.default', { self: ref('seen') }, 'zeroed'),
    ),
    { train: ['ERR_TORCH', /in-place operation/] },
  ],
  'changes its input in place': [
    after(aten('zero_.default', { self: ref('x') }, 'zeroed')),
    { train: ['ERR_TORCH', /inplace operation/] },
  ],
  'changes a constant in place': [
    after(aten('add_.Tensor', { self: ref('c_scale'), other: int(1) }, 'changed')),
    { predict: needsPair(/changes "c_scale"/), train: 'ok' },
  ],
  'resizes by writing': [
    call('copy_.default', { self: ref('b_shift'), src: ref('x') }),
    { predict: needsPair(/changes "shift"/), train: ['ERR_TORCH', /size of tensor|broadcast|output with shape/] },
  ],
};

const shared = (tensor) => ({ ...model().tensors, shift: { role: 'buffer', shape: [2], ...tensor } });

export const forms = {
  'has a buffer of stride 0 that is written in place': [
    model({
      tensors: shared({ stride: [0] }),
      nodes: [linear, aten('add_.Tensor', { self: ref('b_shift'), other: int(1) }, 'changed'), ...rest],
    }),
    { predict: needsPair(/changes "shift"/), train: 'ok' },
  ],
  'has a parameter of stride 0': [
    model({ tensors: { ...model().tensors, 'fc.bias': { role: 'parameter', shape: [2], stride: [0] } } }),
    {},
  ],
  'has a parameter whose strides overlap': [
    model({ tensors: { ...model().tensors, 'fc.weight': { role: 'parameter', shape: [2, 3], stride: [1, 1] } } }),
    {},
  ],
  'has a constant of 2 ** 40 elements in one': [
    model({ tensors: { ...model().tensors, c_scale: { role: 'tensor_constant', shape: [2 ** 40], stride: [0] } } }),
    format(/"c_scale".*more than the 67108864 that it may have/),
  ],
  'has a constant of 2 ** 29 elements in one': [
    model({ tensors: { ...model().tensors, c_scale: { role: 'tensor_constant', shape: [2 ** 29], stride: [0] } } }),
    format(/"c_scale".*more than the 67108864 that it may have/),
  ],
  'has a buffer of 2 ** 40 elements in one': [
    model({ tensors: shared({ shape: [2 ** 40], stride: [0] }) }),
    running(/./, 'ERR_OUT_OF_MEMORY'),
  ],
  'has an empty constant': [
    model({ tensors: { ...model().tensors, c_scale: { role: 'tensor_constant', shape: [0] } } }),
    running(/must match/),
  ],
  'has a thousand ties': [
    model({
      tensors: {
        ...model().tensors,
        ...Object.fromEntries(
          Array.from({ length: 1000 }, (_, i) => [`fc.tie${i}`, { role: 'parameter', shape: [2], shares: 'fc.bias' }]),
        ),
      },
    }),
    {},
  ],
  'ties a parameter to a buffer': [
    model({ tensors: { ...model().tensors, shift: { role: 'buffer', shape: [2], shares: 'fc.bias' } } }),
    {},
  ],
  'has tensors called __proto__ and constructor': [
    model({
      tensors: {
        ...model().tensors,
        ['__proto__']: { role: 'buffer', shape: [2] },
        constructor: { role: 'buffer', shape: [2] },
      },
    }),
    {},
  ],
  'has values called __proto__ and constructor': [
    after(aten('relu.default', { self }, '__proto__'), aten('relu.default', { self: ref('__proto__') }, 'constructor')),
    {},
  ],
  'has an input called as a tensor': [
    model({
      inputs: { 'fc.weight': { shape: ['s0', 3] } },
      nodes: [
        { ...linear, inputs: [{ name: 'input', arg: ref('fc.weight'), kind: 1 }, ...linear.inputs.slice(1)] },
        ...rest,
      ],
    }),
    format(/has the name of its tensor "fc\.weight"/),
  ],
  'has values called as inputs, tensors and outputs': [
    after(
      aten('relu.default', { self }, 'fc.weight'),
      aten('relu.default', { self: ref('fc.weight') }, 'output'),
      aten('relu.default', { self: ref('output') }, 'x:2'),
    ),
    {},
  ],
  'has a batch of more than at most': [
    model({ symbols: { s0: { min_val: 9, max_val: 2 } } }),
    format(/are from 9 to 2/),
  ],
  'has a batch of less than nothing': [
    model({ symbols: { s0: { min_val: -5, max_val: -2 } } }),
    format(/takes no samples/),
  ],
  'has a batch of at least 2 ** 60': [
    model({ symbols: { s0: { min_val: raw(String(2n ** 60n)), max_val: null } } }),
    format(/takes no samples/),
  ],
  'has a batch of at least 2 ** 50': [
    model({ symbols: { s0: { min_val: 2 ** 50, max_val: null } } }),
    { predict: ['ERR_SHAPE', /Expected 1125899906842624 to/], train: ['ERR_SHAPE', /./] },
  ],
  'has a symbol called __proto__': [
    model({
      inputs: { x: { shape: ['s0', '__proto__'] } },
      symbols: { s0: { min_val: 2, max_val: null }, ['__proto__']: { min_val: 4, max_val: 5 } },
    }),
    { predict: ['ERR_INVALID_OPTION', /"shape"/], evaluate: ['ERR_SHAPE', /./], train: ['ERR_SHAPE', /./] },
  ],
  'has a fixed batch': [model({ inputs: { x: { shape: [4, 3] } } }), {}],
  'has an input without axes': [model({ inputs: { x: { shape: [] } } }), format(/has no axis, so none for samples/)],
  'has an input without samples': [
    model({ inputs: { x: { shape: ['s0', 3] }, y: { shape: [7] } } }),
    format(/has no axis of s0 samples/),
  ],
  'has an empty input': [model({ inputs: { x: { shape: ['s0', 0] } } }), running(/./, 'ERR_SHAPE')],
  'has an input of 2 ** 50 numbers': [model({ inputs: { x: { shape: ['s0', 2 ** 50] } } }), running(/./, 'ERR_SHAPE')],
  'returns a constant and its input': [
    model({ outputs: ['x'] }),
    { train: ['ERR_INVALID_OPTION', /depends on none of the parameters/] },
  ],
};

const normed = (training) =>
  model({
    nodes: [
      linear,
      aten(
        'batch_norm.default',
        {
          ...{
            input: self,
            weight: { as_none: true },
            bias: { as_none: true },
            running_mean: ref('b_shift'),
            running_var: ref('p_fc_bias'),
          },
          ...{
            training: { as_bool: training },
            momentum: float('0.5'),
            eps: float('0.1'),
            cudnn_enabled: { as_bool: false },
          },
        },
        'made',
      ),
      ...rest,
    ],
  });
const without = (...names) =>
  Object.fromEntries(Object.entries(model().tensors).filter(([name]) => !names.includes(name)));
const evaluating = (eval_) => ({ train: model(), eval: eval_ });

/** Of two programs, the one that evaluates is hostile. */
export const pairs = {
  'evaluates another number of inputs': [
    evaluating(model({ inputs: { x: { shape: ['s0', 3] }, y: { shape: ['s0', 3] } } })),
    format(/to take the inputs of the one that trains/),
  ],
  'evaluates inputs of another shape': [
    evaluating(model({ inputs: { x: { shape: ['s0', 4] } } })),
    format(/to take the inputs of the one that trains/),
  ],
  'evaluates inputs of another dtype': [
    evaluating(model({ inputs: { x: { shape: ['s0', 3], dtype: 'int64' } } })),
    format(/to take the inputs of the one that trains/),
  ],
  'evaluates weights of another shape': [
    evaluating(model({ tensors: { ...model().tensors, 'fc.weight': { role: 'parameter', shape: [4, 3] } } })),
    format(/"fc\.weight"/),
  ],
  'evaluates weights of another dtype': [
    evaluating(model({ tensors: { ...model().tensors, shift: { role: 'buffer', shape: [2], dtype: 'int64' } } })),
    format(/"shift"/),
  ],
  'evaluates weights that do not train': [
    evaluating(model({ tensors: { ...model().tensors, more: { role: 'parameter', shape: [2] } } })),
    format(/has a tensor "more"/),
  ],
  'evaluates a parameter that is a buffer': [
    evaluating(model({ tensors: { ...model().tensors, 'fc.count': { role: 'parameter', shape: [] } } })),
    format(/"fc\.count"/),
  ],
  'evaluates without a tensor': [
    evaluating(model({ tensors: without('table', 'shift'), nodes: [linear], outputs: ['linear'] })),
    {},
  ],
  'evaluates in place': [
    evaluating(model({ nodes: [aten('zero_.default', { self: ref('p_fc_weight') }, 'zeroed'), linear, ...rest] })),
    {},
  ],
  'keeps statistics while it evaluates': [evaluating(normed(true)), {}],
  'evaluates other batches': [evaluating(model({ symbols: { s0: { min_val: 9, max_val: 9 } } })), {}],
};
