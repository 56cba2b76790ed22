// torch.optim.lr_scheduler.ConstantLR. src/schedulers/constant_lr.cc computes it.
import { member } from '../core/family';
import { amount, count, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link constantLR}. */
export interface ConstantLROptions {
  /** Factor of the learning rate until then, above 0 and at most 1. Default: 1/3. */
  factor?: number;
  /** Steps until the learning rate is the whole one, at least 1. Default: 5. */
  totalIters?: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link constantLR}. */
export interface ConstantLR extends Readonly<Required<ConstantLROptions>> {
  readonly kind: 'constantLR';
}

const options = schedulerOptions<Required<ConstantLROptions>>({
  factor: amount('factor', { above: 0, max: 1 }, 1 / 3),
  totalIters: count('total_iters', 1, 5),
  every: every('epoch'),
});

/**
 * Multiplies the learning rate by `factor` for the first `totalIters` steps, as `torch.optim.lr_scheduler.ConstantLR`.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: constantLR({ factor: 0.1 }) });
 * ```
 */
export function constantLR(given: ConstantLROptions = {}): ConstantLR {
  return member({ kind: 'constantLR', ...options.checked('constantLR', given) });
}

export const constantAtFirst = options.form('ConstantLR', constantLR);
