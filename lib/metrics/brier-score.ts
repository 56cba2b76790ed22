// The Brier score, as sklearn.metrics.brier_score_loss: Brier 1950, "Verification of forecasts expressed in terms of probability".
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofLabels } from './metric';
import { probabilitySums } from './sums/probability-sums';

/** The value of {@link brierScore}. */
export interface BrierScore {
  readonly kind: 'brierScore';
}

/**
 * The mean squared distance of the probabilities of the classes from 0 and 1: up to 2 for three classes or more, and half of that, the
 * squared distance of one probability, for two classes and for each of several labels. Smaller is better.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [brierScore()] });
 * ```
 */
export function brierScore(options: Readonly<Record<string, never>> = {}): BrierScore {
  checkOptions('brierScore', options, {});
  return member({ kind: 'brierScore' });
}

export const meanSquaredDistance = {
  make: brierScore,
  targets: ofLabels,
  better: 'smallest',
  sums: () => probabilitySums,
  result: ([predictions, , distances]) => distances! / predictions!,
} as const satisfies MetricKind<BrierScore>;
