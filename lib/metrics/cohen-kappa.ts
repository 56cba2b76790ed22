// Cohen's kappa, as sklearn.metrics.cohen_kappa_score: Cohen 1960, "A coefficient of agreement for nominal scales".
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofClasses } from './metric';
import { classCounts, countsIn } from './sums/class-counts';

/** The value of {@link cohenKappa}. */
export interface CohenKappa {
  readonly kind: 'cohenKappa';
}

/**
 * How much more often predictions are right than by chance with the same frequencies, (p₀ − pₑ) / (1 − pₑ): 1 if all are right, 0 for
 * chance; NaN if both targets and predictions are one class.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [cohenKappa()] });
 * ```
 */
export function cohenKappa(options: Readonly<Record<string, never>> = {}): CohenKappa {
  checkOptions('cohenKappa', options, {});
  return member({ kind: 'cohenKappa' });
}

export const beyondChance = {
  make: cohenKappa,
  targets: ofClasses,
  better: 'largest',
  sums: () => classCounts,
  result(state) {
    const { predictions, right, classes } = countsIn(state);
    const byChance = classes.reduce((sum, { actual, predicted }) => sum + actual * predicted, 0) / predictions;
    return (right - byChance) / (predictions - byChance);
  },
} as const satisfies MetricKind<CohenKappa>;
