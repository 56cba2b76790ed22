// torch.optim.NAdam. src/optimizers/n_adam.cc computes it.
import { member } from '../core/family';
import { amount, betas, flag, maximize, torchOptions } from './torch-options';

/** Options of {@link nAdam}. */
export interface NAdamOptions {
  /** Default: 0.002. */
  learningRate?: number;
  /** What the averages of the gradient and of its square keep at each step: from 0 to less than 1. Default: [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps?: number;
  /** L2 penalty, weightDecay × weight. Default: 0. */
  weightDecay?: number;
  /** How fast the momentum comes near β₁. Default: 0.004. */
  momentumDecay?: number;
  /** Whether weights decay by themselves, as with adamW(), instead of through their gradients. Default: false. */
  decoupledWeightDecay?: boolean;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link nAdam}. */
export interface NAdam extends Readonly<Required<NAdamOptions>> {
  readonly kind: 'nAdam';
}

const options = torchOptions<Required<NAdamOptions>>(
  {
    learningRate: amount('lr', 0.002),
    betas: betas(),
    eps: amount('eps', 1e-8),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    momentumDecay: amount('momentum_decay', 0.004),
    decoupledWeightDecay: flag('decoupled_weight_decay', { later: true }),
    maximize,
  },
  [
    ...['lr', 'betas', 'eps', 'weight_decay', 'momentum_decay', 'decoupled_weight_decay'],
    ...['maximize', 'foreach', 'capturable', 'differentiable'],
  ],
);

/**
 * Adam with Nesterov's momentum, as `torch.optim.NAdam` (Dozat 2016, "Incorporating Nesterov momentum into Adam"): at step t, with
 * μₜ = β₁(1 − 0.96^(t × momentumDecay) / 2) and the averages m and v of adam(), w ← w − learningRate × (μₜ₊₁ m / (1 − μ₁…μₜ₊₁) +
 * (1 − μₜ) g / (1 − μ₁…μₜ)) / (√v̂ + eps).
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: nAdam({ learningRate: 0.001 }) });
 * ```
 */
export function nAdam(given: NAdamOptions = {}): NAdam {
  return member({ kind: 'nAdam', ...options.checked('nAdam', given) });
}

export const nesterovMoments = {
  ...{ make: nAdam, recorded: nAdam, torchName: 'NAdam', ...options.form },
  slots: {
    ...{ step: { shape: 'number' }, mu_product: { shape: 'number' } },
    ...{ exp_avg: { shape: 'parameter' }, exp_avg_sq: { shape: 'parameter' } },
  },
} as const;
