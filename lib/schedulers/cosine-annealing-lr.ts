// torch.optim.lr_scheduler.CosineAnnealingLR. src/schedulers/cosine_annealing_lr.cc computes it.
import { member } from '../core/family';
import { amount, count, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link cosineAnnealingLR}. */
export interface CosineAnnealingLROptions {
  /** Steps from the highest learning rate to the lowest, at least 1. */
  tMax: number;
  /** The lowest learning rate. Default: 0. */
  etaMin?: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link cosineAnnealingLR}. */
export interface CosineAnnealingLR extends Readonly<Required<CosineAnnealingLROptions>> {
  readonly kind: 'cosineAnnealingLR';
}

const options = schedulerOptions<Required<CosineAnnealingLROptions>>({
  tMax: count('T_max', 1),
  etaMin: amount('eta_min', { min: 0 }, 0),
  every: every('epoch'),
});

/**
 * Lets the learning rate fall to `etaMin` in `tMax` steps along half a cosine, and rise again after these, as
 * `torch.optim.lr_scheduler.CosineAnnealingLR` (Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts",
 * equation 5).
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: cosineAnnealingLR({ tMax: 10 }) });
 * ```
 */
export function cosineAnnealingLR(given: CosineAnnealingLROptions): CosineAnnealingLR {
  return member({ kind: 'cosineAnnealingLR', ...options.checked('cosineAnnealingLR', given) });
}

export const cosineAnnealing = options.form('CosineAnnealingLR', cosineAnnealingLR);
