// EDDM: watches whether errors come closer together, by Baena-García, del Campo-Ávila, Fidalgo, Bifet, Gavaldà & Morales-Bueno
// 2006, "Early drift detection method". Computes in the order in which River does; the square root alone is V8's, where Python's
// power may differ in the last bit.

import { checkOptions, invalid, isNumber } from '../core/checks';
import { member } from '../core/family';
import type { DetectorKind } from './detector';

/** Options of {@link eddm}. */
export interface EddmOptions {
  /** Errors before the first verdict. Default: 30. */
  warmStart?: number;
  /** The share of the largest distance below which there is a warning, 0 to 1. Default: 0.95. */
  alpha?: number;
  /** The share below which there is a drift, 0 to 1; not above `alpha`. Default: 0.9. */
  beta?: number;
}

/** The value that {@link eddm} makes, with every option. */
export interface Eddm extends Readonly<Required<EddmOptions>> {
  readonly kind: 'eddm';
}

const isShare = isNumber({ min: 0, max: 1 });
const checks = { warmStart: isNumber({ integer: true, min: 0 }), alpha: isShare, beta: isShare };

/**
 * EDDM: with p′ the mean of the distances between errors so far and s′ their standard deviation, a warning where
 * (p′ + 2 s′) / (p′ + 2 s′)ₘₐₓ < 0.95 and a drift where it is < 0.9. For errors, 0 or 1. Made for slow changes for the worse, and
 * easily alarmed. A warning holds until the next error.
 *
 * @example
 * ```ts
 * const learner = await OnlineLearner.open({ dir: './learner', checkpoint: 'model.pth', drift: { detector: eddm() } });
 * ```
 */
export function eddm(options: EddmOptions = {}): Eddm {
  const { warmStart = 30, alpha = 0.95, beta = 0.9 } = checkOptions('eddm', options, checks);
  if (beta > alpha) throw invalid(`at most alpha (${alpha})`, 'beta', beta);
  return member({ kind: 'eddm', warmStart, alpha, beta });
}

interface Distances {
  /** Samples, and which of them was the last error. */
  count: number;
  lastError: number;
  errors: number;
  /** Of the distances, and the sum of the squares from it (Welford 1962). */
  mean: number;
  squares: number;
  /** The largest mean + 2 deviations; -1 before the first. */
  largest: number;
  warned: boolean;
}

const begun: Distances = { count: 0, lastError: 0, errors: 0, mean: 0, squares: 0, largest: -1, warned: false };

export const eddmKind: DetectorKind<Eddm> = {
  start(settings, saved) {
    let now = { ...((saved as Distances | undefined) ?? begun) };
    return {
      update(value) {
        now.count++;
        if (value === 1) {
          addDistance(now, now.count - now.lastError);
          now.lastError = now.count;
          if (now.count > settings.warmStart && isDrift(now, settings)) {
            now = { ...begun };
            return 'drift';
          }
        }
        return now.warned ? 'warning' : 'none';
      },
      toJSON: () => ({ ...now }),
    };
  },
};

function addDistance(now: Distances, distance: number): void {
  const before = now.mean;
  now.errors++;
  now.mean += (1 / now.errors) * (distance - before);
  now.squares += (distance - before) * (distance - now.mean);
}

/** Measures the distances from the beginning. */
function isDrift(now: Distances, { warmStart, alpha, beta }: Eddm): boolean {
  const variance = now.errors > 1 ? now.squares / (now.errors - 1) : 0;
  const sum = now.mean + 2 * Math.sqrt(variance);
  // As in River, a new largest leaves a warning that there is.
  if (sum > now.largest) now.largest = sum;
  else if (now.errors > warmStart) {
    const level = sum / now.largest;
    if (level < beta) return true;
    now.warned = level < alpha;
  }
  return false;
}
