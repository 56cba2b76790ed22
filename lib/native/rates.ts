// Rates of parameter groups and states of schedulers, as the addon takes and gives them.
import type { Scheduler } from '../schedulers';

/** The rates of a parameter group: see src/schedulers/group_rates.h. */
export interface GroupRates {
  learningRate: number;
  /** Of optimizers that have this option. */
  momentum?: number;
  /** The first of betas, of optimizers that have these. */
  beta1?: number;
  /** What schedulers remember in the group, by PyTorch's names and in the order in which it came. */
  kept: Readonly<Record<string, number>>;
}

/** See src/schedulers/scheduler.h. */
export interface SchedulerState {
  values: Readonly<Record<string, readonly number[]>>;
  schedulers: readonly SchedulerState[];
}

/** See RatesPlan in src/schedulers/run_scheduler.h. */
export interface RatesPlan {
  scheduler: Scheduler;
  groups: readonly GroupRates[];
  epochs: number;
  steps: number;
  monitored: readonly number[];
  start?: { epoch: number; step: number; state: SchedulerState };
}
