// Accuracy, as sklearn.metrics.accuracy_score.
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofLabels } from './metric';
import { classCounts, countsIn } from './sums/class-counts';

/** The value of {@link accuracy}. */
export interface Accuracy {
  readonly kind: 'accuracy';
}

/**
 * The share of right predictions, 0 to 1. Where a sample has several labels, a prediction is right if all of them are.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [accuracy(), f1Score()] });
 * ```
 */
export function accuracy(options: Readonly<Record<string, never>> = {}): Accuracy {
  checkOptions('accuracy', options, {});
  return member({ kind: 'accuracy' });
}

export const shareOfRight = {
  make: accuracy,
  targets: ofLabels,
  better: 'largest',
  sums: () => classCounts,
  result(state) {
    const { right, predictions } = countsIn(state);
    return right / predictions;
  },
} as const satisfies MetricKind<Accuracy>;
