// torch.optim.Adam. src/optimizers/adam.cc computes it.
import { member } from '../core/family';
import { amount, betas, flag, maximize, torchOptions } from './torch-options';

/** Options of {@link adam}. */
export interface AdamOptions {
  /** Default: 0.001. */
  learningRate?: number;
  /** How much of the averages of the gradient and of its square each step keeps: from 0 to less than 1. Default: [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Divides by the largest average of squares so far (Reddi et al. 2018, "On the convergence of Adam and beyond"). Default: false. */
  amsgrad?: boolean;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link adam}. */
export interface Adam extends Readonly<Required<AdamOptions>> {
  readonly kind: 'adam';
}

export const adamOptions = (weightDecay: number, isDecoupled: boolean) =>
  torchOptions<Required<AdamOptions>>(
    {
      learningRate: amount('lr', 0.001),
      betas: betas(),
      eps: amount('eps', 1e-8),
      weightDecay: amount('weight_decay', weightDecay, { isInteger: weightDecay === 0 }),
      amsgrad: flag('amsgrad', { later: true }),
      maximize,
    },
    [
      ...[
        'lr',
        'betas',
        'eps',
        'weight_decay',
        'amsgrad',
        'maximize',
        'foreach',
        'capturable',
        'differentiable',
        'fused',
      ],
      { decoupled_weight_decay: isDecoupled },
    ],
  );

export const adamSlots = {
  step: { shape: 'number' },
  exp_avg: { shape: 'parameter' },
  exp_avg_sq: { shape: 'parameter' },
  max_exp_avg_sq: { shape: 'parameter', optional: true },
} as const;

const options = adamOptions(0, false);

/**
 * Adam, as `torch.optim.Adam` (Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1):
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − learningRate × m̂ / (√v̂ + eps), where m̂ = m / (1 − β₁ᵗ) and
 * v̂ = v / (1 − β₂ᵗ) at step t.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: adam({ learningRate: 3e-4 }) });
 * ```
 */
export function adam(given: AdamOptions = {}): Adam {
  return member({ kind: 'adam', ...options.checked('adam', given) });
}

export const adaptiveMoments = {
  ...{ make: adam, recorded: adam, torchName: 'Adam', ...options.form, slots: adamSlots },
} as const;
