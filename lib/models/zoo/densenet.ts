// DenseNet (Huang et al. 2017): torchvision/models/densenet.py.

import { type Check, invalid } from '../../core/checks';
import { relu } from '../../layers/activations';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain, type Layer } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { kaimingNormal } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { avgPool2d, maxPool2d } from '../../layers/pooling';
import { type Initialiser, type Model, type Module, type ModuleCall, node, value } from '../../program/module';
import type { ProgramNode } from '../../program/program';
import { flattenedInto, isCount, isShare } from './blocks';
import {
  architectureOptions,
  type Children,
  type ClassifierOptions,
  calls,
  drawnAgain,
  imageModel,
  shapeOf,
  tree,
} from './tree';

/** Options of the DenseNets, those of torchvision. */
export interface DenseNetOptions extends ClassifierOptions {
  /** Channels that each layer adds. Default: that of the architecture. */
  growthRate?: number;
  /** Layers of each block. Default: those of the architecture. */
  blockConfig?: readonly number[];
  /** Channels of the first convolution. Default: that of the architecture. */
  numInitFeatures?: number;
  /** Channels of a bottleneck in growth rates. Default: 4. */
  bnSize?: number;
  /** Probability of the dropout after each layer. Default: 0. */
  dropRate?: number;
}

const isBlocks: Check = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) throw invalid('a list of numbers of layers', name, value);
  value.forEach((count, i) => {
    isCount(count, `${name}[${i}]`);
  });
};

function denseLayer(from: number, growth: number, bnSize: number, dropRate: number): Module {
  const order = ['norm1', 'relu1', 'conv1', 'norm2', 'relu2', 'conv2'];
  const children: Children = [
    ['norm1', batchNorm2d(from)],
    ['relu1', relu()],
    ['conv1', conv2d(from, bnSize * growth, 1, { bias: false })],
    ['norm2', batchNorm2d(bnSize * growth)],
    ['relu2', relu()],
    ['conv2', conv2d(bnSize * growth, growth, 3, { padding: 1, bias: false })],
  ];
  if (dropRate === 0) return tree('_DenseLayer', children, calls(order));
  // It has no name: the class calls a function.
  const drop = dropout(dropRate).steps as readonly ProgramNode[];
  return tree('_DenseLayer', children, [
    ...calls(order, 'input', 'made'),
    ...drop.map((step) => ({
      ...step,
      args: Object.fromEntries(
        Object.entries(step.args).map(([name, argument]) => [name, isInput(argument) ? value('made') : argument]),
      ),
    })),
  ]);
}

function isInput(argument: unknown): boolean {
  return typeof argument === 'object' && (argument as { value?: string } | null)?.value === 'input';
}

/** Each layer takes what all before it made. */
function denseBlock(layers: readonly Module[]): Module {
  const made = ['input', ...layers.map((_, i) => `features${i + 1}`)];
  const steps = layers.flatMap((_, i): (ProgramNode | ModuleCall)[] => [
    node('cat', '', { tensors: made.slice(0, i + 1).map(value), dim: 1 }, `joined${i}`),
    { module: `denselayer${i + 1}`, input: `joined${i}`, output: made[i + 1]! },
  ]);
  const children = layers.map((layer, i) => [`denselayer${i + 1}`, layer] as const);
  const joined = node('cat', '', { tensors: made.map(value), dim: 1 });
  return { ...tree('_DenseBlock', children, [...steps, joined]), version: 2 };
}

function transition(from: number, to: number): Module {
  return chain({
    norm: batchNorm2d(from),
    relu: relu(),
    conv: conv2d(from, to, 1, { bias: false }),
    pool: avgPool2d(2),
  });
}

/** `kaiming_normal_(weight)` of a convolution. */
function kaimingNormalIn([, ...taken]: readonly number[]): Initialiser {
  return kaimingNormal(taken.reduce((product, size) => product * size, 1));
}

function densenet(
  name: string,
  rate: number,
  blocks: readonly number[],
  first: number,
  options: DenseNetOptions,
): Model {
  const given = architectureOptions(name, options, {
    ...{ growthRate: isCount, blockConfig: isBlocks, numInitFeatures: isCount, bnSize: isCount, dropRate: isShare },
  });
  const { growthRate = rate, blockConfig = blocks, numInitFeatures = first, bnSize = 4, dropRate = 0 } = given;
  const features: [string, Layer][] = [
    ['conv0', conv2d(3, numInitFeatures, 7, { stride: 2, padding: 3, bias: false })],
    ['norm0', batchNorm2d(numInitFeatures)],
    ['relu0', relu()],
    ['pool0', maxPool2d(3, { stride: 2, padding: 1 })],
  ];
  let channels = numInitFeatures;
  blockConfig.forEach((count, i) => {
    const layers = Array.from({ length: count }, (_, k) =>
      denseLayer(channels + k * growthRate, growthRate, bnSize, dropRate),
    );
    features.push([`denseblock${i + 1}`, denseBlock(layers)]);
    channels += count * growthRate;
    if (i === blockConfig.length - 1) return;
    const half = Math.floor(channels / 2);
    features.push([`transition${i + 1}`, transition(channels, half)]);
    channels = half;
  });
  features.push(['norm5', batchNorm2d(channels)]);
  const root = tree(
    'DenseNet',
    [
      ['features', chain(features)],
      ['classifier', linear(channels, given.numClasses)],
    ],
    [
      { module: 'features', input: 'input', output: 'features' },
      node('relu', '', { self: value('features') }, 'positive'),
      node('adaptive_avg_pool2d', '', { self: value('positive'), output_size: [1, 1] }, 'pooled'),
      ...flattenedInto('classifier', 'pooled'),
    ],
  );
  const draws = drawnAgain(root, (module): Record<string, Initialiser> => {
    if (module.type === 'Conv2d') return { weight: kaimingNormalIn(shapeOf(module, 'weight')) };
    return module.type === 'Linear' ? { bias: { kind: 'constant', value: 0 } } : {};
  });
  return imageModel(name, root, draws);
}

const made =
  (name: string, growthRate: number, blocks: readonly number[], first: number) =>
  (options: DenseNetOptions = {}) =>
    densenet(name, growthRate, blocks, first, options);

export const densenets = {
  densenet121: made('densenet121', 32, [6, 12, 24, 16], 64),
  densenet161: made('densenet161', 48, [6, 12, 36, 24], 96),
  densenet169: made('densenet169', 32, [6, 12, 32, 32], 64),
  densenet201: made('densenet201', 32, [6, 12, 48, 32], 64),
};
