// torch.nn.Conv2d

import { checkNumbers, ownOptions, type Pair, pair } from '../core/checks';
import { leaf, type Module, type ModuleTensor, node, value } from '../program/module';
import { biasUniform, kaimingUniform } from './initialisers';

/** Options of {@link conv2d}. A pair is [height, width]. */
export interface Conv2dOptions {
  /** Pixels between two applications. Defaults to 1. */
  stride?: Pair;
  /** Zeros added on each side. Defaults to 0. */
  padding?: Pair;
  /** Pixels between two taps of the kernel. Defaults to 1. */
  dilation?: Pair;
  /** Groups of channels that do not see each other. Defaults to 1. */
  groups?: number;
  /** Defaults to true. */
  bias?: boolean;
}

/**
 * A 2-d convolution: [n, inChannels, h, w] to [n, outChannels, h', w']. As `torch.nn.Conv2d`.
 *
 * @example
 * ```ts
 * conv2d(3, 16, 3, { padding: 1 }); // [n, 3, 32, 32] to [n, 16, 32, 32]
 * ```
 */
export function conv2d(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dOptions = {}): Module {
  const names = ['stride', 'padding', 'dilation', 'groups', 'bias'] as const;
  const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = ownOptions('conv2d', options, names);
  checkNumbers('conv2d', { inChannels, outChannels, kernelSize, stride, dilation, groups }, { integer: true, min: 1 });
  checkNumbers('conv2d', { padding }, { integer: true, min: 0 });
  checkNumbers(
    'conv2d',
    { 'inChannels / groups': inChannels / groups, 'outChannels / groups': outChannels / groups },
    { integer: true },
  );
  const [height, width] = pair(kernelSize);
  const fanIn = (inChannels / groups) * height * width;
  const shape = [outChannels, inChannels / groups, height, width];
  const tensors: ModuleTensor[] = [
    { name: 'weight', role: 'parameter', dtype: 'float32', shape, init: kaimingUniform(fanIn) },
  ];
  if (bias)
    tensors.push({ name: 'bias', role: 'parameter', dtype: 'float32', shape: [outChannels], init: biasUniform(fanIn) });
  const args = {
    input: value('input'),
    weight: value('weight'),
    bias: bias ? value('bias') : null,
    stride: pair(stride),
    padding: pair(padding),
    dilation: pair(dilation),
    groups,
  };
  return leaf('Conv2d', [node('conv2d', '', args)], tensors);
}
