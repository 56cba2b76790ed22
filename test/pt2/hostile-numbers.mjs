// Archives that are well-formed for the reader, of models that are hostile: each its description, and by step the code and the words of the
// error that refuses it, or 'ok'. Nothing is said of steps that work. Of numbers that the program computes.
import { node, ref } from './descriptions.mjs';
import { after, aten, call, float, int, ints, needsPair, number, running, self, symbols } from './hostile-calls.mjs';

/** Numbers that the program computes: `nodes` compute `n` from the batch `b`. */
const counted = (...nodes) =>
  after(
    aten('sym_size.int', { self: ref('x'), dim: int(0) }, number('b')),
    ...nodes,
    aten('zeros.default', { size: symbols('n') }, 'made'),
  );
const operator = (name, a, b) => node(`_operator.${name}`, { a, ...(b && { b }) }, number('n'));

export const numbers = {
  'adds beyond 64 bits': [
    counted(operator('add', number('b'), int(2n ** 63n - 1n))),
    running(/too large to add/, 'ERR_SHAPE'),
  ],
  'subtracts beyond 64 bits': [
    counted(operator('sub', int(-(2n ** 63n)), number('b'))),
    running(/too large to subtract/, 'ERR_SHAPE'),
  ],
  'multiplies beyond 64 bits': [
    counted(operator('mul', number('b'), int(2n ** 62n))),
    running(/too large to multiply/, 'ERR_SHAPE'),
  ],
  'raises beyond 64 bits': [
    counted(operator('pow', number('b'), int(2n ** 62n))),
    running(/too large to raise/, 'ERR_SHAPE'),
  ],
  'raises one as often as can be': [counted(operator('pow', int(1), int(2n ** 63n - 1n))), {}],
  'divides by zero': [counted(operator('floordiv', number('b'), int(0))), running(/Expected a divisor/, 'ERR_SHAPE')],
  'divides the least number by -1': [
    counted(operator('floordiv', int(-(2n ** 63n)), int(-1))),
    running(/Expected a divisor/, 'ERR_SHAPE'),
  ],
  'has a remainder of zero': [
    counted(operator('mod', number('b'), int(0))),
    running(/Expected a divisor/, 'ERR_SHAPE'),
  ],
  'has the remainder of the least number': [counted(operator('mod', int(-(2n ** 63n)), int(3))), {}],
  'shifts by 64 bits': [
    counted(operator('lshift', number('b'), int(64))),
    running(/Expected a shift of 0 to 63 bits/, 'ERR_SHAPE'),
  ],
  'shifts by less than nothing': [
    counted(operator('rshift', number('b'), int(-1))),
    running(/Expected a shift of 0 to 63 bits/, 'ERR_SHAPE'),
  ],
  'shifts beyond 64 bits': [
    counted(operator('lshift', number('b'), int(63))),
    running(/too large to shift/, 'ERR_SHAPE'),
  ],
  'negates the least number': [
    counted(operator('neg', int(-(2n ** 63n)))),
    running(/too large to subtract/, 'ERR_SHAPE'),
  ],
  'makes an integer of infinity': [
    counted(node('math.floor', { a: float('1e300') }, number('n'))),
    running(/fits an integer/, 'ERR_SHAPE'),
  ],
  'takes the root of a negative number': [
    counted(
      node('torch._sym_sqrt', { a: int(-4) }, { as_sym_float: { as_name: 'f' } }),
      node('math.trunc', { a: { as_sym_float: { as_name: 'f' } } }, number('n')),
    ),
    running(/fits an integer/, 'ERR_SHAPE'),
  ],
  'counts less than nothing': [counted(operator('sub', number('b'), int(9))), running(/./)],
  'makes a tensor of 2 ** 40 elements': [
    call('zeros.default', { size: ints(2n ** 40n) }),
    running(/memory/i, 'ERR_OUT_OF_MEMORY'),
  ],
  'makes a tensor of 2 ** 62 elements': [call('zeros.default', { size: ints(2n ** 62n) }), running(/./)],
  'makes a tensor of more elements than numbers': [
    call('zeros.default', { size: ints(2n ** 40n, 2n ** 40n) }),
    running(/./),
  ],
  'makes a tensor of negative size': [call('zeros.default', { size: ints(-1) }), running(/./)],
  'counts to 2 ** 50': [call('arange.default', { end: int(2n ** 50n) }), running(/./, 'ERR_OUT_OF_MEMORY')],
  'permutes 2 ** 50 numbers': [
    call('randperm.default', { n: int(2n ** 50n) }),
    { predict: needsPair(/aten::randperm draws/), train: ['ERR_OUT_OF_MEMORY', /./] },
  ],
  'has a histogram of 2 ** 50 bins': [
    call('histc.default', { self, bins: int(2n ** 50n) }),
    running(/./, 'ERR_OUT_OF_MEMORY'),
  ],
  'repeats 2 ** 50 times': [
    call('repeat.default', { self, repeats: ints(2n ** 50n, 1) }),
    running(/./, 'ERR_OUT_OF_MEMORY'),
  ],
  'reshapes to another size': [
    call('reshape.default', { self, shape: ints(7, -1) }),
    running(/shape '\[7, -1\]' is invalid/),
  ],
  'reshapes to two unknown sizes': [
    call('reshape.default', { self, shape: ints(-1, -1) }),
    running(/only one dimension can be inferred/),
  ],
  'gathers beyond the end': [
    after(
      aten('full.default', { size: ints(1, 1), fill_value: int(2n ** 40n), dtype: { as_scalar_type: 5 } }, 'far'),
      aten('gather.default', { self, dim: int(1), index: ref('far') }, 'made'),
    ),
    running(/out of bounds/),
  ],
  'narrows beyond the end': [
    call('narrow.default', { self, dim: int(1), start: int(1), length: int(2n ** 62n) }),
    running(/./),
  ],
  'slices by the least number': [
    call('slice.Tensor', { self, dim: int(1), start: int(-(2n ** 63n)), end: int(2n ** 63n - 1n) }),
    {},
  ],
  'selects an axis that there is not': [
    call('select.int', { self, dim: int(2n ** 62n), index: int(0) }),
    running(/Dimension out of range/),
  ],
};
