// Archives that are well-formed for the reader, of models that are hostile: each its description, and by step the code and the words of the
// error that refuses it, or 'ok'. Nothing is said of steps that work. Of operators and their arguments.
import { node, ref } from './descriptions.mjs';
import { after, aten, bad, call, float, format, int, ints, number, outside, running, self } from './hostile-calls.mjs';

export const operators = {
  'makes a file': [
    call('from_file.default', { filename: { as_string: 'made' }, shared: { as_bool: true }, size: int(9) }),
    outside,
  ],
  'calls an internal loss': [
    call(
      '_ctc_loss.default',
      { log_probs: self, targets: self, input_lengths: ints(1), target_lengths: ints(1) },
      'made',
      'alpha',
    ),
    outside,
  ],
  'sets the storage of a tensor': [call('set_.source_Tensor', { self, source: ref('x') }), outside],
  'changes the size of a tensor': [call('resize_.default', { self, size: ints(1000) }), outside],
  'strides over a tensor': [call('as_strided.default', { self, size: ints(9), stride: ints(9) }), outside],
  'has a sparse tensor without checks': [
    call('_sparse_coo_tensor_unsafe.default', { indices: self, values: self, size: ints(1) }),
    outside,
  ],
  'puts without checks': [
    call('_index_put_impl_.default', { self, indices: { as_tensors: [{ name: 'x' }] }, values: self }),
    outside,
  ],
  'records a stream': [call('record_stream.default', { self, s: { as_none: true } }), outside],
  prints: [after(aten('_print.default', { s: { as_string: 'made' } })), outside],
  'names another namespace': [after(node('torch.ops.prims.add.default', { self, other: self }, 'made')), outside],
  'names a library of custom classes': [
    after(node('torch.ops.quantized.add.default', { qa: self, qb: self }, 'made')),
    outside,
  ],
  'names a distributed operator': [after(node('torch.ops.c10d.barrier.default', { self }, 'made')), outside],
  'names an operator of this library': [
    after(node('torch.ops.incremental.linear.default', { input: self, weight: self }, 'made')),
    outside,
  ],
  'names arithmetic as an operator': [
    after(node('torch.ops.scalar.add.default', { a: int(1), b: int(1) }, number('n'))),
    format(/scalar::add is not one of PyTorch's/),
  ],
  'names a condition as an operator': [
    after(node('torch.ops.control.condition.default', { condition: { as_bool: true } }, 'made')),
    format(/control::condition is not one of PyTorch's/),
  ],
  'names an unknown overload': [call('add.Nothing'), bad(/Unknown operator in .*aten::add\.Nothing/)],
  'names an overload for another argument': [call('add.out', { self, other: self, out: self }), {}],
  'gives the result of an out overload to a constant': [
    call('add.out', { self, other: self, out: int(1) }),
    bad(/changed in place: it must be a value/),
  ],
  'asks for memory that nobody wrote': [
    call('empty.memory_format', { size: ints(4) }),
    bad(/memory that nobody has written/),
  ],
  'asks for memory like a tensor': [call('empty_like.default'), bad(/memory that nobody has written/)],
  'reads memory before it is written': [
    after(
      aten('empty.memory_format', { size: ints(2) }, 'made'),
      aten('add.Tensor', { self: ref('made'), other: self }, 'sum'),
      aten('zero_.default', { self: ref('made') }, 'zero'),
    ),
    bad(/memory that nobody has written/),
  ],
  'writes memory from itself': [
    after(
      aten('empty.memory_format', { size: ints(2) }, 'made'),
      aten('copy_.default', { self: ref('made'), src: ref('made') }, 'copied'),
    ),
    bad(/memory that nobody has written/),
  ],
  'reads bytes as another type': [
    call('view.dtype', { self, dtype: { as_scalar_type: 12 } }),
    bad(/view of bytes as another type/),
  ],
};

export const argumentsOf = {
  'leaves out an argument': [
    call('linear.default', { input: self }),
    running(/Missing argument "weight"/, 'ERR_INVALID_OPTION'),
  ],
  'gives an argument that there is not': [
    call('relu.default', { self, more: int(1) }),
    running(/Unknown or repeated argument/, 'ERR_INVALID_OPTION'),
  ],
  'gives an argument called __proto__': [
    call('relu.default', { self, ['__proto__']: int(1) }),
    format(/Expected the name of an argument/),
  ],
  'gives an argument called constructor': [
    call('relu.default', { self, constructor: int(1) }),
    running(/Unknown or repeated argument/, 'ERR_INVALID_OPTION'),
  ],
  'gives an argument called toString': [
    call('relu.default', { self, toString: int(1) }),
    running(/Unknown or repeated argument/, 'ERR_INVALID_OPTION'),
  ],
  'gives a word for a tensor': [
    call('relu.default', { self: { as_string: 'linear' } }),
    running(/Expected Tensor for argument "self"/, 'ERR_INVALID_OPTION'),
  ],
  'gives a tensor for a number': [call('softmax.int', { self, dim: self }), running(/./)],
  'gives a number for a list': [
    call('permute.default', { self, dims: int(1) }),
    running(/Expected int\[\] for argument "dims"/, 'ERR_INVALID_OPTION'),
  ],
  'gives a list for a number': [
    call('softmax.int', { self, dim: ints(1) }),
    running(/Expected int for argument "dim"/, 'ERR_INVALID_OPTION'),
  ],
  'gives a float for an integer': [
    call('softmax.int', { self, dim: float('1.5') }),
    running(/Expected int for argument "dim"/, 'ERR_INVALID_OPTION'),
  ],
  'gives none for a tensor': [
    call('relu.default', { self: { as_none: true } }),
    running(/Expected Tensor for argument "self"/, 'ERR_INVALID_OPTION'),
  ],
  'gives an integer for a dtype': [
    call('softmax.int', { self, dim: int(1), dtype: int(200) }),
    bad(/"dtype".*must be a dtype/),
  ],
  'gives a computed number for a dtype': [
    after(
      aten('sym_size.int', { self: ref('x'), dim: int(1) }, number('b')),
      aten('softmax.int', { self, dim: int(1), dtype: number('b') }, 'made'),
    ),
    bad(/"dtype".*must be a dtype/),
  ],
  'gives an integer for a memory format': [
    call('contiguous.default', { self, memory_format: int(77) }),
    bad(/"memory_format".*must be a dtype/),
  ],
  'gives an integer for a layout': [
    call('zeros.default', { size: ints(2), layout: int(9) }),
    bad(/"layout".*must be a dtype/),
  ],
  'gives a layout for a dtype': [
    call('softmax.int', { self, dim: int(1), dtype: { as_layout: 7 } }),
    running(/for argument "dtype"/, 'ERR_INVALID_OPTION'),
  ],
  'gives a memory format for a dtype': [
    call('softmax.int', { self, dim: int(1), dtype: { as_memory_format: 4 } }),
    running(/for argument "dtype"/, 'ERR_INVALID_OPTION'),
  ],
  'gives a dtype for an axis': [
    call('softmax.int', { self, dim: { as_scalar_type: 7 } }),
    running(/Expected int for argument "dim"/, 'ERR_INVALID_OPTION'),
  ],
  'gives a dtype for a memory format': [
    call('contiguous.default', { self, memory_format: { as_scalar_type: 13 } }),
    running(/for argument "memory_format"/, 'ERR_INVALID_OPTION'),
  ],
  'gives a device for a number': [
    call('softmax.int', { self, dim: { as_device: { type: 'cpu', index: null } } }),
    running(/./),
  ],
  'gives words in a list': [
    call('permute.default', { self, dims: { as_strings: ['a'] } }),
    format(/no words in a list/),
  ],
  'gives none in a list of tensors': [
    call('cat.default', { tensors: { as_optional_tensors: [ref('linear'), { as_none: true }] } }),
    running(/Expected Tensor\[\] for argument "tensors"/, 'ERR_INVALID_OPTION'),
  ],
  'changes a constant number in place': [
    call('add_.Tensor', { self: int(1), other: self }),
    bad(/changed in place: it must be a value/),
  ],
  'has more results than the operator': [
    call('relu.default', { self }, 'made', 'more'),
    running(/Too many outputs/, 'ERR_INVALID_OPTION'),
  ],
  'has a list of results of one tensor': [
    call('relu.default', { self }, { as_tensors: [{ name: 'made' }] }),
    running(/./),
  ],
  'has more items than a list': [
    call(
      'chunk.default',
      { self, chunks: int(2), dim: int(1) },
      { as_tensors: ['a', 'b', 'c'].map((name) => ({ name })) },
    ),
    running(/Expected 3 values of .* but it has 2/, 'ERR_SHAPE'),
  ],
  'has fewer items than a list': [
    call('unbind.int', { self, dim: int(1) }, { as_tensors: [{ name: 'a' }] }),
    running(/Expected 1 values of .* but it has 2/, 'ERR_SHAPE'),
  ],
  'has a tensor for a list': [call('chunk.default', { self, chunks: int(2), dim: int(1) }, 'made'), {}],
  'has a number for a tensor': [call('relu.default', { self }, number('n')), {}],
};
