// The mean squared error, as sklearn.metrics.mean_squared_error.
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, meanOf, ofValues } from './metric';
import { errorSums, errorsIn } from './sums/error-sums';

/** The value of {@link meanSquaredError}. */
export interface MeanSquaredError {
  readonly kind: 'meanSquaredError';
}

/**
 * The mean of (output − target)², over samples and the numbers of a target.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [meanSquaredError()] });
 * ```
 */
export function meanSquaredError(options: Readonly<Record<string, never>> = {}): MeanSquaredError {
  checkOptions('meanSquaredError', options, {});
  return member({ kind: 'meanSquaredError' });
}

export const meanOfSquares = {
  make: meanSquaredError,
  targets: ofValues,
  better: 'smallest',
  sums: () => errorSums,
  result(state) {
    const { predictions, numbers } = errorsIn(state);
    return meanOf(numbers.map(({ squared }) => squared / predictions));
  },
} as const satisfies MetricKind<MeanSquaredError>;
