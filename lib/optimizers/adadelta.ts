// torch.optim.Adadelta. src/optimizers/adadelta.cc computes it.
import { member } from '../core/family';
import { amount, maximize, torchOptions } from './torch-options';

/** Options of {@link adadelta}. */
export interface AdadeltaOptions {
  /** Default: 1. */
  learningRate?: number;
  /** What the averages of squares keep at each step: from 0 to 1. Default: 0.9. */
  rho?: number;
  /** Added to the averages before their root is taken. Default: 1e-6. */
  eps?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link adadelta}. */
export interface Adadelta extends Readonly<Required<AdadeltaOptions>> {
  readonly kind: 'adadelta';
}

const options = torchOptions<Required<AdadeltaOptions>>(
  {
    learningRate: amount('lr', 1),
    rho: amount('rho', 0.9, { max: 1 }),
    eps: amount('eps', 1e-6),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    maximize,
  },
  ['lr', 'rho', 'eps', 'weight_decay', 'maximize', 'capturable', 'foreach', 'differentiable'],
);

/**
 * Adadelta, as `torch.optim.Adadelta` (Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1): v ← ρv + (1 − ρ)g²,
 * d = √(u + eps) / √(v + eps) × g, u ← ρu + (1 − ρ)d², w ← w − learningRate × d.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: adadelta({ rho: 0.95 }) });
 * ```
 */
export function adadelta(given: AdadeltaOptions = {}): Adadelta {
  return member({ kind: 'adadelta', ...options.checked('adadelta', given) });
}

export const averagedChanges = {
  ...{ make: adadelta, recorded: adadelta, torchName: 'Adadelta', ...options.form },
  slots: { step: { shape: 'number' }, square_avg: { shape: 'parameter' }, acc_delta: { shape: 'parameter' } },
} as const;
