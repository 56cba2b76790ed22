// torch.optim.lr_scheduler.ExponentialLR. src/schedulers/exponential_lr.cc computes it.
import { member } from '../core/family';
import { amount, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link exponentialLR}. */
export interface ExponentialLROptions {
  /** Factor of the learning rate at each step, at least 0. */
  gamma: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link exponentialLR}. */
export interface ExponentialLR extends Readonly<Required<ExponentialLROptions>> {
  readonly kind: 'exponentialLR';
}

const options = schedulerOptions<Required<ExponentialLROptions>>({
  gamma: amount('gamma', { min: 0 }),
  every: every('epoch'),
});

/**
 * Multiplies the learning rate by `gamma` after every step, as `torch.optim.lr_scheduler.ExponentialLR`.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: exponentialLR({ gamma: 0.95 }) });
 * ```
 */
export function exponentialLR(given: ExponentialLROptions): ExponentialLR {
  return member({ kind: 'exponentialLR', ...options.checked('exponentialLR', given) });
}

export const exponentialDecay = options.form('ExponentialLR', exponentialLR);
