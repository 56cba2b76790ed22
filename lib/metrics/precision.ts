// Precision, as sklearn.metrics.precision_score.
import { member } from '../core/family';
import { type AverageOptions, averaged, checkedAverage, share } from './class-averages';

/** The value of {@link precision}. */
export interface Precision extends Readonly<Required<AverageOptions>> {
  readonly kind: 'precision';
}

/**
 * The share of a class's predictions that are right, averaged over the classes, 0 to 1; 0 for a class that is never predicted.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [precision({ average: 'micro' })] });
 * ```
 */
export function precision(options: AverageOptions = {}): Precision {
  return member({ kind: 'precision', ...checkedAverage('precision', options) });
}

export const shareOfPredicted = averaged(precision, ({ hits, predicted }) => share(hits, predicted));
