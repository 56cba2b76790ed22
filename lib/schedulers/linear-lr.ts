// torch.optim.lr_scheduler.LinearLR. src/schedulers/linear_lr.cc computes it.
import { member } from '../core/family';
import { amount, count, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link linearLR}. */
export interface LinearLROptions {
  /** Factor of the learning rate at the start, above 0 and at most 1. Default: 1/3. */
  startFactor?: number;
  /** Factor at the end, from 0 to 1. Default: 1. */
  endFactor?: number;
  /** Steps from the one to the other, at least 1. Default: 5. */
  totalIters?: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link linearLR}. */
export interface LinearLR extends Readonly<Required<LinearLROptions>> {
  readonly kind: 'linearLR';
}

const options = schedulerOptions<Required<LinearLROptions>>({
  startFactor: amount('start_factor', { above: 0, max: 1 }, 1 / 3),
  endFactor: amount('end_factor', { min: 0, max: 1 }, 1),
  totalIters: count('total_iters', 1, 5),
  every: every('epoch'),
});

/**
 * Leads the learning rate in a line from `startFactor` to `endFactor` of it in `totalIters` steps, as `torch.optim.lr_scheduler.LinearLR`:
 * the usual warm-up.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: linearLR({ startFactor: 0.1, totalIters: 5 }) });
 * ```
 */
export function linearLR(given: LinearLROptions = {}): LinearLR {
  return member({ kind: 'linearLR', ...options.checked('linearLR', given) });
}

export const linearAtFirst = options.form('LinearLR', linearLR);
