// torch.optim.lr_scheduler.PolynomialLR. src/schedulers/polynomial_lr.cc computes it.
import { member } from '../core/family';
import { amount, count, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link polynomialLR}. */
export interface PolynomialLROptions {
  /** Steps until the learning rate is 0, at least 1. Default: 5. */
  totalIters?: number;
  /** Of the polynomial, at least 0. Default: 1. */
  power?: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link polynomialLR}. */
export interface PolynomialLR extends Readonly<Required<PolynomialLROptions>> {
  readonly kind: 'polynomialLR';
}

const options = schedulerOptions<Required<PolynomialLROptions>>({
  totalIters: count('total_iters', 1, 5),
  power: amount('power', { min: 0 }, 1),
  every: every('epoch'),
});

/**
 * Lets the learning rate fall to 0 in `totalIters` steps as (1 − step / totalIters) to the power of `power`, as
 * `torch.optim.lr_scheduler.PolynomialLR`.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: polynomialLR({ totalIters: 10, power: 2 }) });
 * ```
 */
export function polynomialLR(given: PolynomialLROptions = {}): PolynomialLR {
  return member({ kind: 'polynomialLR', ...options.checked('polynomialLR', given) });
}

export const polynomialDecay = options.form('PolynomialLR', polynomialLR);
