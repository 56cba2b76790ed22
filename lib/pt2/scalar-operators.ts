// The calculations with numbers that programs hold between operators, by their Python names, and how many operands each takes.
// The list is _SYM_OPS of torch/_export/serde/serialize.py, and math's functions on sizes; all else is refused.

interface ScalarOperation {
  readonly operation: string;
  readonly operands: number;
}

const two = ['add', 'sub', 'mul', 'floordiv', 'mod', 'truediv', 'pow', 'lshift', 'rshift'];
const compared = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

/** By target. */
export const scalarOperations: ReadonlyMap<string, ScalarOperation> = new Map<string, ScalarOperation>([
  ...[...two, ...compared].map((name) => entry(`_operator.${name}`, name, 2)),
  entry('_operator.and_', 'and', 2),
  entry('_operator.or_', 'or', 2),
  entry('_operator.neg', 'neg', 1),
  entry('_operator.pos', 'pos', 1),
  entry('math.trunc', 'trunc', 1),
  entry('math.floor', 'floor', 1),
  entry('math.ceil', 'ceil', 1),
  entry('torch.sym_not', 'not', 1),
  entry('torch.sym_int', 'int', 1),
  entry('torch.sym_float', 'float', 1),
  entry('torch.sym_max', 'max', 2),
  entry('torch.sym_min', 'min', 2),
  entry('torch.sym_ite', 'ite', 3),
  entry('torch._sym_sqrt', 'sqrt', 1),
]);

function entry(target: string, operation: string, operands: number): [string, ScalarOperation] {
  return [target, { operation, operands }];
}
