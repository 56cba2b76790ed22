// torch.nn.BatchNorm2d

import { checkNumbers, ownOptions } from '../core/checks';
import { leaf, type Module, type ModuleTensor, node, value } from '../program/module';
import { constant } from './initialisers';

/** Options of {@link batchNorm2d}. */
export interface BatchNorm2dOptions {
  /** Added to the variance. Defaults to 1e-5. */
  eps?: number;
  /** Share of the new batch in the running statistics. Defaults to 0.1. */
  momentum?: number;
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
export function batchNorm2d(features: number, options: BatchNorm2dOptions = {}): Module {
  const { eps = 1e-5, momentum = 0.1 } = ownOptions('batchNorm2d', options, ['eps', 'momentum']);
  checkNumbers('batchNorm2d', { features }, { integer: true, min: 1 });
  checkNumbers('batchNorm2d', { eps, momentum }, { min: 0 });
  const shape = [features];
  const tensors: ModuleTensor[] = [
    { name: 'weight', role: 'parameter', dtype: 'float32', shape, init: constant(1) },
    { name: 'bias', role: 'parameter', dtype: 'float32', shape, init: constant(0) },
    { name: 'running_mean', role: 'buffer', dtype: 'float32', shape, init: constant(0) },
    { name: 'running_var', role: 'buffer', dtype: 'float32', shape, init: constant(1) },
    { name: 'num_batches_tracked', role: 'buffer', dtype: 'int64', shape: [], init: constant(0) },
  ];
  const count = node('add_', 'Tensor', { self: value('num_batches_tracked'), other: 1 }, 'counted');
  const normalise = node('batch_norm', '', {
    input: value('input'),
    weight: value('weight'),
    bias: value('bias'),
    running_mean: value('running_mean'),
    running_var: value('running_var'),
    momentum,
    eps,
    cudnn_enabled: true,
  });
  return leaf('BatchNorm2d', [{ ...count, only: 'training' }, normalise], tensors, 2);
}
