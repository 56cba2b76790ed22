// torch.optim.lr_scheduler.StepLR. src/schedulers/step_lr.cc computes it.
import { member } from '../core/family';
import { amount, count, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link stepLR}. */
export interface StepLROptions {
  /** Steps between two changes, at least 1. */
  stepSize: number;
  /** Factor of the learning rate at each. Default: 0.1. */
  gamma?: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link stepLR}. */
export interface StepLR extends Readonly<Required<StepLROptions>> {
  readonly kind: 'stepLR';
}

const options = schedulerOptions<Required<StepLROptions>>({
  stepSize: count('step_size', 1),
  gamma: amount('gamma', { min: 0 }, 0.1),
  every: every('epoch'),
});

/**
 * Multiplies the learning rate by `gamma` after every `stepSize` steps, as `torch.optim.lr_scheduler.StepLR`.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: stepLR({ stepSize: 30 }) });
 * ```
 */
export function stepLR(given: StepLROptions): StepLR {
  return member({ kind: 'stepLR', ...options.checked('stepLR', given) });
}

export const decayBySteps = options.form('StepLR', stepLR);
