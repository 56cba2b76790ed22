// Transposed convolutions of torch.nn over one, two or three axes: torch/nn/modules/conv.py.
import { checkOptions, isBoolean, isNumber } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';
import { checkGroups, weightAndBias } from './convolution';
import { type Sizes, sizesOf } from './sizes';

/** Options of transposed convolutions. Several numbers are one for each axis, such as [height, width]. */
export interface ConvTransposeOptions {
  /** How much larger the output is. Default: 1. */
  stride?: Sizes;
  /** Elements cut off on each side. Default: 0. */
  padding?: Sizes;
  /** Elements added to the end of each axis; less than the stride or the dilation. Default: 0. */
  outputPadding?: Sizes;
  /** Groups of channels that do not see each other; divides both numbers of channels. Default: 1. */
  groups?: number;
  /** Default: true. */
  bias?: boolean;
  /** Elements between two taps of the kernel. Default: 1. */
  dilation?: Sizes;
}

const checks = {
  stride: () => undefined,
  padding: () => undefined,
  outputPadding: () => undefined,
  groups: isNumber({ integer: true, min: 1 }),
  bias: isBoolean,
  dilation: () => undefined,
};

function transposed(
  axes: 1 | 2 | 3,
  inChannels: number,
  outChannels: number,
  kernelSize: Sizes,
  options: ConvTransposeOptions,
): Module {
  const caller = `convTranspose${axes}d`;
  const given = checkOptions(caller, options, checks);
  const { groups = 1, bias = true } = given;
  checkGroups(caller, inChannels, outChannels, groups);
  const kernel = sizesOf(caller, 'kernelSize', kernelSize, axes, 1);
  const args = {
    input: value('input'),
    weight: value('weight'),
    bias: bias ? value('bias') : null,
    stride: sizesOf(caller, 'stride', given.stride ?? 1, axes, 1),
    padding: sizesOf(caller, 'padding', given.padding ?? 0, axes, 0),
    output_padding: sizesOf(caller, 'outputPadding', given.outputPadding ?? 0, axes, 0),
    groups,
    dilation: sizesOf(caller, 'dilation', given.dilation ?? 1, axes, 1),
  };
  const steps = [node(`conv_transpose${axes}d`, axes === 1 ? '' : 'input', args)];
  return leaf(
    `ConvTranspose${axes}d`,
    steps,
    weightAndBias([inChannels, outChannels / groups, ...kernel], outChannels, bias),
  );
}

/**
 * The transposition of a convolution over one axis, which makes it longer: [n, inChannels, length] to [n, outChannels, length']. As
 * `torch.nn.ConvTranspose1d`.
 *
 * @example
 * ```ts
 * convTranspose1d(16, 8, 4, { stride: 2, padding: 1 }); // twice as long
 * ```
 */
export function convTranspose1d(
  inChannels: number,
  outChannels: number,
  kernelSize: Sizes,
  options: ConvTransposeOptions = {},
): Module {
  return transposed(1, inChannels, outChannels, kernelSize, options);
}

/**
 * The transposition of a convolution of images, which makes them larger: [n, inChannels, h, w] to [n, outChannels, h', w']. As
 * `torch.nn.ConvTranspose2d`.
 *
 * @example
 * ```ts
 * convTranspose2d(16, 8, 2, { stride: 2 }); // [n, 16, 8, 8] to [n, 8, 16, 16]
 * ```
 */
export function convTranspose2d(
  inChannels: number,
  outChannels: number,
  kernelSize: Sizes,
  options: ConvTransposeOptions = {},
): Module {
  return transposed(2, inChannels, outChannels, kernelSize, options);
}

/**
 * The transposition of a convolution of volumes: [n, inChannels, d, h, w] to [n, outChannels, d', h', w']. As `torch.nn.ConvTranspose3d`.
 *
 * @example
 * ```ts
 * convTranspose3d(8, 4, 2, { stride: 2 });
 * ```
 */
export function convTranspose3d(
  inChannels: number,
  outChannels: number,
  kernelSize: Sizes,
  options: ConvTransposeOptions = {},
): Module {
  return transposed(3, inChannels, outChannels, kernelSize, options);
}
