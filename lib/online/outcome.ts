// The outcome of a batch, from what its update reports.
import type { Score } from '../metrics/prequential';
import type { NativeUpdate } from '../native/native';
import { type Refused, refusedIn } from './reasons';
import type { BatchRecord } from './storage/records';

export interface Outcome extends Pick<NativeUpdate, 'loss' | 'gradientNorm'> {
  /** Samples that were learned; 0: there was no update. */
  learned: number;
  /** The others, in the order of the batch. */
  refused: readonly Refused[];
  /** How each sample was predicted before; null: it was not learned, or it is not new. */
  scores: (Score | null)[];
  drift: boolean;
}

/** The outcome without scores, which only new samples get. */
export function outcomeOf(update: NativeUpdate, { rules, labels, ids }: BatchRecord): Outcome {
  const refused = refusedIn(update, labels.length, rules);
  const learned = labels.length - refused.length;
  const { loss, gradientNorm } = learned > 0 ? update : { loss: Number.NaN, gradientNorm: Number.NaN };
  return { loss, gradientNorm, learned, refused, scores: ids.map(() => null), drift: false };
}
