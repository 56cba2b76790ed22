// The rates that a scheduler gives a training, before there is one.
import { checkOptions, isListOf, isNumber } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { native } from '../native/native';
import { type Optimizer, optimizers } from '../optimizers';
import { sgd } from '../optimizers/sgd';
import { type Scheduler, schedulers, settledScheduler } from '../schedulers';
import { ratesOf } from './scheduler-state';

/** Options of {@link scheduledRates}. */
export interface ScheduledRatesOptions {
  /** The one whose rates are moved. Default: `sgd()`. */
  optimizer?: Optimizer;
  /** Default: 10. */
  epochs?: number;
  /** Steps of the optimizer in an epoch. Default: 1. */
  steps?: number;
  /** For `reduceLROnPlateau()`: what the validation after each epoch gives; later epochs have no number. Default: []. */
  monitored?: readonly number[];
}

/** What {@link scheduledRates} resolves with: a number for each step of the optimizer, in their order. */
export interface ScheduledRates {
  learningRate: Float64Array;
  /** Where the optimizer has this option. */
  momentum?: Float64Array;
  /** The first of betas, where the optimizer has these. */
  beta1?: Float64Array;
}

const mostSteps = 1e7;

/**
 * The rates that each step of a training would have with a scheduler.
 *
 * @example
 * ```ts
 * const { learningRate } = await scheduledRates(cosineAnnealingLR({ tMax: 10 }), { optimizer: sgd({ learningRate: 0.1 }) });
 * ```
 */
export async function scheduledRates(scheduler: Scheduler, given: ScheduledRatesOptions = {}): Promise<ScheduledRates> {
  const made = schedulers.check(scheduler, 'scheduler');
  const options = checkOptions('scheduledRates', given, {
    optimizer: optimizers.check,
    epochs: isNumber({ integer: true, min: 1 }),
    steps: isNumber({ integer: true, min: 1 }),
    monitored: isListOf(isNumber()),
  });
  const { optimizer = sgd(), epochs = 10, steps = 1, monitored = [] } = options;
  if (epochs * steps > mostSteps) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected at most ${mostSteps} steps for scheduledRates() but received ${epochs} epochs of ${steps}; give fewer`,
    );
  }
  const plan = {
    scheduler: settledScheduler(made, { epochs, steps }),
    groups: [ratesOf(optimizer)],
    epochs,
    steps,
    monitored,
  };
  const { learningRates, momentums, betas } = await fromNative(native().scheduledRates(plan));
  const { momentum, beta1 } = plan.groups[0]!;
  return {
    learningRate: learningRates,
    ...(momentum !== undefined && { momentum: momentums }),
    ...(beta1 !== undefined && { beta1: betas }),
  };
}
