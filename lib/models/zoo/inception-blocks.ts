// The blocks of GoogLeNet and Inception v3: torchvision/models/inception.py.
import { batchNorm2d } from '../../layers/batch-norm';
import { type ConvOptions, conv2d } from '../../layers/convolution';
import type { Sizes } from '../../layers/sizes';
import { type Module, type ModuleCall, node, value } from '../../program/module';
import type { ProgramNode } from '../../program/program';
import { type Children, calls, tree } from './tree';

/** `BasicConv2d`: a convolution, a norm and relu. */
export function basicConv(from: number, to: number, kernel: Sizes, options: ConvOptions = {}): Module {
  return tree(
    'BasicConv2d',
    [
      ['conv', conv2d(from, to, kernel, { ...options, bias: false })],
      ['bn', batchNorm2d(to, { eps: 0.001 })],
    ],
    [...calls(['conv', 'bn'], 'input', 'normed'), node('relu', '', { self: value('normed') })],
  );
}

/** Steps from images as torchvision normalises them, by mean and deviation, to those of the first publication, from −1 to 1. */
export function transformed(output: string): ProgramNode[] {
  const deviations = [0.229, 0.224, 0.225];
  const means = [0.485, 0.456, 0.406];
  const channels = deviations.flatMap((deviation, i) => [
    node('select', 'int', { self: value('input'), dim: 1, index: i }, `plane${i}`),
    node('unsqueeze', '', { self: value(`plane${i}`), dim: 1 }, `channel${i}`),
    node('mul', 'Tensor', { self: value(`channel${i}`), other: deviation / 0.5 }, `scaled${i}`),
    node('add', 'Tensor', { self: value(`scaled${i}`), other: (means[i]! - 0.5) / 0.5 }, `shifted${i}`),
  ]);
  return [...channels, node('cat', '', { tensors: [0, 1, 2].map((i) => value(`shifted${i}`)), dim: 1 }, output)];
}

type Convs = readonly (readonly [name: string, from: number, to: number, kernel: Sizes, options?: ConvOptions])[];
type Steps = readonly (ProgramNode | ModuleCall)[];

/** A block of convolutions whose steps make the values `joined`. */
function block(type: string, convs: Convs, steps: Steps, joined: readonly string[]): Module {
  const children: Children = convs.map(([name, from, to, kernel, options]) => [
    name,
    basicConv(from, to, kernel, options),
  ]);
  return tree(type, children, [...steps, node('cat', '', { tensors: joined.map(value), dim: 1 })]);
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}_${i + 1}`);
const meanPool = node(
  'avg_pool2d',
  '',
  { self: value('input'), kernel_size: [3, 3], stride: [1, 1], padding: [1, 1] },
  'means',
);
const maxPool = node('max_pool2d', '', { self: value('input'), kernel_size: [3, 3], stride: [2, 2] }, 'pool');
const pooled: Steps = [meanPool, { module: 'branch_pool', input: 'means', output: 'pool' }];
const wide = { padding: [0, 3] as const };
const high = { padding: [3, 0] as const };

export function inceptionA(from: number, poolFeatures: number): Module {
  const convs: Convs = [
    ['branch1x1', from, 64, 1],
    ['branch5x5_1', from, 48, 1],
    ['branch5x5_2', 48, 64, 5, { padding: 2 }],
    ['branch3x3dbl_1', from, 64, 1],
    ['branch3x3dbl_2', 64, 96, 3, { padding: 1 }],
    ['branch3x3dbl_3', 96, 96, 3, { padding: 1 }],
    ['branch_pool', from, poolFeatures, 1],
  ];
  const steps = [
    ...calls(['branch1x1'], 'input', 'one'),
    ...calls(numbered('branch5x5', 2), 'input', 'five'),
    ...calls(numbered('branch3x3dbl', 3), 'input', 'three'),
    ...pooled,
  ];
  return block('InceptionA', convs, steps, ['one', 'five', 'three', 'pool']);
}

export function inceptionB(from: number): Module {
  const convs: Convs = [
    ['branch3x3', from, 384, 3, { stride: 2 }],
    ['branch3x3dbl_1', from, 64, 1],
    ['branch3x3dbl_2', 64, 96, 3, { padding: 1 }],
    ['branch3x3dbl_3', 96, 96, 3, { stride: 2 }],
  ];
  const steps = [
    ...calls(['branch3x3'], 'input', 'three'),
    ...calls(numbered('branch3x3dbl', 3), 'input', 'double'),
    maxPool,
  ];
  return block('InceptionB', convs, steps, ['three', 'double', 'pool']);
}

export function inceptionC(from: number, channels: number): Module {
  const convs: Convs = [
    ['branch1x1', from, 192, 1],
    ['branch7x7_1', from, channels, 1],
    ['branch7x7_2', channels, channels, [1, 7], wide],
    ['branch7x7_3', channels, 192, [7, 1], high],
    ['branch7x7dbl_1', from, channels, 1],
    ['branch7x7dbl_2', channels, channels, [7, 1], high],
    ['branch7x7dbl_3', channels, channels, [1, 7], wide],
    ['branch7x7dbl_4', channels, channels, [7, 1], high],
    ['branch7x7dbl_5', channels, 192, [1, 7], wide],
    ['branch_pool', from, 192, 1],
  ];
  const steps = [
    ...calls(['branch1x1'], 'input', 'one'),
    ...calls(numbered('branch7x7', 3), 'input', 'seven'),
    ...calls(numbered('branch7x7dbl', 5), 'input', 'double'),
    ...pooled,
  ];
  return block('InceptionC', convs, steps, ['one', 'seven', 'double', 'pool']);
}

export function inceptionD(from: number): Module {
  const convs: Convs = [
    ['branch3x3_1', from, 192, 1],
    ['branch3x3_2', 192, 320, 3, { stride: 2 }],
    ['branch7x7x3_1', from, 192, 1],
    ['branch7x7x3_2', 192, 192, [1, 7], wide],
    ['branch7x7x3_3', 192, 192, [7, 1], high],
    ['branch7x7x3_4', 192, 192, 3, { stride: 2 }],
  ];
  const steps = [
    ...calls(numbered('branch3x3', 2), 'input', 'three'),
    ...calls(numbered('branch7x7x3', 4), 'input', 'seven'),
    maxPool,
  ];
  return block('InceptionD', convs, steps, ['three', 'seven', 'pool']);
}

export function inceptionE(from: number): Module {
  const row = { padding: [0, 1] as const };
  const column = { padding: [1, 0] as const };
  const convs: Convs = [
    ['branch1x1', from, 320, 1],
    ['branch3x3_1', from, 384, 1],
    ['branch3x3_2a', 384, 384, [1, 3], row],
    ['branch3x3_2b', 384, 384, [3, 1], column],
    ['branch3x3dbl_1', from, 448, 1],
    ['branch3x3dbl_2', 448, 384, 3, { padding: 1 }],
    ['branch3x3dbl_3a', 384, 384, [1, 3], row],
    ['branch3x3dbl_3b', 384, 384, [3, 1], column],
    ['branch_pool', from, 192, 1],
  ];
  const split = (name: string, from: string, output: string) => [
    ...calls([`${name}a`], from, `${output}a`),
    ...calls([`${name}b`], from, `${output}b`),
    node('cat', '', { tensors: [value(`${output}a`), value(`${output}b`)], dim: 1 }, output),
  ];
  const steps = [
    ...calls(['branch1x1'], 'input', 'one'),
    ...calls(['branch3x3_1'], 'input', 'few'),
    ...split('branch3x3_2', 'few', 'three'),
    ...calls(numbered('branch3x3dbl', 2), 'input', 'fewer'),
    ...split('branch3x3dbl_3', 'fewer', 'double'),
    ...pooled,
  ];
  return block('InceptionE', convs, steps, ['one', 'three', 'double', 'pool']);
}
