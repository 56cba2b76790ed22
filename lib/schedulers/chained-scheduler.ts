// torch.optim.lr_scheduler.ChainedScheduler. src/schedulers/chained_scheduler.cc computes it.
import { checkOptions, isOneOf } from '../core/checks';
import { member } from '../core/family';
import { heldSchedulers, type NestedScheduler } from './nested';
import type { Every, TorchForm } from './torch-form';

/** Options of {@link chainedScheduler}. */
export interface ChainedSchedulerOptions {
  /** Whether all of them step after each epoch or after each step of the optimizer. Default: as the first of them does. */
  every?: Every;
}

/** The value of {@link chainedScheduler}. */
export interface ChainedScheduler {
  readonly kind: 'chainedScheduler';
  readonly schedulers: readonly NestedScheduler[];
  readonly every: Every;
}

/**
 * Schedulers that all step each time, one after the other, as `torch.optim.lr_scheduler.ChainedScheduler`: their factors multiply.
 *
 * @example
 * ```ts
 * const scheduler = chainedScheduler([constantLR({ factor: 0.1, totalIters: 5 }), exponentialLR({ gamma: 0.95 })]);
 * await trainIncremental('pretrained_model.pth', { scheduler });
 * ```
 */
export function chainedScheduler(
  given: readonly NestedScheduler[],
  options: ChainedSchedulerOptions = {},
): ChainedScheduler {
  const own = checkOptions('chainedScheduler', options, { every: isOneOf(['epoch', 'step']) });
  return member({ kind: 'chainedScheduler', ...heldSchedulers('chainedScheduler', given, own.every) });
}

const form: TorchForm<ChainedScheduler> = {
  torchName: 'ChainedScheduler',
  keys: ['_last_lr', '_step_count', '_is_initial', '_schedulers'],
  known: ['_schedulers'],
  constants: () => ({}),
  read: (state, every) => chainedScheduler(state.schedulers, { every }),
};

export const inChain = { make: chainedScheduler, positional: ['schedulers'], ...form };
