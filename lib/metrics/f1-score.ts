// The F1 score, as sklearn.metrics.f1_score.
import { member } from '../core/family';
import { type AverageOptions, averaged, checkedAverage, share } from './class-averages';

/** The value of {@link f1Score}. */
export interface F1Score extends Readonly<Required<AverageOptions>> {
  readonly kind: 'f1Score';
}

/**
 * The harmonic mean of precision and recall of a class, averaged over the classes, 0 to 1.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [f1Score({ average: 'micro' })] });
 * ```
 */
export function f1Score(options: AverageOptions = {}): F1Score {
  return member({ kind: 'f1Score', ...checkedAverage('f1Score', options) });
}

export const harmonicMean = averaged(f1Score, ({ hits, actual, predicted }) => share(2 * hits, actual + predicted));
