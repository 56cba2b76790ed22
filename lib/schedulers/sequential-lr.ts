// torch.optim.lr_scheduler.SequentialLR. src/schedulers/sequential_lr.cc computes it.
import { checkOptions, isOneOf } from '../core/checks';
import { LearnError } from '../core/errors';
import { member } from '../core/family';
import { heldSchedulers, holdsOthers, type NestedScheduler } from './nested';
import { ascending, type Every, type TorchForm } from './torch-form';

/** Options of {@link sequentialLR}. */
export interface SequentialLROptions {
  /** The steps at which the second scheduler and those after it begin, in ascending order: one number less than there are schedulers. */
  milestones: number | readonly number[];
  /** Whether all of them step after each epoch or after each step of the optimizer. Default: as the first of them does. */
  every?: Every;
}

/** The value of {@link sequentialLR}. */
export interface SequentialLR {
  readonly kind: 'sequentialLR';
  readonly schedulers: readonly NestedScheduler[];
  readonly milestones: readonly number[];
  readonly every: Every;
}

const checks = { milestones: ascending(1, true), every: isOneOf(['epoch', 'step']) };

/**
 * Schedulers one after the other, each from its milestone on, as `torch.optim.lr_scheduler.SequentialLR`.
 *
 * @example
 * ```ts
 * const warmUp = linearLR({ startFactor: 0.1, totalIters: 5 });
 * const scheduler = sequentialLR([warmUp, cosineAnnealingLR({ tMax: 95 })], { milestones: [5] });
 * await trainIncremental('pretrained_model.pth', { epochs: 100, scheduler });
 * ```
 */
export function sequentialLR(given: readonly NestedScheduler[], options: SequentialLROptions): SequentialLR {
  const own = checkOptions('sequentialLR', options ?? {}, checks);
  const milestones = (own.milestones ?? checks.milestones(own.milestones, 'milestones')) as readonly number[];
  const { schedulers, every } = heldSchedulers('sequentialLR', given, own.every);
  if (milestones.length !== schedulers.length - 1) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected ${schedulers.length - 1} milestones for the ${schedulers.length} schedulers of sequentialLR(), one where each but the ` +
        `first begins, but received ${milestones.length}`,
    );
  }
  const later = schedulers.findIndex((scheduler, i) => i > 0 && holdsOthers(scheduler));
  if (later > 0) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected a scheduler that holds no others for schedulers[${later}] of sequentialLR(), but received ${schedulers[later]!.kind}(): ` +
        'as in PyTorch, such a one can only be the first; put its schedulers and milestones into this one',
    );
  }
  return member({ kind: 'sequentialLR', schedulers, milestones: Object.freeze([...milestones]), every });
}

const form: TorchForm<SequentialLR> = {
  torchName: 'SequentialLR',
  keys: ['_milestones', 'last_epoch', '_last_lr', '_step_count', '_is_initial', '_schedulers'],
  known: ['_milestones', '_schedulers'],
  constants: ({ milestones }) => ({ _milestones: milestones }),
  read: (state, every) => sequentialLR(state.schedulers, { milestones: state.numbers('_milestones'), every }),
};

export const inSequence = { make: sequentialLR, positional: ['schedulers'], ...form };
