// The family of schedulers: how rates move in the course of a training. A new one is a file here, a line in the list, and a file and a
// line in src/schedulers/.
import { type Entry, family, type MemberOf } from '../core/family';
import { inChain } from './chained-scheduler';
import { constantAtFirst } from './constant-lr';
import { cosineAnnealing } from './cosine-annealing-lr';
import { cosineWithRestarts } from './cosine-annealing-warm-restarts';
import { cycles } from './cyclic-lr';
import { exponentialDecay } from './exponential-lr';
import { linearAtFirst } from './linear-lr';
import { decayAtMilestones } from './multi-step-lr';
import { checkNestedWith, holdsOthers } from './nested';
import { oneCycle } from './one-cycle-lr';
import { polynomialDecay } from './polynomial-lr';
import { lessOnPlateaus } from './reduce-lr-on-plateau';
import { inSequence } from './sequential-lr';
import { decayBySteps } from './step-lr';
import type { Monitor, TorchForm } from './torch-form';

export const schedulers = family('a scheduler', {
  stepLR: decayBySteps,
  multiStepLR: decayAtMilestones,
  constantLR: constantAtFirst,
  linearLR: linearAtFirst,
  exponentialLR: exponentialDecay,
  polynomialLR: polynomialDecay,
  cosineAnnealingLR: cosineAnnealing,
  cosineAnnealingWarmRestarts: cosineWithRestarts,
  cyclicLR: cycles,
  oneCycleLR: oneCycle,
  reduceLROnPlateau: lessOnPlateaus,
  sequentialLR: inSequence,
  chainedScheduler: inChain,
});
checkNestedWith(schedulers.check);

/** A scheduler, made by {@link stepLR}, {@link cosineAnnealingLR} or another function of its family. */
export type Scheduler = MemberOf<typeof schedulers.makers>;

interface SchedulerEntry extends Entry, TorchForm<Scheduler> {
  /** Fills in what the training knows. `isWhole`: the scheduler steps from its first step to its last. */
  readonly settle?: (scheduler: Scheduler, steps: number, isWhole: boolean) => Scheduler;
  /** Of one that follows a monitored number: throws where that is not there, or not as it expects. */
  readonly checkMonitor?: (scheduler: Scheduler, monitor: Monitor | undefined) => void;
}

const entryOf = (scheduler: { readonly kind: string }) => schedulers.entryOf(scheduler) as unknown as SchedulerEntry;

/** A kind of schedulers as PyTorch has it. */
export interface SchedulerForm extends TorchForm<Scheduler> {
  readonly kind: string;
}

export const schedulerForms: readonly SchedulerForm[] = schedulers.words.map((kind) => ({
  kind,
  ...entryOf({ kind }),
}));

export function schedulerForm({ kind }: { readonly kind: string }): SchedulerForm {
  return { kind, ...entryOf({ kind }) };
}

/** The scheduler with all that follows from a training of so many epochs, and steps in each, but not over `maxSteps`, where it is not 0. */
export function settledScheduler(
  scheduler: Scheduler,
  run: { readonly epochs: number; readonly steps: number; readonly maxSteps?: number },
  isWhole = true,
): Scheduler {
  if (holdsOthers(scheduler)) {
    const { kind, schedulers: held, ...rest } = scheduler;
    const isWholeInside = isWhole && !('milestones' in rest);
    const settled = held.map((one) => settledScheduler(one as Scheduler, run, isWholeInside));
    if (settled.every((one, i) => one === held[i])) return scheduler;
    return schedulers.check({ kind, schedulers: settled, ...rest }, 'scheduler');
  }
  const { epochs, steps: each, maxSteps = 0 } = run;
  const all = maxSteps > 0 ? Math.min(epochs * each, maxSteps) : epochs * each;
  const steps = scheduler.every === 'step' ? all : epochs;
  return entryOf(scheduler).settle?.(scheduler, steps, isWhole) ?? scheduler;
}

/** Throws where the scheduler follows a monitored number that does not exist or is to move the other way. */
export function checkMonitored(scheduler: Scheduler | undefined, monitor: Monitor | undefined): void {
  if (scheduler) entryOf(scheduler).checkMonitor?.(scheduler, monitor);
}
