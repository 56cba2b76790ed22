// Relative positions within a window, and the attention biases indexed by them: torchvision/models/swin_transformer.py and
// torchvision/models/maxvit.py.
import { type Initialiser, node, value } from '../../program/module';
import type { Argument, ProgramNode } from '../../program/program';

/** A calculation with sizes. */
export function scalar(operation: string, a: Argument, b: Argument, output: string): ProgramNode {
  return { op: `scalar::${operation}`, overload: '', args: { a, b }, outputs: [output] };
}

export const unary = (op: string, from: string, to: string) => node(op, '', { self: value(from) }, to);
export const binary = (op: string, self: string, other: Argument, to: string) =>
  node(op, 'Tensor', { self: value(self), other }, to);
export const unsqueezed = (from: string, dim: number, to: string) =>
  node('unsqueeze', '', { self: value(from), dim }, to);

/** Where in the table of a window's relative positions each pair of places is: `define_relative_position_index`. */
export function relativeIndex(side: number, output = 'index'): ProgramNode[] {
  const whole = (number: number) => ({ int: number });
  const apart = (axis: string) => [
    unsqueezed(axis, 1, `${axis}/from`),
    unsqueezed(axis, 0, `${axis}/to`),
    binary('sub', `${axis}/from`, value(`${axis}/to`), `${axis}/apart`),
    binary('add', `${axis}/apart`, whole(side - 1), `${axis}/place`),
  ];
  return [
    node('arange', '', { end: whole(side * side), dtype: { dtype: 'int64' } }, 'places'),
    node('floor_divide', 'Scalar', { self: value('places'), other: whole(side) }, 'row'),
    node('remainder', 'Scalar', { self: value('places'), other: whole(side) }, 'column'),
    ...[...apart('row'), ...apart('column')],
    binary('mul', 'row/place', whole(2 * side - 1), 'rows'),
    binary('add', 'rows', value('column/place'), output),
  ];
}

/** `define_relative_position_bias_table` of version 2: distances within a window, on a logarithmic scale. */
export function relativeCoordinates(side: number): Initialiser {
  const count = 2 * side - 1;
  const grid = (dim: number, to: string) => [
    unsqueezed('parts', dim, `${to}/line`),
    node('expand', '', { self: value(`${to}/line`), size: [count, count] }, to),
  ];
  const range = { start: { int: 1 - side }, end: { int: side }, dtype: { dtype: 'float32' } } as const;
  const nodes = [
    node('arange', 'start', range, 'distances'),
    binary('div', 'distances', { float: side - 1 }, 'parts'),
    ...[...grid(1, 'rows'), ...grid(0, 'columns')],
    node('stack', '', { tensors: [value('rows'), value('columns')], dim: -1 }, 'pairs'),
    unsqueezed('pairs', 0, 'table'),
    binary('mul', 'table', { float: 8 }, 'wide'),
    unary('sign', 'wide', 'signs'),
    unary('abs', 'wide', 'sizes'),
    binary('add', 'sizes', { float: 1 }, 'more'),
    unary('log2', 'more', 'logarithms'),
    binary('mul', 'signs', value('logarithms'), 'signed'),
    binary('div', 'signed', { float: 3 }, 'output'),
  ];
  return { kind: 'computed', nodes };
}

/** The bias of each pair of places, from the value `table`: `_get_relative_position_bias`. */
export function positionBias(
  table: string,
  places: number,
  output: string,
  index = 'relative_position_index',
): ProgramNode[] {
  return [
    node('index', 'Tensor', { self: value(table), indices: [value(index)] }, 'looked up'),
    node('view', '', { self: value('looked up'), size: [places, places, -1] }, 'pairs'),
    node('permute', '', { self: value('pairs'), dims: [2, 0, 1] }, 'turned'),
    unary('contiguous', 'turned', 'by head'),
    unsqueezed('by head', 0, output),
  ];
}
