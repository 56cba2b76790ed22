// torch.optim.Adagrad. src/optimizers/adagrad.cc computes it.
import { member } from '../core/family';
import { amount, maximize, torchOptions } from './torch-options';

/** Options of {@link adagrad}. */
export interface AdagradOptions {
  /** Default: 0.01. */
  learningRate?: number;
  /** How the rate falls: learningRate / (1 + (t − 1) × learningRateDecay) at step t. Default: 0. */
  learningRateDecay?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Where the sums of squares begin. Default: 0. */
  initialAccumulatorValue?: number;
  /** Added to the denominator. Default: 1e-10. */
  eps?: number;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link adagrad}. */
export interface Adagrad extends Readonly<Required<AdagradOptions>> {
  readonly kind: 'adagrad';
}

const options = torchOptions<Required<AdagradOptions>>(
  {
    learningRate: amount('lr', 0.01),
    learningRateDecay: amount('lr_decay', 0, { isInteger: true }),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    initialAccumulatorValue: amount('initial_accumulator_value', 0, { isInteger: true }),
    eps: amount('eps', 1e-10, { later: true }),
    maximize,
  },
  [
    ...['lr', 'lr_decay', 'eps', 'weight_decay', 'initial_accumulator_value'],
    ...['foreach', 'maximize', 'differentiable', 'fused'],
  ],
);

/**
 * Adagrad, as `torch.optim.Adagrad` (Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and stochastic
 * optimization"): s ← s + g², w ← w − rate × g / (√s + eps).
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: adagrad({ learningRate: 0.05 }) });
 * ```
 */
export function adagrad(given: AdagradOptions = {}): Adagrad {
  return member({ kind: 'adagrad', ...options.checked('adagrad', given) });
}

export const sumOfSquares = {
  ...{ make: adagrad, recorded: adagrad, torchName: 'Adagrad', ...options.form },
  slots: { step: { shape: 'number' }, sum: { shape: 'parameter' } },
} as const;
