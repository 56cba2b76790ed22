// DDM: watches whether errors become more frequent than they once were, by Gama, Medas, Castillo & Rodrigues 2004, "Learning with
// drift detection". Computes in the order in which River does.

import { checkOptions, invalid, isNumber } from '../core/checks';
import { member } from '../core/family';
import type { DetectorKind } from './detector';

/** Options of {@link ddm}. */
export interface DdmOptions {
  /** Samples before the first verdict. Default: 30. */
  warmStart?: number;
  /** Standard deviations above the least error rate that are a warning. Default: 2. */
  warningThreshold?: number;
  /** Standard deviations that are a drift; not below `warningThreshold`. Default: 3. */
  driftThreshold?: number;
}

/** The value that {@link ddm} makes, with every option. */
export interface Ddm extends Readonly<Required<DdmOptions>> {
  readonly kind: 'ddm';
}

const checks = {
  warmStart: isNumber({ integer: true, min: 0 }),
  warningThreshold: isNumber({ above: 0 }),
  driftThreshold: isNumber({ above: 0 }),
};

/**
 * DDM: with p the share of errors so far and s = √(p (1 − p) / n), and both as they were when p + s was least, a warning where
 * p + s > pₘᵢₙ + 2 sₘᵢₙ and a drift where p + s > pₘᵢₙ + 3 sₘᵢₙ. For errors, 0 or 1. Best at sudden changes for the worse.
 *
 * @example
 * ```ts
 * const learner = await OnlineLearner.open({ dir: './learner', checkpoint: 'model.pth', drift: { detector: ddm() } });
 * ```
 */
export function ddm(options: DdmOptions = {}): Ddm {
  const { warmStart = 30, warningThreshold = 2, driftThreshold = 3 } = checkOptions('ddm', options, checks);
  if (warningThreshold > driftThreshold) {
    throw invalid(`at least warningThreshold (${warningThreshold})`, 'driftThreshold', driftThreshold);
  }
  return member({ kind: 'ddm', warmStart, warningThreshold, driftThreshold });
}

interface Rates {
  count: number;
  /** The share of errors. */
  rate: number;
  /** Rate and deviation when their sum was least; null before the first. */
  least: { rate: number; deviation: number } | null;
}

const begun: Rates = { count: 0, rate: 0, least: null };

export const ddmKind: DetectorKind<Ddm> = {
  start({ warmStart, warningThreshold, driftThreshold }, saved) {
    let now = structuredClone((saved as Rates | undefined) ?? begun);
    return {
      update(value) {
        now.count++;
        now.rate += (1 / now.count) * (value - now.rate);
        const { count, rate } = now;
        if (count <= warmStart) return 'none';
        const deviation = Math.sqrt((rate * (1 - rate)) / count);
        const sum = rate + deviation;
        if (!now.least || sum <= now.least.rate + now.least.deviation) now.least = { rate, deviation };
        const { least } = now;
        if (sum > least.rate + driftThreshold * least.deviation) {
          now = structuredClone(begun);
          return 'drift';
        }
        return sum > least.rate + warningThreshold * least.deviation ? 'warning' : 'none';
      },
      toJSON: () => structuredClone(now),
    };
  },
};
