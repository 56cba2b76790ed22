// The root of the mean squared error, as sklearn.metrics.root_mean_squared_error.
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, meanOf, ofValues } from './metric';
import { errorSums, errorsIn } from './sums/error-sums';

/** The value of {@link rootMeanSquaredError}. */
export interface RootMeanSquaredError {
  readonly kind: 'rootMeanSquaredError';
}

/**
 * The root of the mean of (output − target)² over samples; of several numbers of a target, the mean of their roots.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [rootMeanSquaredError()] });
 * ```
 */
export function rootMeanSquaredError(options: Readonly<Record<string, never>> = {}): RootMeanSquaredError {
  checkOptions('rootMeanSquaredError', options, {});
  return member({ kind: 'rootMeanSquaredError' });
}

export const rootOfSquares = {
  make: rootMeanSquaredError,
  targets: ofValues,
  better: 'smallest',
  sums: () => errorSums,
  result(state) {
    const { predictions, numbers } = errorsIn(state);
    return meanOf(numbers.map(({ squared }) => Math.sqrt(squared / predictions)));
  },
} as const satisfies MetricKind<RootMeanSquaredError>;
