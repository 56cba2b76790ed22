// Page-Hinkley: a sum of distances from the mean that runs away where the mean changes, by Page 1954, "Continuous inspection
// schemes". Computes in the order in which River does.

import { checkOptions, isNumber, isOneOf } from '../core/checks';
import { member } from '../core/family';
import type { DetectorKind } from './detector';

/** Options of {@link pageHinkley}. */
export interface PageHinkleyOptions {
  /** Nothing is said before so many numbers. Default: 30. */
  minInstances?: number;
  /** Distances from the mean up to this are no change. Default: 0.005. */
  delta?: number;
  /** λ: how far the sum may run away. Default: 50. */
  threshold?: number;
  /** How much of the sum the next number keeps, 0 to 1. Default: 0.9999. */
  alpha?: number;
  /** Whether larger numbers, smaller ones, or both are a drift. Default: 'both'. */
  mode?: 'up' | 'down' | 'both';
}

/** The value that {@link pageHinkley} makes, with every option. */
export interface PageHinkley extends Readonly<Required<PageHinkleyOptions>> {
  readonly kind: 'pageHinkley';
}

const checks = {
  minInstances: isNumber({ integer: true, min: 0 }),
  delta: isNumber({ min: 0 }),
  threshold: isNumber({ min: 0 }),
  alpha: isNumber({ min: 0, max: 1 }),
  mode: isOneOf(['up', 'down', 'both']),
};

/**
 * The Page-Hinkley test: with x̄ the mean so far, u ← α u + (x − x̄) − δ and d ← α d + (x − x̄) + δ, a drift where
 * u − uₘᵢₙ > λ (up) or dₘₐₓ − d > λ (down). For any numbers. No warnings.
 *
 * @example
 * ```ts
 * const drift = { detector: pageHinkley() };
 * const learner = await OnlineLearner.open({ dir: './learner', checkpoint: 'model.pth', drift });
 * ```
 */
export function pageHinkley(options: PageHinkleyOptions = {}): PageHinkley {
  const {
    minInstances = 30,
    delta = 0.005,
    threshold = 50,
    alpha = 0.9999,
    mode = 'both',
  } = checkOptions('pageHinkley', options, checks);
  return member({ kind: 'pageHinkley', minInstances, delta, threshold, alpha, mode });
}

interface Sums {
  count: number;
  mean: number;
  up: number;
  down: number;
  /** The least of `up` and the largest of `down`; null before the first. */
  least: number | null;
  largest: number | null;
}

const begun: Sums = { count: 0, mean: 0, up: 0, down: 0, least: null, largest: null };

export const pageHinkleyKind: DetectorKind<PageHinkley> = {
  start({ minInstances, delta, threshold, alpha, mode }, saved) {
    let now = { ...((saved as Sums | undefined) ?? begun) };
    return {
      update(value) {
        now.count++;
        now.mean += (1 / now.count) * (value - now.mean);
        const distance = value - now.mean;
        now.up = alpha * now.up + distance - delta;
        now.down = alpha * now.down + distance + delta;
        now.least = Math.min(now.up, now.least ?? now.up);
        now.largest = Math.max(now.down, now.largest ?? now.down);
        if (now.count < minInstances) return 'none';
        const isUp = mode !== 'down' && now.up - now.least > threshold;
        const isDown = mode !== 'up' && now.largest - now.down > threshold;
        if (!isUp && !isDown) return 'none';
        now = { ...begun };
        return 'drift';
      },
      toJSON: () => ({ ...now }),
    };
  },
};
