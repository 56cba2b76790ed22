// Recall, as sklearn.metrics.recall_score.
import { member } from '../core/family';
import { type AverageOptions, averaged, checkedAverage, share } from './class-averages';

/** The value of {@link recall}. */
export interface Recall extends Readonly<Required<AverageOptions>> {
  readonly kind: 'recall';
}

/**
 * The share of a class's samples that are predicted, averaged over the classes, 0 to 1; 0 for a class without samples.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [recall({ average: 'micro' })] });
 * ```
 */
export function recall(options: AverageOptions = {}): Recall {
  return member({ kind: 'recall', ...checkedAverage('recall', options) });
}

export const shareOfActual = averaged(recall, ({ hits, actual }) => share(hits, actual));
