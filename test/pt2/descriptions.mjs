// Describes small exported programs, and makes the JSON that torch.export would write of each. Tests replace parts of it.

/** Text that JSON.stringify() cannot make: raw('9223372036854775807'), raw('2.0'). */
export const raw = (text) => `@raw:${text}@`;
export const text = (json) => JSON.stringify(json).replace(/"@raw:(.*?)@"/g, '$1');

const dtypes = { uint8: 1, int64: 5, float16: 6, float32: 7, bool: 12, bfloat16: 13 };
export const widths = { uint8: 1, int64: 8, float16: 2, float32: 4, bool: 1, bfloat16: 2 };
export const storageTypes = {
  uint8: 'Byte',
  int64: 'Long',
  float16: 'Half',
  float32: 'Float',
  bool: 'Bool',
  bfloat16: 'BFloat16',
};

const symbol = (name) => ({
  as_expr: { expr_str: `Symbol('${name}', positive=True, integer=True)`, hint: { as_int: 4 } },
});
const sizes = (shape) => shape.map((size) => (typeof size === 'number' ? { as_int: size } : symbol(size)));
export const contiguous = (shape) =>
  shape.map((_, i) => shape.slice(i + 1).reduce((all, size) => all * (Number(size) || 1), 1));
export const elementsOf = ({ shape, stride = contiguous(shape), offset = 0 }) =>
  shape.includes(0) ? 0 : shape.reduce((most, size, i) => most + (size - 1) * stride[i], offset + 1);

export const meta = ({ dtype = 'float32', shape, stride = contiguous(shape), offset = 0, grad = false }) => ({
  dtype: dtypes[dtype],
  sizes: sizes(shape),
  requires_grad: grad,
  device: { type: 'cpu', index: null },
  strides: sizes(stride),
  storage_offset: { as_int: offset },
  layout: 7,
});

/** A node: `inputs` maps the arguments' names to their values. */
export const node = (target, inputs, ...outputs) => ({
  target,
  inputs: Object.entries(inputs).map(([name, arg]) => ({ name, arg, kind: 1 })),
  outputs: outputs.map((output) => (typeof output === 'string' ? ref(output) : output)),
  metadata: {
    stack_trace:
      'File "model.py", line 12, in forward\n  File "/site-packages/torch/nn/modules/linear.py", line 134, in forward',
    nn_module_stack: 'L__self__,,model.Net;L__self__fc,fc,torch.nn.modules.linear.Linear',
  },
  is_hop_single_tensor_return: null,
});

export const ref = (name) => ({ as_tensor: { name } });

/** The arguments of an operator that takes graphs. */
export const unnamed = (...args) => args.map((arg) => ({ name: '', arg, kind: 1 }));

/** A graph as an argument, by default over the inputs of the linear layer. */
export const graphOf = (nodes, outputs, inputs = ['x', 'p_fc_weight', 'p_fc_bias'].map(ref)) => ({
  as_graph: {
    name: 'submod_1',
    graph: {
      inputs,
      outputs: outputs.map((output) => (typeof output === 'string' ? ref(output) : output)),
      nodes,
      ...{ tensor_values: {}, sym_int_values: {}, sym_bool_values: {}, is_single_tensor_return: false },
    },
  },
});

/** A linear layer, a buffer that is added, a constant that is multiplied, a count of batches. */
export const model = (changes = {}) => ({
  tensors: {
    'fc.weight': { role: 'parameter', shape: [2, 3] },
    'fc.bias': { role: 'parameter', shape: [2] },
    shift: { role: 'buffer', shape: [2] },
    'fc.count': { role: 'buffer', dtype: 'int64', shape: [] },
    table: { role: 'buffer', shape: [2], persistent: false },
    c_scale: { role: 'tensor_constant', shape: [] },
  },
  inputs: { x: { shape: ['s0', 3] } },
  symbols: { s0: { min_val: 2, max_val: null } },
  nodes: [
    node(
      'torch.ops.aten.linear.default',
      { input: ref('x'), weight: ref('p_fc_weight'), bias: ref('p_fc_bias') },
      'linear',
    ),
    node('torch.ops.aten.add_.Tensor', { self: ref('b_fc_count'), other: { as_int: 1 } }, 'add_'),
    node('torch.ops.aten.add.Tensor', { self: ref('linear'), other: ref('b_shift') }, 'add'),
    node('torch.ops.aten.mul.Tensor', { self: ref('add'), other: ref('c_scale') }, 'mul'),
    node('torch.ops.aten.add.Tensor', { self: ref('mul'), other: ref('b_table') }, 'add_1'),
  ],
  metas: { linear: { shape: ['s0', 2] }, add_1: { shape: ['s0', 2] } },
  outputs: ['add_1'],
  outSpec: leaf,
  modules: ['', 'fc'],
  ...changes,
});

/** The value of the graph that a tensor is. */
const graphName = ([name, { role }]) =>
  role === 'tensor_constant' ? name.replaceAll('.', '_') : `${role[0]}_${name.replaceAll('.', '_')}`;

const specOf = {
  parameter: (name, arg) => ({ parameter: { arg, parameter_name: name } }),
  buffer: (name, arg, { persistent = true }) => ({ buffer: { arg, buffer_name: name, persistent } }),
  tensor_constant: (name, arg) => ({ tensor_constant: { arg, tensor_constant_name: name } }),
};

export const leaf = { type: null, context: null, children_spec: [] };
export const container = (type, context, ...children) => ({
  type,
  context: JSON.stringify(context),
  children_spec: children,
});
const spec = (root) => JSON.stringify([1, root]);

/** The JSON of a program. */
export function program({ tensors, inputs, symbols, nodes, metas, outputs, outSpec, modules, kwargs = [] }) {
  const entries = Object.entries(tensors);
  const names = Object.keys(inputs);
  const positional = names.filter((name) => !kwargs.includes(name)).map(() => leaf);
  const keywords = container('builtins.dict', kwargs, ...kwargs.map(() => leaf));
  return {
    graph_module: {
      graph: {
        inputs: [...entries.map(graphName), ...names].map(ref),
        outputs: outputs.map((output) => (typeof output === 'string' ? ref(output) : output)),
        nodes,
        tensor_values: Object.fromEntries([
          ...entries.map((entry) => [graphName(entry), meta(gradient(entry[1]))]),
          ...[...Object.entries(inputs), ...Object.entries(metas)].map(([name, facts]) => [name, meta(facts)]),
        ]),
        sym_int_values: {},
        sym_bool_values: {},
        is_single_tensor_return: false,
        custom_obj_values: {},
        sym_float_values: {},
      },
      signature: {
        input_specs: [
          ...entries.map((entry) => specOf[entry[1].role](entry[0], { name: graphName(entry) }, entry[1])),
          ...names.map((name) => ({ user_input: { arg: ref(name) } })),
        ],
        output_specs: outputs.map((output) => ({
          user_output: { arg: typeof output === 'string' ? ref(output) : output },
        })),
      },
      module_call_graph: modules.map((fqn) => ({
        fqn,
        signature:
          fqn !== ''
            ? null
            : {
                inputs: [],
                outputs: [],
                in_spec: spec(
                  container('builtins.tuple', null, container('builtins.tuple', null, ...positional), keywords),
                ),
                out_spec: spec(outSpec),
                forward_arg_names: names,
              },
      })),
      metadata: {},
      treespec_namedtuple_fields: {},
    },
    opset_version: { aten: 10 },
    range_constraints: symbols,
    schema_version: { major: 8, minor: 20 },
    verifiers: ['TRAINING'],
    torch_version: '2.13.0+cpu',
    guards_code: [],
  };
}

export const gradient = (tensor) => ({ grad: tensor.role === 'parameter', ...tensor });
