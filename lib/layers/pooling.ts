// Pooling of torch.nn over one, two or three axes: torch/nn/modules/pooling.py.
import { checkOptions, invalid, isBoolean, isNumber } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';
import { type Sizes, sizesOf } from './sizes';

/** Options of max pools. Several numbers are one for each axis. */
export interface MaxPoolOptions {
  /** Elements between two windows. Default: the kernel size. */
  stride?: Sizes;
  /** Elements added on each side, of minus infinity; at most half the kernel. Default: 0. */
  padding?: Sizes;
  /** Elements between two of a window. Default: 1. */
  dilation?: Sizes;
  /** Whether windows may begin within the input and end beyond it. Default: false. */
  ceilMode?: boolean;
}

function maxPool(axes: 1 | 2 | 3, kernelSize: Sizes, options: MaxPoolOptions): Module {
  const caller = `maxPool${axes}d`;
  const unchecked = { stride: () => undefined, padding: () => undefined, dilation: () => undefined };
  const given = checkOptions(caller, options, { ...unchecked, ceilMode: isBoolean });
  const kernel = sizesOf(caller, 'kernelSize', kernelSize, axes, 1);
  const args = {
    self: value('input'),
    kernel_size: kernel,
    stride: sizesOf(caller, 'stride', given.stride ?? kernel, axes, 1),
    padding: paddingOf(caller, given.padding ?? 0, kernel),
    ...(given.dilation !== undefined && { dilation: sizesOf(caller, 'dilation', given.dilation, axes, 1) }),
    ...(given.ceilMode && { ceil_mode: true }),
  };
  return leaf(`MaxPool${axes}d`, [node(`max_pool${axes}d`, '', args)]);
}

function paddingOf(caller: string, padding: Sizes, kernel: readonly number[]): number[] {
  const sides = sizesOf(caller, 'padding', padding, kernel.length, 0);
  if (sides.some((size, axis) => 2 * size > kernel[axis]!))
    throw invalid('at most half of the kernel', `${caller}: padding`, padding);
  return sides;
}

/**
 * The largest value of each window of [n, c, length]. As `torch.nn.MaxPool1d`.
 *
 * @example
 * ```ts
 * maxPool1d(4); // [n, c, 64] to [n, c, 16]
 * ```
 */
export function maxPool1d(kernelSize: Sizes, options: MaxPoolOptions = {}): Module {
  return maxPool(1, kernelSize, options);
}

/**
 * The largest value of each window of [n, c, h, w]. As `torch.nn.MaxPool2d`.
 *
 * @example
 * ```ts
 * maxPool2d(3, { stride: 2, padding: 1 }); // [n, c, 32, 32] to [n, c, 16, 16]
 * ```
 */
export function maxPool2d(kernelSize: Sizes, options: MaxPoolOptions = {}): Module {
  return maxPool(2, kernelSize, options);
}

/**
 * The largest value of each window of [n, c, d, h, w]. As `torch.nn.MaxPool3d`.
 *
 * @example
 * ```ts
 * maxPool3d(2);
 * ```
 */
export function maxPool3d(kernelSize: Sizes, options: MaxPoolOptions = {}): Module {
  return maxPool(3, kernelSize, options);
}

/** Options of mean pools. Several numbers are one for each axis. */
export interface AvgPoolOptions {
  /** Elements between two windows. Default: the kernel size. */
  stride?: Sizes;
  /** Zeros added on each side; at most half the kernel. Default: 0. */
  padding?: Sizes;
  /** Whether windows may begin within the input and end beyond it. Default: false. */
  ceilMode?: boolean;
  /** Whether the added zeros count as elements. Default: true. */
  countIncludePad?: boolean;
  /** What sums are divided by; of two and three axes. Default: the elements of the window. */
  divisorOverride?: number;
}

function avgPool(axes: 1 | 2 | 3, kernelSize: Sizes, options: AvgPoolOptions): Module {
  const caller = `avgPool${axes}d`;
  const given = checkOptions(caller, options, {
    ...{ stride: () => undefined, padding: () => undefined, ceilMode: isBoolean, countIncludePad: isBoolean },
    ...(axes > 1 && { divisorOverride: isNumber({ integer: true, min: 1 }) }),
  });
  const kernel = sizesOf(caller, 'kernelSize', kernelSize, axes, 1);
  const args = {
    self: value('input'),
    kernel_size: kernel,
    stride: sizesOf(caller, 'stride', given.stride ?? kernel, axes, 1),
    padding: paddingOf(caller, given.padding ?? 0, kernel),
    ...(given.ceilMode && { ceil_mode: true }),
    ...(given.countIncludePad === false && { count_include_pad: false }),
    ...(given.divisorOverride !== undefined && { divisor_override: given.divisorOverride }),
  };
  return leaf(`AvgPool${axes}d`, [node(`avg_pool${axes}d`, '', args)]);
}

/**
 * The mean of each window of [n, c, length]. As `torch.nn.AvgPool1d`.
 *
 * @example
 * ```ts
 * avgPool1d(2);
 * ```
 */
export function avgPool1d(kernelSize: Sizes, options: AvgPoolOptions = {}): Module {
  return avgPool(1, kernelSize, options);
}

/**
 * The mean of each window of [n, c, h, w]. As `torch.nn.AvgPool2d`.
 *
 * @example
 * ```ts
 * avgPool2d(2); // [n, c, 32, 32] to [n, c, 16, 16]
 * ```
 */
export function avgPool2d(kernelSize: Sizes, options: AvgPoolOptions = {}): Module {
  return avgPool(2, kernelSize, options);
}

/**
 * The mean of each window of [n, c, d, h, w]. As `torch.nn.AvgPool3d`.
 *
 * @example
 * ```ts
 * avgPool3d(2, { divisorOverride: 4 });
 * ```
 */
export function avgPool3d(kernelSize: Sizes, options: AvgPoolOptions = {}): Module {
  return avgPool(3, kernelSize, options);
}

function lpPool(axes: 1 | 2 | 3, normType: number, kernelSize: Sizes, options: LpPoolOptions): Module {
  const caller = `lpPool${axes}d`;
  const given = checkOptions(caller, options, { stride: () => undefined, ceilMode: isBoolean });
  isNumber({ above: 0 })(normType, `${caller}: normType`);
  const kernel = sizesOf(caller, 'kernelSize', kernelSize, axes, 1);
  const count = kernel.reduce((product, size) => product * size, 1);
  const args = {
    self: value('powers'),
    kernel_size: kernel,
    stride: sizesOf(caller, 'stride', given.stride ?? kernel, axes, 1),
    padding: kernel.map(() => 0),
    ceil_mode: given.ceilMode ?? false,
  };
  // torch/nn/functional.py, lp_pool: the root of a sum, which is a mean times its count.
  return leaf(`LPPool${axes}d`, [
    node('pow', 'Tensor_Scalar', { self: value('input'), exponent: normType }, 'powers'),
    node(`avg_pool${axes}d`, '', args, 'means'),
    node('sign', '', { self: value('means') }, 'signs'),
    node('abs', '', { self: value('means') }, 'sizes'),
    node('relu', '', { self: value('sizes') }, 'positive'),
    node('mul', 'Tensor', { self: value('signs'), other: value('positive') }, 'signed'),
    node('mul', 'Tensor', { self: value('signed'), other: count }, 'sums'),
    node('pow', 'Tensor_Scalar', { self: value('sums'), exponent: { float: 1 / normType } }),
  ]);
}

/** Options of power-average pools. */
export interface LpPoolOptions {
  /** Elements between two windows. Default: the kernel size. */
  stride?: Sizes;
  /** Whether windows may begin within the input and end beyond it. Default: false. */
  ceilMode?: boolean;
}

/**
 * (Σ x^normType)^(1 / normType) of each window of [n, c, length]. As `torch.nn.LPPool1d`.
 *
 * @example
 * ```ts
 * lpPool1d(2, 3);
 * ```
 */
export function lpPool1d(normType: number, kernelSize: Sizes, options: LpPoolOptions = {}): Module {
  return lpPool(1, normType, kernelSize, options);
}

/**
 * (Σ x^normType)^(1 / normType) of each window of [n, c, h, w]. As `torch.nn.LPPool2d`.
 *
 * @example
 * ```ts
 * lpPool2d(2, 3, { stride: 2 });
 * ```
 */
export function lpPool2d(normType: number, kernelSize: Sizes, options: LpPoolOptions = {}): Module {
  return lpPool(2, normType, kernelSize, options);
}

/**
 * (Σ x^normType)^(1 / normType) of each window of [n, c, d, h, w]. As `torch.nn.LPPool3d`.
 *
 * @example
 * ```ts
 * lpPool3d(2, 2);
 * ```
 */
export function lpPool3d(normType: number, kernelSize: Sizes, options: LpPoolOptions = {}): Module {
  return lpPool(3, normType, kernelSize, options);
}
