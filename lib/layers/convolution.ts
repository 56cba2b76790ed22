// Convolutions of torch.nn over one, two or three axes: torch/nn/modules/conv.py.
import { checkNumbers, checkOptions, invalid, isBoolean, isNumber, isOneOf } from '../core/checks';
import { LearnError } from '../core/errors';
import { leaf, type Module, type ModuleTensor, node, value } from '../program/module';
import { biasUniform, kaimingUniform } from './initialisers';
import { type Sizes, sizesOf } from './sizes';

/** Options of convolutions. Several numbers are one for each axis, such as [height, width]. */
export interface ConvOptions {
  /** Elements between two applications. Default: 1. */
  stride?: Sizes;
  /** Elements added on each side; 'same': so many that the size stays, for a stride of 1; 'valid': none. Default: 0. */
  padding?: Sizes | 'same' | 'valid';
  /** Elements between two taps of the kernel. Default: 1. */
  dilation?: Sizes;
  /** Groups of channels that do not see each other; divides both numbers of channels. Default: 1. */
  groups?: number;
  /** Default: true. */
  bias?: boolean;
  /** What is added: zeros, or the image mirrored, continued by its edge, or from its other side. Default: 'zeros'. */
  paddingMode?: 'zeros' | 'reflect' | 'replicate' | 'circular';
}

const checks = {
  stride: () => undefined,
  padding: () => undefined,
  dilation: () => undefined,
  groups: isNumber({ integer: true, min: 1 }),
  bias: isBoolean,
  paddingMode: isOneOf(['zeros', 'reflect', 'replicate', 'circular']),
};

/** Throws unless the groups divide the channels. */
export function checkGroups(caller: string, inChannels: number, outChannels: number, groups: number): void {
  checkNumbers(caller, { inChannels, outChannels, groups }, { integer: true, min: 1 });
  checkNumbers(
    caller,
    { 'inChannels / groups': inChannels / groups, 'outChannels / groups': outChannels / groups },
    { integer: true },
  );
}

/** The weight and the bias; `shape`: of the weight. */
export function weightAndBias(shape: readonly number[], outChannels: number, bias: boolean): ModuleTensor[] {
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  const parameter = { role: 'parameter', dtype: 'float32' } as const;
  return [
    { name: 'weight', ...parameter, shape, init: kaimingUniform(fanIn) },
    ...(bias ? [{ name: 'bias', ...parameter, shape: [outChannels], init: biasUniform(fanIn) }] : []),
  ];
}

export function convolution(
  axes: 1 | 2 | 3,
  inChannels: number,
  outChannels: number,
  kernelSize: Sizes,
  options: ConvOptions,
): Module {
  const caller = `conv${axes}d`;
  const given = checkOptions(caller, options, checks);
  const { groups = 1, bias = true, paddingMode = 'zeros', padding = 0 } = given;
  checkGroups(caller, inChannels, outChannels, groups);
  const kernel = sizesOf(caller, 'kernelSize', kernelSize, axes, 1);
  const stride = sizesOf(caller, 'stride', given.stride ?? 1, axes, 1);
  const dilation = sizesOf(caller, 'dilation', given.dilation ?? 1, axes, 1);
  if (typeof padding === 'string' && padding !== 'same' && padding !== 'valid')
    throw invalid("numbers, 'same' or 'valid'", `${caller}: padding`, padding);
  if (padding === 'same' && stride.some((size) => size !== 1))
    throw new LearnError('ERR_INVALID_OPTION', `Expected a stride of 1 of ${caller}() with the padding 'same'`);
  const tensors = weightAndBias([outChannels, inChannels / groups, ...kernel], outChannels, bias);
  const common = { weight: value('weight'), bias: bias ? value('bias') : null, stride };
  const type = `Conv${axes}d`;
  if (paddingMode !== 'zeros') {
    const around = paddingAround(caller, padding, kernel, dilation);
    const padded = node('pad', '', { self: value('input'), pad: around, mode: paddingMode }, 'padded');
    const none = Array.from({ length: axes }, () => 0);
    const args = { input: value('padded'), ...common, padding: none, dilation, groups };
    return leaf(type, [padded, node(caller, '', args)], tensors);
  }
  if (typeof padding === 'string')
    return leaf(
      type,
      [node(caller, 'padding', { input: value('input'), ...common, padding, dilation, groups })],
      tensors,
    );
  const sides = sizesOf(caller, 'padding', padding, axes, 0);
  const args = { input: value('input'), ...common, padding: sides, dilation, groups };
  return leaf(type, [node(caller, '', args)], tensors);
}

/** What is added before and after each axis, the last axis first. */
function paddingAround(
  caller: string,
  padding: Sizes | 'same' | 'valid',
  kernel: readonly number[],
  dilation: readonly number[],
): number[] {
  const sides = kernel.map((size, axis): [number, number] => {
    const whole = padding === 'same' ? dilation[axis]! * (size - 1) : 0;
    return [Math.floor(whole / 2), whole - Math.floor(whole / 2)];
  });
  if (typeof padding === 'string') return sides.reverse().flat();
  return sizesOf(caller, 'padding', padding, kernel.length, 0)
    .reverse()
    .flatMap((size) => [size, size]);
}

/**
 * A convolution over one axis: [n, inChannels, length] to [n, outChannels, length']. As `torch.nn.Conv1d`.
 *
 * @example
 * ```ts
 * conv1d(1, 16, 80, { stride: 4 }); // [n, 1, 8000] to [n, 16, 1981]
 * ```
 */
export function conv1d(inChannels: number, outChannels: number, kernelSize: Sizes, options: ConvOptions = {}): Module {
  return convolution(1, inChannels, outChannels, kernelSize, options);
}

/**
 * A convolution of images: [n, inChannels, h, w] to [n, outChannels, h', w']. As `torch.nn.Conv2d`.
 *
 * @example
 * ```ts
 * conv2d(3, 16, 3, { padding: 1 }); // [n, 3, 32, 32] to [n, 16, 32, 32]
 * ```
 */
export function conv2d(inChannels: number, outChannels: number, kernelSize: Sizes, options: ConvOptions = {}): Module {
  return convolution(2, inChannels, outChannels, kernelSize, options);
}

/**
 * A convolution of volumes: [n, inChannels, d, h, w] to [n, outChannels, d', h', w']. As `torch.nn.Conv3d`.
 *
 * @example
 * ```ts
 * conv3d(1, 8, 3, { padding: 'same' });
 * ```
 */
export function conv3d(inChannels: number, outChannels: number, kernelSize: Sizes, options: ConvOptions = {}): Module {
  return convolution(3, inChannels, outChannels, kernelSize, options);
}
