// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts. src/schedulers/cosine_annealing_warm_restarts.cc computes it.
import { member } from '../core/family';
import { amount, commonKeys, count, type Every, every, schedulerOptions } from './torch-form';

/** Options of {@link cosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Steps until the first restart, at least 1. */
  t0: number;
  /** Factor of that number after each restart, an integer of at least 1. Default: 1. */
  tMult?: number;
  /** The lowest learning rate. Default: 0. */
  etaMin?: number;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'epoch'. */
  every?: Every;
}

/** The value of {@link cosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestarts extends Readonly<Required<CosineAnnealingWarmRestartsOptions>> {
  readonly kind: 'cosineAnnealingWarmRestarts';
}

const options = schedulerOptions<Required<CosineAnnealingWarmRestartsOptions>>({
  t0: count('T_0', 1),
  tMult: count('T_mult', 1, 1),
  etaMin: amount('eta_min', { min: 0 }, 0),
  every: every('epoch'),
});

/**
 * Lets the learning rate fall to `etaMin` in `t0` steps along half a cosine, and begins again, as
 * `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts` (Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm
 * restarts", equation 5).
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: cosineAnnealingWarmRestarts({ t0: 3, tMult: 2 }) });
 * ```
 */
export function cosineAnnealingWarmRestarts(given: CosineAnnealingWarmRestartsOptions): CosineAnnealingWarmRestarts {
  return member({ kind: 'cosineAnnealingWarmRestarts', ...options.checked('cosineAnnealingWarmRestarts', given) });
}

export const cosineWithRestarts = {
  ...options.form('CosineAnnealingWarmRestarts', cosineAnnealingWarmRestarts),
  keys: ['T_0', 'T_i', 'T_mult', 'eta_min', 'T_cur', ...commonKeys],
};
