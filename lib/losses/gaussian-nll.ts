// torch.nn.GaussianNLLLoss.
import { isBoolean, isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { node, value } from '../program/module';
import { outputNames } from '../program/program';
import {
  everyNumber,
  firstOutputs,
  isOutputs,
  isReduction,
  type LossFragment,
  lossOptions,
  type OutputName,
  type Reduction,
} from './fragment';

/** Options of {@link gaussianNLLLoss}. */
export interface GaussianNLLLossOptions {
  /** The outputs with the mean and the variance, by name or index. Default: [0, 1]. */
  outputs?: readonly OutputName[];
  /** Whether to add the constant log(2π) / 2. Default: false. */
  full?: boolean;
  /** The least variance, above 0. Default: 0.000001. */
  eps?: number;
  /** `'mean'`, or `'sum'`, of the losses of all numbers of a batch. Default: 'mean'. */
  reduction?: Reduction;
}

/** The value of {@link gaussianNLLLoss}. */
export interface GaussianNLLLoss extends Readonly<Required<GaussianNLLLossOptions>> {
  readonly kind: 'gaussianNLLLoss';
}

const options = lossOptions<Required<GaussianNLLLossOptions>>({
  outputs: [firstOutputs(2), isOutputs(2)],
  full: [false, isBoolean],
  eps: [1e-6, isNumber({ above: 0, max: largestFloat })],
  reduction: ['mean', isReduction],
});

/**
 * (log variance + (mean − target)² / variance) / 2, as `torch.nn.GaussianNLLLoss` (Nix and Weigend 1994), for models that return a mean and
 * a variance of the same shape.
 *
 * @example
 * ```ts
 * await trainIncremental('forecast.pth', { loss: gaussianNLLLoss({ outputs: ['mean', 'variance'] }) });
 * ```
 */
export function gaussianNLLLoss(given: GaussianNLLLossOptions = {}): GaussianNLLLoss {
  return member({ kind: 'gaussianNLLLoss', ...options('gaussianNLLLoss', given) });
}

/** torch/nn/functional.py, gaussian_nll_loss. The least variance is set in place and unseen by autograd, as there. */
function fragment({ outputs, full, eps, reduction }: GaussianNLLLoss): LossFragment {
  const [mean, variance] = outputs as [OutputName, OutputName];
  const losses = [
    node('clone', '', { self: value('variance') }, 'own variance'),
    node('detach', '', { self: value('own variance') }, 'its memory'),
    node('clamp_min_', '', { self: value('its memory'), min: eps }, 'raised'),
    node('log', '', { self: value('own variance') }, 'log variance'),
    node('sub', 'Tensor', { self: value('mean'), other: value('target') }, 'difference'),
    node('pow', 'Tensor_Scalar', { self: value('difference'), exponent: 2 }, 'square'),
    node('div', 'Tensor', { self: value('square'), other: value('own variance') }, 'relative'),
    node('add', 'Tensor', { self: value('log variance'), other: value('relative') }, 'twice'),
    node('mul', 'Tensor', { self: value('twice'), other: 0.5 }, 'losses'),
    ...(full ? [node('add_', 'Tensor', { self: value('losses'), other: 0.5 * Math.log(2 * Math.PI) }, 'full')] : []),
  ];
  return {
    reduction,
    outputs: [
      { name: 'mean', output: mean, axes: everyNumber },
      { name: 'variance', output: variance, axes: everyNumber },
    ],
    targets: [{ kind: 'values', axes: everyNumber }],
    notNegative: ['variance'],
    nodes: (how) => {
      const last = outputNames(losses.at(-1)!)[0]!;
      return how === 'none' ? losses : [...losses, node(how, '', { self: value(last) }, 'loss')];
    },
  };
}

export const gaussianLikelihood = { make: gaussianNLLLoss, fragment } as const;
