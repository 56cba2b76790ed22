// Layers of torch.nn that make images larger or smaller, or exchange pixels for channels: torch/nn/modules/upsampling.py,
// torch/nn/modules/pixelshuffle.py, torch/nn/modules/channelshuffle.py, torch/nn/modules/fold.py.
import { checkNumbers, checkOptions, invalid, isBoolean, isOneOf } from '../core/checks';
import { LearnError } from '../core/errors';
import { leaf, type Module, node, value } from '../program/module';
import { type Sizes, sizesOf } from './sizes';

/** Options of {@link upsample}; one of `size` and `scaleFactor`. */
export interface UpsampleOptions {
  /** Of the output: one number for each axis. */
  size?: readonly number[];
  /** How much larger: one number for each axis. */
  scaleFactor?: readonly number[];
  /** 'linear' is for one axis, 'bilinear' and 'bicubic' for two, 'trilinear' for three. Default: 'nearest'. */
  mode?: 'nearest' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear';
  /** Whether the corners of input and output are the centres of the same pixels; not for 'nearest'. Default: false. */
  alignCorners?: boolean;
}

const modes = { nearest: undefined, linear: 1, bilinear: 2, bicubic: 2, trilinear: 3 };

/**
 * Makes sequences, images or volumes larger (or smaller) by interpolation. As `torch.nn.Upsample`.
 *
 * @example
 * ```ts
 * upsample({ scaleFactor: [2, 2], mode: 'bilinear' }); // [n, c, h, w] to [n, c, 2h, 2w]
 * ```
 */
export function upsample(options: UpsampleOptions): Module {
  const given = checkOptions('upsample', options, {
    ...{ size: () => undefined, scaleFactor: () => undefined },
    ...{ mode: isOneOf(Object.keys(modes)), alignCorners: isBoolean },
  });
  const { size, scaleFactor, mode = 'nearest', alignCorners } = given;
  if ((size === undefined) === (scaleFactor === undefined))
    throw new LearnError('ERR_INVALID_OPTION', 'Expected one of "size" and "scaleFactor" of upsample()');
  const numbers = (size ?? scaleFactor)!;
  const name = size === undefined ? 'scaleFactor' : 'size';
  const axes = Array.isArray(numbers) ? numbers.length : 0;
  if (axes < 1 || axes > 3 || (modes[mode] ?? axes) !== axes)
    throw invalid(`one number for each axis of '${mode}'`, `upsample: ${name}`, numbers);
  for (const number of numbers)
    checkNumbers('upsample', { [name]: number }, size ? { integer: true, min: 1 } : { above: 0 });
  if (mode === 'nearest' && alignCorners !== undefined)
    throw new LearnError('ERR_INVALID_OPTION', 'Expected no "alignCorners" of upsample() with the mode \'nearest\'');
  const args = {
    input: value('input'),
    output_size: size ? [...size] : null,
    ...(mode !== 'nearest' && { align_corners: alignCorners ?? false }),
    scale_factors: scaleFactor ? scaleFactor.map((float) => ({ float })) : null,
  };
  return leaf('Upsample', [node(`upsample_${mode}${axes}d`, 'vec', args)]);
}

/**
 * Moves channels into pixels: [n, c × factor², h, w] to [n, c, factor × h, factor × w] (Shi et al. 2016, eq. 4). As `torch.nn.PixelShuffle`.
 *
 * @example
 * ```ts
 * pixelShuffle(2); // [n, 64, 8, 8] to [n, 16, 16, 16]
 * ```
 */
export function pixelShuffle(upscaleFactor: number): Module {
  checkNumbers('pixelShuffle', { upscaleFactor }, { integer: true, min: 1 });
  return leaf('PixelShuffle', [node('pixel_shuffle', '', { self: value('input'), upscale_factor: upscaleFactor })]);
}

/**
 * Moves pixels into channels, the reverse of `pixelShuffle`. As `torch.nn.PixelUnshuffle`.
 *
 * @example
 * ```ts
 * pixelUnshuffle(2); // [n, 16, 16, 16] to [n, 64, 8, 8]
 * ```
 */
export function pixelUnshuffle(downscaleFactor: number): Module {
  checkNumbers('pixelUnshuffle', { downscaleFactor }, { integer: true, min: 1 });
  return leaf('PixelUnshuffle', [
    node('pixel_unshuffle', '', { self: value('input'), downscale_factor: downscaleFactor }),
  ]);
}

/**
 * Deals the channels of `groups` groups out in turn (Zhang et al. 2018). As `torch.nn.ChannelShuffle`.
 *
 * @example
 * ```ts
 * channelShuffle(2);
 * ```
 */
export function channelShuffle(groups: number): Module {
  checkNumbers('channelShuffle', { groups }, { integer: true, min: 1 });
  return leaf('ChannelShuffle', [node('channel_shuffle', '', { self: value('input'), groups })]);
}

/** Options of {@link fold} and {@link unfold}. A pair is [height, width]. */
export interface FoldOptions {
  /** Default: 1. */
  dilation?: Sizes;
  /** Default: 0. */
  padding?: Sizes;
  /** Default: 1. */
  stride?: Sizes;
}

function windows(caller: string, kernelSize: Sizes, options: FoldOptions) {
  const given = checkOptions(caller, options, {
    dilation: () => undefined,
    padding: () => undefined,
    stride: () => undefined,
  });
  return {
    kernel_size: sizesOf(caller, 'kernelSize', kernelSize, 2, 1),
    dilation: sizesOf(caller, 'dilation', given.dilation ?? 1, 2, 1),
    padding: sizesOf(caller, 'padding', given.padding ?? 0, 2, 0),
    stride: sizesOf(caller, 'stride', given.stride ?? 1, 2, 1),
  };
}

/**
 * The windows of [n, c, h, w] as columns: [n, c × elements of a window, windows]. As `torch.nn.Unfold`.
 *
 * @example
 * ```ts
 * unfold(4, { stride: 4 }); // patches of an image
 * ```
 */
export function unfold(kernelSize: Sizes, options: FoldOptions = {}): Module {
  return leaf('Unfold', [node('im2col', '', { self: value('input'), ...windows('unfold', kernelSize, options) })]);
}

/**
 * Adds windows up to images of `outputSize`, [height, width]: the reverse of `unfold`. As `torch.nn.Fold`.
 *
 * @example
 * ```ts
 * fold([32, 32], 4, { stride: 4 });
 * ```
 */
export function fold(outputSize: Sizes, kernelSize: Sizes, options: FoldOptions = {}): Module {
  const size = sizesOf('fold', 'outputSize', outputSize, 2, 1);
  const args = { self: value('input'), output_size: size, ...windows('fold', kernelSize, options) };
  return leaf('Fold', [node('col2im', '', args)]);
}
