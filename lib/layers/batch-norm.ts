// Batch norms of torch.nn: torch/nn/modules/batchnorm.py.
import { checkNumbers, checkOptions, isBoolean, isNumber } from '../core/checks';
import { leaf, type Module, type ModuleTensor, node, value } from '../program/module';
import { constant } from './initialisers';

/** Options of batch norms. */
export interface BatchNormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Share of the new batch in the running statistics. Default: 0.1. */
  momentum?: number;
  /** Whether it scales and shifts by learned numbers. Default: true. */
  affine?: boolean;
  /** Whether it keeps statistics; otherwise it takes those of the batch when it evaluates, too. Default: true. */
  trackRunningStats?: boolean;
}

const checks = {
  eps: isNumber({ min: 0 }),
  momentum: isNumber({ min: 0 }),
  affine: isBoolean,
  trackRunningStats: isBoolean,
};

/** A weight of ones and a bias of zeros. */
export function scaleAndShift(shape: readonly number[], bias = true): ModuleTensor[] {
  const parameter = { role: 'parameter', dtype: 'float32', shape } as const;
  return [
    { name: 'weight', ...parameter, init: constant(1) },
    ...(bias ? [{ name: 'bias', ...parameter, init: constant(0) }] : []),
  ];
}

/** Running statistics, and how many batches they are of. */
export function runningStatistics(features: number): ModuleTensor[] {
  const buffer = { role: 'buffer', dtype: 'float32', shape: [features] } as const;
  return [
    { name: 'running_mean', ...buffer, init: constant(0) },
    { name: 'running_var', ...buffer, init: constant(1) },
    { name: 'num_batches_tracked', role: 'buffer', dtype: 'int64', shape: [], init: constant(0) },
  ];
}

function batchNorm(axes: 1 | 2 | 3, features: number, options: BatchNormOptions): Module {
  const caller = `batchNorm${axes}d`;
  const given = checkOptions(caller, options, checks);
  const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = given;
  checkNumbers(caller, { features }, { integer: true, min: 1 });
  const tensors = [
    ...(affine ? scaleAndShift([features]) : []),
    ...(trackRunningStats ? runningStatistics(features) : []),
  ];
  const count = node('add_', 'Tensor', { self: value('num_batches_tracked'), other: 1 }, 'counted');
  const normalise = node('batch_norm', '', {
    input: value('input'),
    weight: affine ? value('weight') : null,
    bias: affine ? value('bias') : null,
    running_mean: trackRunningStats ? value('running_mean') : null,
    running_var: trackRunningStats ? value('running_var') : null,
    ...(!trackRunningStats && { training: true }),
    momentum,
    eps,
    cudnn_enabled: true,
  });
  const steps = trackRunningStats ? [{ ...count, only: 'training' as const }, normalise] : [normalise];
  return leaf(`BatchNorm${axes}d`, steps, tensors, 2);
}

/**
 * Normalises each feature of [n, features] or [n, features, length] by the batch's statistics in training and by the running ones
 * otherwise, then scales and shifts (Ioffe and Szegedy 2015, algorithm 1). As `torch.nn.BatchNorm1d`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc1: linear(8, 16), bn: batchNorm1d(16), relu: relu(), fc2: linear(16, 2) });
 * ```
 */
export function batchNorm1d(features: number, options: BatchNormOptions = {}): Module {
  return batchNorm(1, features, options);
}

/**
 * Normalises each channel of [n, features, h, w] by the batch's statistics in training and by the running ones otherwise,
 * then scales and shifts (Ioffe and Szegedy 2015, algorithm 1). As `torch.nn.BatchNorm2d`.
 *
 * @example
 * ```ts
 * const model = sequential({ conv: conv2d(3, 16, 3), bn: batchNorm2d(16), relu: relu() });
 * ```
 */
export function batchNorm2d(features: number, options: BatchNormOptions = {}): Module {
  return batchNorm(2, features, options);
}

/**
 * The same for volumes [n, features, d, h, w]. As `torch.nn.BatchNorm3d`.
 *
 * @example
 * ```ts
 * const model = sequential({ conv: conv3d(1, 16, 3), bn: batchNorm3d(16), relu: relu() });
 * ```
 */
export function batchNorm3d(features: number, options: BatchNormOptions = {}): Module {
  return batchNorm(3, features, options);
}
