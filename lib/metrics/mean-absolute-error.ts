// The mean absolute error, as sklearn.metrics.mean_absolute_error.
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, meanOf, ofValues } from './metric';
import { errorSums, errorsIn } from './sums/error-sums';

/** The value of {@link meanAbsoluteError}. */
export interface MeanAbsoluteError {
  readonly kind: 'meanAbsoluteError';
}

/**
 * The mean of |output − target|, over samples and the numbers of a target.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [meanAbsoluteError()] });
 * ```
 */
export function meanAbsoluteError(options: Readonly<Record<string, never>> = {}): MeanAbsoluteError {
  checkOptions('meanAbsoluteError', options, {});
  return member({ kind: 'meanAbsoluteError' });
}

export const meanOfAbsolute = {
  make: meanAbsoluteError,
  targets: ofValues,
  better: 'smallest',
  sums: () => errorSums,
  result(state) {
    const { predictions, numbers } = errorsIn(state);
    return meanOf(numbers.map(({ absolute }) => absolute / predictions));
  },
} as const satisfies MetricKind<MeanAbsoluteError>;
