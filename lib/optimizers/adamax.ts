// torch.optim.Adamax. src/optimizers/adamax.cc computes it.
import { member } from '../core/family';
import { amount, betas, maximize, torchOptions } from './torch-options';

/** Options of {@link adamax}. */
export interface AdamaxOptions {
  /** Default: 0.002. */
  learningRate?: number;
  /** What the average of the gradient and its largest size keep at each step: from 0 to less than 1. Default: [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the size of each gradient. Default: 1e-8. */
  eps?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link adamax}. */
export interface Adamax extends Readonly<Required<AdamaxOptions>> {
  readonly kind: 'adamax';
}

const options = torchOptions<Required<AdamaxOptions>>(
  {
    learningRate: amount('lr', 0.002),
    betas: betas(),
    eps: amount('eps', 1e-8),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    maximize,
  },
  ['lr', 'betas', 'eps', 'weight_decay', 'foreach', 'maximize', 'differentiable', 'capturable'],
);

/**
 * Adam by the infinity norm, as `torch.optim.Adamax` (Kingma and Ba 2015, algorithm 2): m ← β₁m + (1 − β₁)g,
 * u ← max(β₂u, |g| + eps), w ← w − learningRate / (1 − β₁ᵗ) × m / u at step t.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: adamax({ learningRate: 0.001 }) });
 * ```
 */
export function adamax(given: AdamaxOptions = {}): Adamax {
  return member({ kind: 'adamax', ...options.checked('adamax', given) });
}

export const infinityNorm = {
  ...{ make: adamax, recorded: adamax, torchName: 'Adamax', ...options.form },
  slots: { step: { shape: 'number' }, exp_avg: { shape: 'parameter' }, exp_inf: { shape: 'parameter' } },
} as const;
