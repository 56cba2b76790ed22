// Norms of torch.nn that take the statistics of each sample: torch/nn/modules/normalization.py and
// torch/nn/modules/instancenorm.py.
import { checkNumbers, checkOptions, isBoolean, isNumber } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';
import { runningStatistics, scaleAndShift } from './batch-norm';
import { type Sizes, sizesOf } from './sizes';

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Whether it scales and shifts by learned numbers. Default: true. */
  elementwiseAffine?: boolean;
  /** Whether it shifts, where it scales. Default: true. */
  bias?: boolean;
}

/** The axes at the end of a sample that are normalised together. */
function normalised(caller: string, shape: Sizes): number[] {
  return sizesOf(caller, 'normalizedShape', shape, Array.isArray(shape) ? Math.max(1, shape.length) : 1, 1);
}

/**
 * Normalises the last axes, of the sizes `normalizedShape`, of each sample, then scales and shifts (Ba et al. 2016, eq. 3 and 4). As
 * `torch.nn.LayerNorm`.
 *
 * @example
 * ```ts
 * layerNorm(128); // [n, tokens, 128]
 * layerNorm([16, 8, 8]); // [n, 16, 8, 8]
 * ```
 */
export function layerNorm(normalizedShape: Sizes, options: LayerNormOptions = {}): Module {
  const checks = { eps: isNumber({ min: 0 }), elementwiseAffine: isBoolean, bias: isBoolean };
  const { eps = 1e-5, elementwiseAffine = true, bias = true } = checkOptions('layerNorm', options, checks);
  const shape = normalised('layerNorm', normalizedShape);
  const args = {
    input: value('input'),
    normalized_shape: shape,
    weight: elementwiseAffine ? value('weight') : null,
    bias: elementwiseAffine && bias ? value('bias') : null,
    eps,
  };
  return leaf('LayerNorm', [node('layer_norm', '', args)], elementwiseAffine ? scaleAndShift(shape, bias) : []);
}

/** Options of {@link rmsNorm}. */
export interface RmsNormOptions {
  /** Added to the mean of the squares. Default: that of the dtype's precision, 1.19e-7 for float32. */
  eps?: number;
  /** Whether it scales by learned numbers. Default: true. */
  elementwiseAffine?: boolean;
}

/**
 * Divides the last axes, of the sizes `normalizedShape`, by the root of the mean of their squares, then scales (Zhang and Sennrich 2019,
 * eq. 4). As `torch.nn.RMSNorm`.
 *
 * @example
 * ```ts
 * rmsNorm(128, { eps: 1e-6 });
 * ```
 */
export function rmsNorm(normalizedShape: Sizes, options: RmsNormOptions = {}): Module {
  const checks = { eps: isNumber({ min: 0 }), elementwiseAffine: isBoolean };
  const { eps, elementwiseAffine = true } = checkOptions('rmsNorm', options, checks);
  const shape = normalised('rmsNorm', normalizedShape);
  const weight = elementwiseAffine ? value('weight') : null;
  const args = { input: value('input'), normalized_shape: shape, weight, eps: eps ?? null };
  return leaf('RMSNorm', [node('rms_norm', '', args)], elementwiseAffine ? scaleAndShift(shape, false) : []);
}

/** Options of {@link groupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Whether it scales and shifts each channel by learned numbers. Default: true. */
  affine?: boolean;
}

/**
 * Normalises each of `numGroups` groups of channels of [n, numChannels, …] in each sample, then scales and shifts (Wu and He 2018, eq. 1). As
 * `torch.nn.GroupNorm`.
 *
 * @example
 * ```ts
 * groupNorm(4, 16);
 * ```
 */
export function groupNorm(numGroups: number, numChannels: number, options: GroupNormOptions = {}): Module {
  const { eps = 1e-5, affine = true } = checkOptions('groupNorm', options, {
    eps: isNumber({ min: 0 }),
    affine: isBoolean,
  });
  checkNumbers('groupNorm', { numGroups, numChannels }, { integer: true, min: 1 });
  checkNumbers('groupNorm', { 'numChannels / numGroups': numChannels / numGroups }, { integer: true });
  const args = {
    input: value('input'),
    num_groups: numGroups,
    weight: affine ? value('weight') : null,
    bias: affine ? value('bias') : null,
    eps,
  };
  return leaf('GroupNorm', [node('group_norm', '', args)], affine ? scaleAndShift([numChannels]) : []);
}

/** Options of instance norms. */
export interface InstanceNormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Share of the new batch in the running statistics. Default: 0.1. */
  momentum?: number;
  /** Whether it scales and shifts by learned numbers. Default: false. */
  affine?: boolean;
  /** Whether it keeps statistics, and takes them when it evaluates. Default: false. */
  trackRunningStats?: boolean;
}

function instanceNorm(axes: 1 | 2 | 3, features: number, options: InstanceNormOptions): Module {
  const caller = `instanceNorm${axes}d`;
  const {
    eps = 1e-5,
    momentum = 0.1,
    affine = false,
    trackRunningStats = false,
  } = checkOptions(caller, options, {
    ...{ eps: isNumber({ min: 0 }), momentum: isNumber({ min: 0 }), affine: isBoolean, trackRunningStats: isBoolean },
  });
  checkNumbers(caller, { features }, { integer: true, min: 1 });
  const args = {
    input: value('input'),
    weight: affine ? value('weight') : null,
    bias: affine ? value('bias') : null,
    running_mean: trackRunningStats ? value('running_mean') : null,
    running_var: trackRunningStats ? value('running_var') : null,
    use_input_stats: trackRunningStats ? ({ run: 'training' } as const) : true,
    momentum,
    eps,
    cudnn_enabled: true,
  };
  const tensors = [
    ...(affine ? scaleAndShift([features]) : []),
    ...(trackRunningStats ? runningStatistics(features) : []),
  ];
  return leaf(`InstanceNorm${axes}d`, [node('instance_norm', '', args)], tensors, 2);
}

/**
 * Normalises each channel of each sample of [n, features, length] (Ulyanov et al. 2016, eq. 3). As `torch.nn.InstanceNorm1d`.
 *
 * @example
 * ```ts
 * instanceNorm1d(16, { affine: true });
 * ```
 */
export function instanceNorm1d(features: number, options: InstanceNormOptions = {}): Module {
  return instanceNorm(1, features, options);
}

/**
 * The same for images [n, features, h, w]. As `torch.nn.InstanceNorm2d`.
 *
 * @example
 * ```ts
 * instanceNorm2d(16, { affine: true, trackRunningStats: true });
 * ```
 */
export function instanceNorm2d(features: number, options: InstanceNormOptions = {}): Module {
  return instanceNorm(2, features, options);
}

/**
 * The same for volumes [n, features, d, h, w]. As `torch.nn.InstanceNorm3d`.
 *
 * @example
 * ```ts
 * instanceNorm3d(8);
 * ```
 */
export function instanceNorm3d(features: number, options: InstanceNormOptions = {}): Module {
  return instanceNorm(3, features, options);
}
