// The attention of Swin Transformers within shifted windows: torchvision/models/swin_transformer.py.

import { relu } from '../../layers/activations';
import { chain } from '../../layers/containers';
import { truncated } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import {
  type Initialiser,
  leaf,
  type Module,
  type ModuleCall,
  type ModuleTensor,
  node,
  value,
} from '../../program/module';
import type { ProgramNode } from '../../program/program';
import {
  binary,
  positionBias,
  relativeCoordinates,
  relativeIndex,
  scalar,
  unary,
  unsqueezed,
} from './relative-positions';
import { tree } from './tree';

type Steps = (ProgramNode | ModuleCall)[];

/** What is added to an axis so that windows of `side` cover it, and how far they move. */
function axisSizes(name: string, dim: number, side: number, shift: number): ProgramNode[] {
  return [
    node('sym_size', 'int', { self: value('input'), dim }, name),
    scalar('mod', value(name), { int: side }, `${name}/rest`),
    scalar('sub', { int: side }, value(`${name}/rest`), `${name}/lacking`),
    scalar('mod', value(`${name}/lacking`), { int: side }, `${name}/added`),
    scalar('add', value(name), value(`${name}/added`), `${name}/padded`),
    scalar('floordiv', value(`${name}/padded`), { int: side }, `${name}/windows`),
    // One window that covers all does not move.
    scalar('lt', { int: side }, value(`${name}/padded`), `${name}/moves`),
    scalar('mul', value(`${name}/moves`), { int: shift }, `${name}/shift`),
    scalar('mul', value(`${name}/moves`), { int: -shift }, `${name}/back`),
  ];
}

/** Of each place along an axis the region that it comes from: 0, 1 or 2. */
function regions(name: string, side: number): ProgramNode[] {
  const from = (start: string, to: string) => [
    node('ge', 'Scalar', { self: value(`${name}/places`), other: value(start) }, `${to}/is`),
    node('to', 'dtype', { self: value(`${to}/is`), dtype: { dtype: 'float32' } }, to),
  ];
  return [
    scalar('sub', value(`${name}/padded`), { int: side }, `${name}/last`),
    scalar('sub', value(`${name}/padded`), value(`${name}/shift`), `${name}/moved`),
    node('arange', '', { end: value(`${name}/padded`), device: { run: 'device' } }, `${name}/places`),
    ...[...from(`${name}/last`, `${name}/second`), ...from(`${name}/moved`, `${name}/third`)],
    binary('add', `${name}/second`, value(`${name}/third`), `${name}/region`),
  ];
}

/** What keeps apart places that the shift has brought into one window: −100 for those pairs. */
function mask(side: number): ProgramNode[] {
  const places = side * side;
  const windows = [value('height/windows'), side, value('width/windows'), side];
  const filled = (from: string, op: string, number: number, to: string) => [
    node(op, 'Scalar', { self: value('differences'), other: { int: 0 } }, `${to}/where`),
    node('masked_fill', 'Scalar', { self: value(from), mask: value(`${to}/where`), value: { float: number } }, to),
  ];
  return [
    ...[...regions('height', side), ...regions('width', side)],
    binary('mul', 'height/region', { float: 3 }, 'height/threes'),
    unsqueezed('height/threes', 1, 'height/column'),
    binary('add', 'height/column', value('width/region'), 'regions'),
    node('view', '', { self: value('regions'), size: windows }, 'regions/windows'),
    node('permute', '', { self: value('regions/windows'), dims: [0, 2, 1, 3] }, 'regions/turned'),
    node('reshape', '', { self: value('regions/turned'), shape: [-1, places] }, 'regions/rows'),
    ...[unsqueezed('regions/rows', 1, 'regions/from'), unsqueezed('regions/rows', 2, 'regions/to')],
    binary('sub', 'regions/from', value('regions/to'), 'differences'),
    ...[...filled('differences', 'ne', -100, 'far'), ...filled('far', 'eq', 0, 'mask')],
  ];
}

/** Adds the mask to the value `biased`. */
function masked(side: number, heads: number): ProgramNode[] {
  const places = side * side;
  return [
    ...mask(side),
    scalar('mul', value('height/windows'), value('width/windows'), 'windows'),
    node('view', '', { self: value('biased'), size: [-1, value('windows'), heads, places, places] }, 'by window'),
    ...[unsqueezed('mask', 1, 'mask/heads'), unsqueezed('mask/heads', 0, 'mask/all')],
    binary('add', 'by window', value('mask/all'), 'added'),
    node('view', '', { self: value('added'), size: [-1, heads, places, places] }, 'kept apart'),
  ];
}

/** `F.normalize` of the last axis. */
function normalised(name: string): ProgramNode[] {
  const length = { self: value(name), ord: { float: 2 }, dim: [-1], keepdim: true };
  return [
    node('linalg_vector_norm', '', length, `${name}/length`),
    node('clamp_min', '', { self: value(`${name}/length`), min: 1e-12 }, `${name}/least`),
    node('expand_as', '', { self: value(`${name}/least`), other: value(name) }, `${name}/lengths`),
    binary('div', name, value(`${name}/lengths`), `${name}/unit`),
  ];
}

const keysTurned = (from: string) => node('transpose', 'int', { self: value(from), dim0: -2, dim1: -1 }, 'keys');

/** How much queries and keys agree, as `agreed`. */
function agreement(size: number, heads: number): ProgramNode[] {
  return [
    binary('mul', 'q', { float: (size / heads) ** -0.5 }, 'scaled'),
    keysTurned('k'),
    node('matmul', '', { self: value('scaled'), other: value('keys') }, 'agreed'),
  ];
}

/** The same by the cosine: Liu et al. 2022, eq. 2. */
function cosineAgreement(): ProgramNode[] {
  return [
    ...[...normalised('q'), ...normalised('k'), keysTurned('k/unit')],
    node('matmul', '', { self: value('q/unit'), other: value('keys') }, 'cosines'),
    node('clamp', '', { self: value('logit_scale'), max: { float: Math.log(100) } }, 'clamped'),
    unary('exp', 'clamped', 'temperature'),
    binary('mul', 'cosines', value('temperature'), 'agreed'),
  ];
}

/** The linear layer of queries, keys and values without a bias of the keys, as version 2 has it. */
function withoutKeyBias(size: number): Module {
  const { tensors } = linear(size, 3 * size);
  const keys = { self: value('copied'), dim: 0, start: size, end: 2 * size };
  return leaf(
    'Linear',
    [
      unary('clone', 'bias', 'copied'),
      node('slice', 'Tensor', keys, 'part'),
      unary('zero_', 'part', 'zeroed'),
      node('linear', '', { input: value('input'), weight: value('weight'), bias: value('copied') }),
    ],
    tensors,
  );
}

/** What attention is made of. */
export interface Windows {
  readonly size: number;
  readonly heads: number;
  /** Height and width of a window. */
  readonly side: number;
  readonly shift: number;
  readonly attentionDropout: number;
  readonly dropout: number;
}

function steps(windows: Windows, bias: Steps, agreed: ProgramNode[]): Steps {
  const { size, heads, side, shift } = windows;
  const places = side * side;
  const part = (index: number, name: string) => node('select', 'int', { self: value('threes'), dim: 0, index }, name);
  const [h, w] = [value('height/windows'), value('width/windows')];
  const roll = (from: string, by: string, to: string) => {
    const shifts = [value(`height/${by}`), value(`width/${by}`)];
    return shift === 0 ? [] : [node('roll', '', { self: value(from), shifts, dims: [1, 2] }, to)];
  };
  const moved = shift === 0 ? 'padded' : 'rolled';
  const returned = shift === 0 ? 'whole' : 'rolled back';
  const whole = [value('count'), value('height/padded'), value('width/padded'), size];
  return [
    ...bias,
    node('sym_size', 'int', { self: value('input'), dim: 0 }, 'count'),
    ...[...axisSizes('height', 1, side, shift), ...axisSizes('width', 2, side, shift)],
    node('pad', '', { self: value('input'), pad: [0, 0, 0, value('width/added'), 0, value('height/added')] }, 'padded'),
    ...roll('padded', 'back', 'rolled'),
    node('view', '', { self: value(moved), size: [value('count'), h, side, w, side, size] }, 'cut'),
    node('permute', '', { self: value('cut'), dims: [0, 1, 3, 2, 4, 5] }, 'cut/turned'),
    node('reshape', '', { self: value('cut/turned'), shape: [-1, places, size] }, 'rows'),
    { module: 'qkv', input: 'rows', output: 'all' },
    node('reshape', '', { self: value('all'), shape: [-1, places, 3, heads, size / heads] }, 'parts'),
    node('permute', '', { self: value('parts'), dims: [2, 0, 3, 1, 4] }, 'threes'),
    ...[part(0, 'q'), part(1, 'k'), part(2, 'v')],
    ...agreed,
    binary('add', 'agreed', value('bias of places'), 'biased'),
    ...(shift === 0 ? [] : masked(side, heads)),
    node('softmax', 'int', { self: value(shift === 0 ? 'biased' : 'kept apart'), dim: -1 }, 'shares'),
    node('dropout', '', { input: value('shares'), p: windows.attentionDropout }, 'kept'),
    node('matmul', '', { self: value('kept'), other: value('v') }, 'mixed'),
    node('transpose', 'int', { self: value('mixed'), dim0: 1, dim1: 2 }, 'mixed/turned'),
    node('reshape', '', { self: value('mixed/turned'), shape: [-1, places, size] }, 'joined'),
    { module: 'proj', input: 'joined', output: 'projected' },
    node('dropout', '', { input: value('projected'), p: windows.dropout }, 'dropped'),
    node('view', '', { self: value('dropped'), size: [value('count'), h, w, side, side, size] }, 'uncut'),
    node('permute', '', { self: value('uncut'), dims: [0, 1, 3, 2, 4, 5] }, 'uncut/turned'),
    node('reshape', '', { self: value('uncut/turned'), shape: whole }, 'whole'),
    ...roll('whole', 'shift', 'rolled back'),
    node('slice', 'Tensor', { self: value(returned), dim: 1, start: 0, end: value('height') }, 'upper'),
    node('slice', 'Tensor', { self: value('upper'), dim: 2, start: 0, end: value('width') }, 'unpadded'),
    unary('contiguous', 'unpadded', 'output'),
  ];
}

const index = (side: number): ModuleTensor => ({
  ...{ name: 'relative_position_index', role: 'buffer', dtype: 'int64', shape: [side ** 4] },
  init: {
    kind: 'computed',
    nodes: [...relativeIndex(side), node('flatten', 'using_ints', { self: value('index'), start_dim: 0 })],
  },
});

/** `ShiftedWindowAttention` (Liu et al. 2021). */
export function windowAttention(windows: Windows): Module {
  const { size, heads, side } = windows;
  const name = 'relative_position_bias_table';
  const shape = [(2 * side - 1) ** 2, heads];
  const table: ModuleTensor = {
    ...{ name, role: 'parameter', dtype: 'float32', shape },
    init: { kind: 'constant', value: 0 },
  };
  const children = [
    ['qkv', linear(size, 3 * size)],
    ['proj', linear(size, size)],
  ] as const;
  const bias = positionBias(name, side * side, 'bias of places');
  return {
    ...tree('ShiftedWindowAttention', children, steps(windows, bias, agreement(size, heads))),
    tensors: [table, index(side)],
    draws: [{ tensor: name, init: truncated(0.02) }],
  };
}

/** `ShiftedWindowAttentionV2` (Liu et al. 2022). */
export function cosineWindowAttention(windows: Windows): Module {
  const { size, heads, side } = windows;
  const scale: Initialiser = {
    kind: 'computed',
    nodes: [
      node('full', '', { size: [heads, 1, 1], fill_value: { float: 10 }, dtype: { dtype: 'float32' } }, 'tens'),
      unary('log', 'tens', 'output'),
    ],
  };
  const coordinates = [1, 2 * side - 1, 2 * side - 1, 2];
  const tensors: ModuleTensor[] = [
    { name: 'logit_scale', role: 'parameter', dtype: 'float32', shape: [heads, 1, 1], init: scale },
    {
      ...{ name: 'relative_coords_table', role: 'buffer', dtype: 'float32', shape: coordinates },
      init: relativeCoordinates(side),
    },
    index(side),
  ];
  const children = [
    ['qkv', withoutKeyBias(size)],
    ['proj', linear(size, size)],
    ['cpb_mlp', chain([linear(2, 512), relu(), linear(512, heads, { bias: false })])],
  ] as const;
  const bias: Steps = [
    { module: 'cpb_mlp', input: 'relative_coords_table', output: 'table' },
    node('view', '', { self: value('table'), size: [-1, heads] }, 'table of heads'),
    ...positionBias('table of heads', side * side, 'bias before'),
    unary('sigmoid', 'bias before', 'bias of 1'),
    binary('mul', 'bias of 1', { int: 16 }, 'bias of places'),
  ];
  return { ...tree('ShiftedWindowAttentionV2', children, steps(windows, bias, cosineAgreement())), tensors };
}
