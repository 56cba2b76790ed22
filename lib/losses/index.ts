// The family of losses: the number that training makes small. A new one is a file here, a line in the list, and a file and a line in
// src/losses/.
import { family, type MemberOf } from '../core/family';
import { crossEntropyLoss } from './cross-entropy';

export const losses = family('a loss', { crossEntropyLoss });

/** A loss, made by {@link crossEntropyLoss}. */
export type Loss = MemberOf<typeof losses.makers>;

/** The loss of a record; earlier versions recorded none, and had this one alone. */
export function recordedLoss(record: { readonly kind?: unknown } | undefined): Loss {
  if (record === undefined) return crossEntropyLoss();
  losses.known(record.kind);
  return losses.check({ ...record }, 'loss');
}
