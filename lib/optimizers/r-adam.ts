// torch.optim.RAdam. src/optimizers/r_adam.cc computes it.
import { member } from '../core/family';
import { amount, betas, flag, maximize, torchOptions } from './torch-options';

/** Options of {@link rAdam}. */
export interface RAdamOptions {
  /** Default: 0.001. */
  learningRate?: number;
  /** What the averages of the gradient and of its square keep at each step: from 0 to less than 1. Default: [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps?: number;
  /** L2 penalty, weightDecay × weight. Default: 0. */
  weightDecay?: number;
  /** Whether weights decay by themselves, as with adamW(), instead of through their gradients. Default: false. */
  decoupledWeightDecay?: boolean;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link rAdam}. */
export interface RAdam extends Readonly<Required<RAdamOptions>> {
  readonly kind: 'rAdam';
}

const options = torchOptions<Required<RAdamOptions>>(
  {
    learningRate: amount('lr', 0.001),
    betas: betas(),
    eps: amount('eps', 1e-8),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    decoupledWeightDecay: flag('decoupled_weight_decay', { later: true }),
    maximize,
  },
  [
    ...['lr', 'betas', 'eps', 'weight_decay', 'maximize', 'foreach', 'capturable'],
    ...['decoupled_weight_decay', 'differentiable'],
  ],
);

/**
 * Rectified Adam, as `torch.optim.RAdam` (Liu et al. 2020, "On the variance of the adaptive learning rate and beyond", algorithm 2): the
 * step of adam() times the rectification of its variance; in the first steps, whose variance has no bounds, w ← w − learningRate × m̂.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: rAdam({ learningRate: 3e-4 }) });
 * ```
 */
export function rAdam(given: RAdamOptions = {}): RAdam {
  return member({ kind: 'rAdam', ...options.checked('rAdam', given) });
}

export const rectifiedMoments = {
  ...{ make: rAdam, recorded: rAdam, torchName: 'RAdam', ...options.form },
  slots: { step: { shape: 'number' }, exp_avg: { shape: 'parameter' }, exp_avg_sq: { shape: 'parameter' } },
} as const;
