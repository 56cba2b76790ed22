// Top-k accuracy, as sklearn.metrics.top_k_accuracy_score.
import { checkOptions, isNumber } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofClasses } from './metric';

/** Options of {@link topKAccuracy}. */
export interface TopKAccuracyOptions {
  /** Outputs among which the target must be. Default: 5. */
  k?: number;
}

/** The value of {@link topKAccuracy}. */
export interface TopKAccuracy extends Readonly<Required<TopKAccuracyOptions>> {
  readonly kind: 'topKAccuracy';
}

/**
 * The share of predictions whose class is among the k largest outputs, 0 to 1. Of equal outputs the one of the later class counts as
 * larger.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [topKAccuracy({ k: 3 })] });
 * ```
 */
export function topKAccuracy(options: TopKAccuracyOptions = {}): TopKAccuracy {
  const { k = 5 } = checkOptions('topKAccuracy', options, { k: isNumber({ integer: true, min: 1 }) });
  return member({ kind: 'topKAccuracy', k });
}

export const shareOfTopHits = {
  make: topKAccuracy,
  targets: ofClasses,
  better: 'largest',
  sums: ({ k }) => ({ kind: 'topHits', k }),
  result: ([predictions, hits]) => hits! / predictions!,
} as const satisfies MetricKind<TopKAccuracy>;
