// Average precision, as sklearn.metrics.average_precision_score.
import { member } from '../core/family';
import { type MetricKind, meanOf, ofRanks } from './metric';
import { ranksIn } from './sums/rank-sums';
import { checkedThresholds, type ThresholdOptions } from './thresholds';

/** The value of {@link averagePrecision}. */
export interface AveragePrecision extends Readonly<Required<ThresholdOptions>> {
  readonly kind: 'averagePrecision';
}

/**
 * The mean of the precisions at the score of each sample of a class, Σ (Rᵢ − Rᵢ₋₁) Pᵢ: of class 1 of two; of more classes the mean over
 * those that occur; of several labels the mean over all, 0 for a label that never occurs. Keeps all scores of a data set in memory,
 * 8 bytes each, 2²⁷ at most.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [averagePrecision()] });
 * ```
 */
export function averagePrecision(options: ThresholdOptions = {}): AveragePrecision {
  return member({ kind: 'averagePrecision', ...checkedThresholds('averagePrecision', options) });
}

export const meanOfPrecisions = {
  make: averagePrecision,
  targets: ofRanks,
  better: 'largest',
  sums: ({ thresholds }) => ({ kind: 'rankSums', thresholds }),
  result(state, _, kind) {
    const all = ranksIn(state);
    const counted = kind === 'classes' || all.length === 1 ? all : all.filter(({ positives }) => positives > 0);
    return meanOf(counted.map(({ precisions, positives }) => (positives === 0 ? 0 : precisions / positives)));
  },
} as const satisfies MetricKind<AveragePrecision>;
