// The coefficient of determination, as sklearn.metrics.r2_score.
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, meanOf, ofValues } from './metric';
import { errorSums, errorsIn } from './sums/error-sums';

/** The value of {@link r2Score}. */
export interface R2Score {
  readonly kind: 'r2Score';
}

/**
 * R²: the share of the targets' variance that the outputs explain, 1 at best, and below 0 where their mean would be better; of several
 * numbers of a target, the mean. Of targets that are all equal, 1 if all outputs are right, otherwise 0. NaN of one sample.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [r2Score()] });
 * ```
 */
export function r2Score(options: Readonly<Record<string, never>> = {}): R2Score {
  checkOptions('r2Score', options, {});
  return member({ kind: 'r2Score' });
}

export const shareOfVariance = {
  make: r2Score,
  targets: ofValues,
  better: 'largest',
  sums: () => errorSums,
  result(state) {
    const { predictions, numbers } = errorsIn(state);
    if (predictions < 2) return Number.NaN;
    return meanOf(numbers.map(({ squared, variation }) => explained(squared, variation)));
  },
} as const satisfies MetricKind<R2Score>;

function explained(squared: number, variation: number): number {
  if (variation === 0) return squared === 0 ? 1 : 0;
  return 1 - squared / variation;
}
