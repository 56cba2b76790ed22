// The family of averages: of the weights that a training goes through. A new one is a file here, a line in the list, and a file and a
// line in src/averages/.
import { family, type MemberOf } from '../core/family';
import { ema } from './ema';
import { swa } from './swa';

export const averages = family('an average', { ema, swa });

/** An average of weights, made by {@link ema} or {@link swa}. */
export type Average = MemberOf<typeof averages.makers>;

/** The average of a record. */
export function recordedAverage(record: { readonly kind?: unknown }): Average {
  averages.known(record.kind);
  return averages.check({ ...record }, 'average');
}

/** Whether an average is of the weights after steps, of which a stream has as many as one likes; others are of those after epochs. */
export function isOverSteps(average: Average): boolean {
  return average.kind === 'ema';
}
