// Log loss, as sklearn.metrics.log_loss.
import { checkOptions } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofLabels } from './metric';
import { probabilitySums } from './sums/probability-sums';

/** The value of {@link logLoss}. */
export interface LogLoss {
  readonly kind: 'logLoss';
}

/**
 * The mean of −log p, in nats, where p is the probability of the target: the softmax of the outputs, or of each of several labels the
 * sigmoid of its output. No probability counts as smaller than 2⁻⁵².
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [logLoss()] });
 * ```
 */
export function logLoss(options: Readonly<Record<string, never>> = {}): LogLoss {
  checkOptions('logLoss', options, {});
  return member({ kind: 'logLoss' });
}

export const meanLogLoss = {
  make: logLoss,
  targets: ofLabels,
  better: 'smallest',
  sums: () => probabilitySums,
  result: ([predictions, losses]) => losses! / predictions!,
} as const satisfies MetricKind<LogLoss>;
