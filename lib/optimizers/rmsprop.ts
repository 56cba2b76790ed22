// torch.optim.RMSprop. src/optimizers/rmsprop.cc computes it.
import { member } from '../core/family';
import { amount, flag, maximize, torchOptions } from './torch-options';

/** Options of {@link rmsprop}. */
export interface RmspropOptions {
  /** Default: 0.01. */
  learningRate?: number;
  /** What the average of squares keeps at each step: from 0 to 1. Default: 0.99. */
  alpha?: number;
  /** Added to the denominator. Default: 1e-8. */
  eps?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Share of the last update that goes into the next. Default: 0. */
  momentum?: number;
  /** Whether the variance of the gradient is divided by, instead of its square. Default: false. */
  centered?: boolean;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link rmsprop}. */
export interface Rmsprop extends Readonly<Required<RmspropOptions>> {
  readonly kind: 'rmsprop';
}

const options = torchOptions<Required<RmspropOptions>>(
  {
    learningRate: amount('lr', 0.01),
    alpha: amount('alpha', 0.99, { max: 1 }),
    eps: amount('eps', 1e-8),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    momentum: amount('momentum', 0, { isInteger: true }),
    centered: flag('centered'),
    maximize,
  },
  [
    ...['lr', 'momentum', 'alpha', 'eps', 'centered', 'weight_decay'],
    ...['capturable', 'foreach', 'maximize', 'differentiable'],
  ],
);

/**
 * RMSprop, as `torch.optim.RMSprop` (Hinton, Srivastava and Swersky 2012, "Neural networks for machine learning", lecture 6a):
 * v ← αv + (1 − α)g², w ← w − learningRate × g / (√v + eps). With momentum, b ← momentum × b + g / (√v + eps) and
 * w ← w − learningRate × b. Centred, v less the square of the average gradient is divided by (Graves 2013).
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: rmsprop({ learningRate: 0.001, momentum: 0.9 }) });
 * ```
 */
export function rmsprop(given: RmspropOptions = {}): Rmsprop {
  return member({ kind: 'rmsprop', ...options.checked('rmsprop', given) });
}

export const rootMeanSquare = {
  ...{ make: rmsprop, recorded: rmsprop, torchName: 'RMSprop', ...options.form },
  slots: {
    ...{ step: { shape: 'number' }, square_avg: { shape: 'parameter' } },
    momentum_buffer: { shape: 'parameter', optional: true },
    grad_avg: { shape: 'parameter', optional: true },
  },
} as const;
