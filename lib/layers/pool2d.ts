// torch.nn.MaxPool2d, AvgPool2d, AdaptiveAvgPool2d

import { checkNumbers, ownOptions, type Pair, pair } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

/** Options of {@link maxPool2d} and {@link avgPool2d}. A pair is [height, width]. */
export interface PoolOptions {
  /** Pixels between two windows. Defaults to the kernel size. */
  stride?: Pair;
  /** Pixels added on each side; at most half the kernel. Defaults to 0. */
  padding?: Pair;
}

/**
 * The largest value of each window. As `torch.nn.MaxPool2d`.
 *
 * @example
 * ```ts
 * maxPool2d(3, { stride: 2, padding: 1 }); // [n, c, 32, 32] to [n, c, 16, 16]
 * ```
 */
export function maxPool2d(kernelSize: Pair, options: PoolOptions = {}): Module {
  return leaf('MaxPool2d', [node('max_pool2d', '', poolArguments('maxPool2d', kernelSize, options))]);
}

/**
 * The mean of each window. As `torch.nn.AvgPool2d`.
 *
 * @example
 * ```ts
 * avgPool2d(2); // [n, c, 32, 32] to [n, c, 16, 16]
 * ```
 */
export function avgPool2d(kernelSize: Pair, options: PoolOptions = {}): Module {
  return leaf('AvgPool2d', [node('avg_pool2d', '', poolArguments('avgPool2d', kernelSize, options))]);
}

/**
 * Means over windows such that `outputSize` of them cover the image. As `torch.nn.AdaptiveAvgPool2d`.
 *
 * @example
 * ```ts
 * adaptiveAvgPool2d(1); // [n, c, h, w] to [n, c, 1, 1]
 * ```
 */
export function adaptiveAvgPool2d(outputSize: Pair): Module {
  checkNumbers('adaptiveAvgPool2d', { outputSize }, { integer: true, min: 1 });
  const args = { self: value('input'), output_size: pair(outputSize) };
  return leaf('AdaptiveAvgPool2d', [node('adaptive_avg_pool2d', '', args)]);
}

function poolArguments(layer: string, kernelSize: Pair, options: PoolOptions) {
  const { stride = kernelSize, padding = 0 } = ownOptions(layer, options, ['stride', 'padding']);
  checkNumbers(layer, { kernelSize, stride }, { integer: true, min: 1 });
  checkNumbers(layer, { padding }, { integer: true, min: 0 });
  return { self: value('input'), kernel_size: pair(kernelSize), stride: pair(stride), padding: pair(padding) };
}
