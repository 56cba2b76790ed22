// Accuracy by class, as sklearn.metrics.recall_score(average=None).
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofClasses } from './metric';
import { classCounts, countsIn } from './sums/class-counts';

/** The value of {@link perClassAccuracy}. */
export interface PerClassAccuracy {
  readonly kind: 'perClassAccuracy';
}

/**
 * For each class, the share of its samples that are predicted right, 0 to 1; NaN for a class without samples.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [perClassAccuracy()] });
 * ```
 */
export function perClassAccuracy(options: Readonly<Record<string, never>> = {}): PerClassAccuracy {
  checkOptions('perClassAccuracy', options, {});
  return member({ kind: 'perClassAccuracy' });
}

export const shareOfEachClass = {
  make: perClassAccuracy,
  targets: ofClasses,
  sums: () => classCounts,
  result: (state) => countsIn(state).classes.map(({ hits, actual }) => hits / actual),
} as const satisfies MetricKind<PerClassAccuracy, number[]>;
