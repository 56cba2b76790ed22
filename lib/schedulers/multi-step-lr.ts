// torch.optim.lr_scheduler.MultiStepLR. src/schedulers/multi_step_lr.cc computes it.
import { member } from '../core/family';
import { amount, ascending, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link multiStepLR}. */
export interface MultiStepLROptions {
  /** The steps after which the learning rate changes, in ascending order; equal ones change it as often. A number is a list of one. */
  milestones: number | readonly number[];
  /** Factor of the learning rate at each. Default: 0.1. */
  gamma?: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link multiStepLR}. */
export interface MultiStepLR extends Readonly<Required<MultiStepLROptions>> {
  readonly kind: 'multiStepLR';
  readonly milestones: readonly number[];
}

const options = schedulerOptions<Omit<MultiStepLR, 'kind'>>({
  milestones: {
    ...{ check: ascending(0, false), torch: 'milestones' },
    ...{ write: (counter) => ({ counter }), read: (state, name) => state.counted(name) },
  },
  gamma: amount('gamma', { min: 0 }, 0.1),
  every: every('epoch'),
});

/**
 * Multiplies the learning rate by `gamma` after each of these steps, as `torch.optim.lr_scheduler.MultiStepLR`.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: multiStepLR({ milestones: [5, 8] }) });
 * ```
 */
export function multiStepLR(given: MultiStepLROptions): MultiStepLR {
  return member({ kind: 'multiStepLR', ...options.checked('multiStepLR', given as Partial<MultiStepLR>) });
}

export const decayAtMilestones = options.form('MultiStepLR', multiStepLR);
