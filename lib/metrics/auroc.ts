// The area under the ROC curve, as sklearn.metrics.roc_auc_score(multi_class="ovr"); running, as ROCAUC of River.
import { member } from '../core/family';
import { type MetricKind, meanOf, ofRanks } from './metric';
import { ranksIn } from './sums/rank-sums';
import { checkedThresholds, type ThresholdOptions } from './thresholds';

/** The value of {@link auroc}. */
export interface Auroc extends Readonly<Required<ThresholdOptions>> {
  readonly kind: 'auroc';
}

/**
 * The probability that a sample of a class has a larger score than one of another, ties counting one half: of class 1 of two; of
 * more classes, or of several labels, the mean over those that some samples have and others do not. NaN where no class has both. Keeps all
 * scores of a data set in memory, 8 bytes each, 2²⁷ at most.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [auroc()] });
 * ```
 */
export function auroc(options: ThresholdOptions = {}): Auroc {
  return member({ kind: 'auroc', ...checkedThresholds('auroc', options) });
}

export const areaUnderCurve = {
  make: auroc,
  targets: ofRanks,
  better: 'largest',
  sums: ({ thresholds }) => ({ kind: 'rankSums', thresholds }),
  result(state) {
    const ranked = ranksIn(state).filter(({ positives, negatives }) => positives > 0 && negatives > 0);
    return meanOf(ranked.map(({ pairs, positives, negatives }) => pairs / (positives * negatives)));
  },
} as const satisfies MetricKind<Auroc>;
