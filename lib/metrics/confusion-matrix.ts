// The confusion matrix, as sklearn.metrics.confusion_matrix.
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofClasses } from './metric';
import { confusionCells } from './sums/confusion-cells';

/** The value of {@link confusionMatrix}. */
export interface ConfusionMatrix {
  readonly kind: 'confusionMatrix';
}

/**
 * How often each class, the row, was predicted as each class, the column. Predictions whose largest output is infinite or NaN are left
 * out. At most 4,096 classes, and 256 in a learner.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [confusionMatrix()] });
 * ```
 */
export function confusionMatrix(options: Readonly<Record<string, never>> = {}): ConfusionMatrix {
  checkOptions('confusionMatrix', options, {});
  return member({ kind: 'confusionMatrix' });
}

export const cellsOfPairs = {
  make: confusionMatrix,
  targets: ofClasses,
  sums: () => confusionCells,
  result(state) {
    const cells = Array.from(state);
    const size = Math.sqrt(cells.length);
    return Array.from({ length: size }, (_, row) => cells.slice(row * size, (row + 1) * size));
  },
} as const satisfies MetricKind<ConfusionMatrix, number[][]>;
