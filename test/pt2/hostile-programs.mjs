// Hostile programs: versions, signatures, graphs and arguments. Each is a change of the JSON, and the words of its error.
import { graphOf, node, raw, ref, unnamed } from './descriptions.mjs';

const module = ({ graph_module: found }) => found;
const graph = ({ graph_module: found }) => found.graph;
const nodes = (program) => graph(program).nodes;
const signature = (program) => module(program).signature;
const argument = (change) => (program) => change(nodes(program)[1].inputs[1]);
const given = (arg) => argument((input) => Object.assign(input, { arg }));
const called = (target) => (program) => Object.assign(nodes(program)[0], { target });
const returned =
  (...outputs) =>
  (program) =>
    Object.assign(nodes(program)[1], { outputs });
const last =
  (...made) =>
  (program) =>
    nodes(program).push(...made);
const higher = (name, inputs, ...outputs) => ({ ...node(`torch.ops.higher_order.${name}`, {}, ...outputs), inputs });
const region = (...inputs) => last(higher('wrap_with_set_grad_enabled', unnamed({ as_bool: false }, ...inputs), 'y'));
const one = graphOf([], ['x'], [ref('x')]);
const named = (name) => ref(name);
const int = (value) => ({ as_int: value });
const size = { as_sym_int: { as_name: 'n' } };
const nested = (depth) =>
  depth === 0
    ? one
    : graphOf(
        [higher('wrap_with_set_grad_enabled', unnamed({ as_bool: true }, nested(depth - 1), ref('x')), 'z')],
        ['z'],
        [ref('x')],
      );

export const programs = {
  'major version 9': [
    (program) => Object.assign(program.schema_version, { major: 9 }),
    /but found 9\.20, by torch 2\.13.*export the model with/,
  ],
  'minor version 1': [(program) => Object.assign(program.schema_version, { minor: 1 }), /but found 8\.1/],
  'no version': [(program) => delete program.schema_version && undefined, /a key "schema_version"/],
  'decomposed operators': [
    (program) => Object.assign(program, { verifiers: ['ATEN'] }),
    /the verifiers \[ATEN\].*without run_decompositions/,
  ],
  'two verifiers': [(program) => Object.assign(program, { verifiers: ['TRAINING', 'ATEN'] }), /\[TRAINING,ATEN\]/],
  'no verifier': [(program) => Object.assign(program, { verifiers: [] }), /the verifiers \[\]/],
  'no graph': [(program) => delete module(program).graph && undefined, /a key "graph"/],
  'a graph that is a list': [
    (program) => Object.assign(module(program), { graph: [] }),
    /Expected an object but found a list/,
  ],
  'a range that is empty': [
    (program) => Object.assign(program.range_constraints.s0, { min_val: 9, max_val: 8 }),
    /from 9 to 8: none/,
  ],

  'more inputs in the signature than in the graph': [
    (program) => signature(program).input_specs.push(signature(program).input_specs[0]),
    /8 inputs but its graph has 7|7 inputs but its graph has 6|signature has/,
  ],
  'inputs in another order': [
    (program) => signature(program).input_specs.reverse() && undefined,
    /does not belong to the input/,
  ],
  'an input of another type than the graph has': [
    (program) =>
      Object.assign(signature(program).input_specs.at(-1).user_input, { arg: { as_sym_int: { as_name: 'x' } } }),
    /does not belong to the input of the graph, \{"name":"x","type":"tensor"\}/,
  ],
  'a parameter twice': [
    (program) => Object.assign(signature(program).input_specs[1].parameter, { parameter_name: 'fc.weight' }),
    /"fc\.weight" occurs twice/,
  ],
  'a parameter that the archive does not have': [
    (program) => Object.assign(signature(program).input_specs[0].parameter, { parameter_name: 'other' }),
    /hold no tensor "other"/,
  ],
  'a parameter without a name': [
    (program) => Object.assign(signature(program).input_specs[0].parameter, { parameter_name: '' }),
    /Expected a name/,
  ],
  'a parameter with a name of 2,000 characters': [
    (program) => Object.assign(signature(program).input_specs[0].parameter, { parameter_name: 'n'.repeat(2000) }),
    /at most 1024/,
  ],
  'a token': [
    (program) => Object.assign(signature(program).input_specs, [{ token: { arg: { name: 'x' } } }]),
    /kind token is not supported/,
  ],
  'a custom object among the inputs': [
    (program) => Object.assign(signature(program).input_specs, [{ custom_obj: {} }]),
    /kind custom_obj is not supported/,
  ],
  'an unknown kind of input': [
    (program) => Object.assign(signature(program).input_specs, [{ magic: { arg: { name: 'p_fc_weight' } } }]),
    /kind magic is not supported/,
  ],
  'a buffer that changes by decomposition': [
    (program) =>
      Object.assign(signature(program).output_specs, [
        { buffer_mutation: { arg: { name: 'add_1' }, buffer_name: 'shift' } },
      ]),
    /kind buffer_mutation is not supported.*run_decompositions/,
  ],
  "an output that is not the graph's": [
    (program) => Object.assign(signature(program).output_specs[0].user_output, { arg: ref('linear') }),
    /not the output of the graph/,
  ],
  'an output without a description': [
    (program) => delete graph(program).tensor_values.add_1 && undefined,
    /a key "add_1"/,
  ],
  'more outputs in the signature than in the graph': [
    (program) => signature(program).output_specs.push({ user_output: { arg: ref('add_1') } }),
    /signature has 2 outputs but its graph has 1/,
  ],
  'a size that is neither a number nor an expression': [
    (program) => Object.assign(graph(program).tensor_values.x.sizes, [{ as_float: 1 }]),
    /Expected as_int or as_expr/,
  ],
  'no tensor as an output': [
    (program) => {
      graph(program).outputs = [int(1)];
      signature(program).output_specs = [{ user_output: { arg: int(1) } }];
    },
    /returns no tensor/,
  ],
  'no modules': [
    (program) => Object.assign(module(program), { module_call_graph: [] }),
    /the model itself as the first module/,
  ],

  'an input twice': [
    (program) => Object.assign(graph(program).inputs[1].as_tensor, { name: 'p_fc_weight' }),
    /"p_fc_weight" is defined twice/,
  ],
  'a result under the name of an input': [returned(ref('x')), /"x" is defined twice/],
  'a result twice': [returned(ref('add_'), ref('add_')), /"add_" is defined twice/],
  'a value that is used before it is defined': [
    (program) => nodes(program).reverse() && undefined,
    /used but not defined before/,
  ],
  'a node that uses its own result': [given(named('add_')), /"add_" is used but not defined before/],
  'a value that nothing defines': [given(named('nothing')), /"nothing" is used but not defined before/],
  'an output that nothing defines': [
    (program) => Object.assign(graph(program).outputs[0].as_tensor, { name: 'nothing' }),
    /"nothing" is used but not defined/,
  ],
  'a value named __proto__': [given(named('__proto__')), /"__proto__" is used but not defined/],
  'a tensor as a size': [given({ as_sym_int: { as_name: 'x' } }), /a value of type int but "x" is of type tensor/],
  'a size as a tensor': [
    last(
      node('torch.ops.aten.sym_size.int', { self: ref('x'), dim: int(0) }, size),
      node('torch.ops.aten.relu.default', { self: ref('n') }, 'y'),
    ),
    /a value of type tensor but "n" is of type int/,
  ],

  'a function of Python': [
    called('os.system'),
    /uses os\.system, which is not supported \(in fc, torch\.nn\.modules\.linear\.Linear, model\.py:12\)/,
  ],
  'builtins.eval': [called('builtins.eval'), /builtins\.eval, which is not supported/],
  '_operator.attrgetter': [called('_operator.attrgetter'), /_operator\.attrgetter, which is not supported/],
  'an operator without an overload': [called('torch.ops.aten.add'), /not supported/],
  'an operator with a path in its name': [called('torch.ops.aten.add/../x.default'), /not supported/],
  'an empty operator': [called(''), /Expected a name/],
  'a loop': [last(higher('while_loop', unnamed(one, one), 'y')), /while_loop, which is not supported/],
  'a Triton kernel': [
    last(higher('triton_kernel_wrapper_mutation', unnamed(), 'y')),
    /triton_kernel_wrapper_mutation, which is not supported/,
  ],
  'a call of a pickled class': [
    last(higher('call_torchbind', unnamed(), 'y')),
    /call_torchbind, which is not supported/,
  ],
  'an argument without a name': [argument((input) => Object.assign(input, { name: '' })), /the name of an argument/],
  'an argument named __proto__': [
    argument((input) => Object.assign(input, { name: '__proto__' })),
    /the name of an argument/,
  ],
  'an argument twice': [
    argument((input) => Object.assign(input, { name: 'self' })),
    /the argument self is given twice/,
  ],

  'an argument of no kind': [given({}), /an object with one key/],
  'an argument of two kinds': [given({ as_int: 1, as_float: 1 }), /an object with one key/],
  'an argument of an unknown kind': [given({ as_code: 'x' }), /kind "as_code" is not supported/],
  'a custom object as an argument': [given({ as_custom_obj: { name: 'x', class_fqn: 'y' } }), /kind "as_custom_obj"/],
  'an operator as an argument': [given({ as_operator: 'aten.add' }), /kind "as_operator"/],
  'a graph as an argument of an operator': [given(one), /a graph is not an argument of aten::add_/],
  'an integer that is a string': [given(int('1')), /an integer but found the string "1"/],
  'an integer that is a float': [given(int(raw('1.0'))), /an integer but found the number 1/],
  'a float that is a word': [given({ as_float: 'Inf' }), /a float but found the string "Inf"/],
  'a list that is a number': [given({ as_ints: 3 }), /Expected a list/],
  'a list of 100,001 integers': [given({ as_ints: Array(100_001).fill(1) }), /at most 100000 items/],
  'a list inside a list of integers': [given({ as_ints: [[1]] }), /an integer but found a list/],
  'a flag that is a word': [given({ as_bool: 'yes' }), /true or false but found the string "yes"/],
  'a size that is a float': [given({ as_sym_int: { as_float: 1 } }), /Expected as_name or as_int/],
  'an optional tensor that is a number': [given({ as_optional_tensors: [int(1)] }), /Expected as_tensor or as_none/],
  'an unknown layout': [given({ as_layout: 9 }), /the number of a layout/],
  'an unknown memory format': [given({ as_memory_format: 7 }), /the number of a memory format/],
  'a memory format -1': [given({ as_memory_format: -1 }), /the number of a memory format/],
  'a sparse layout': [given({ as_layout: 2 }), /layout sparse_csr is not supported/],
  'the meta device': [given({ as_device: { type: 'meta', index: null } }), /"meta" is not supported/],
  'a device with a negative index': [given({ as_device: { type: 'cuda', index: -1 } }), /an integer of 0 or more/],
  'a result that is a string': [returned({ as_string: 'x' }), /a result of kind "as_string"/],
  'a result that is a graph': [returned(one), /a result of kind "as_graph"/],

  'a calculation with a tensor': [
    last(node('_operator.mul', { a: ref('x'), b: int(2) }, size)),
    /Expected a number for mul but found tensor/,
  ],
  'a calculation with a string': [
    last(node('_operator.add', { a: { as_string: 'x' }, b: int(2) }, size)),
    /Expected a number for add but found a string/,
  ],
  'a calculation with three operands': [
    last(node('_operator.mul', { a: int(1), b: int(2), c: int(3) }, size)),
    /mul takes 2 operands but is given 3/,
  ],
  'a calculation that gives a tensor': [
    last(node('_operator.mul', { a: int(1), b: int(2) }, 'y')),
    /a number, not a tensor/,
  ],
  'a calculation that gives two numbers': [
    last(node('_operator.mul', { a: int(1), b: int(2) }, size, size)),
    /defined twice|one number/,
  ],

  'a calculation that gives nothing': [last(node('_operator.mul', { a: int(1), b: int(2) })), /Expected one number/],
  'a calculation that gives a list': [
    last(node('_operator.mul', { a: int(1), b: int(2) }, { as_sym_ints: [{ as_name: 'm' }] })),
    /Expected one number/,
  ],
  'a region without a graph': [region(ref('x')), /a key "as_graph"/],
  'a region with too many operands': [region(one, ref('x'), ref('x')), /a graph of 1 inputs is called with 2 operands/],
  'a region with an operand of another type': [region(one, int(1)), /input "x" of type tensor is called with int/],
  'a region with another number of results': [
    last(higher('wrap_with_set_grad_enabled', unnamed({ as_bool: false }, one, ref('x')), 'y', 'z')),
    /a graph of 1 outputs has 2 results/,
  ],
  'a region with a result of another type': [
    last(higher('wrap_with_set_grad_enabled', unnamed({ as_bool: false }, one, ref('x')), size)),
    /result "n" of type int is made of tensor/,
  ],
  'a region that uses values outside': [
    region(graphOf([], ['linear'], [ref('x')]), ref('x')),
    /"linear" is used but not defined before/,
  ],
  'a condition that is a number': [
    last(higher('cond', unnamed(int(1), one, one, { as_tensors: [{ name: 'x' }] }), 'y')),
    /Expected a condition/,
  ],
  'a condition whose graphs differ': [
    last(
      higher(
        'cond',
        unnamed({ as_bool: true }, one, graphOf([], [], [ref('x')]), { as_tensors: [{ name: 'x' }] }),
        'y',
      ),
    ),
    /a graph of 0 outputs has 1 results/,
  ],
  'graphs nested 33 deep': [region(nested(33), ref('x')), /nested deeper than/],
};
