// Reasons why samples are not learned, for callers, the quarantine file and the journal.
import type { NativeUpdate } from '../native/native';

/**
 * By their codes:
 * - `shape`: the number of values is wrong;
 * - `label`: there is no such class, or the target is not one of its kind;
 * - `value`: a value is not finite, or the model fails on it, as on a token beyond its vocabulary;
 * - `heldOut`: it is a held-out sample;
 * - `output`: its own output, loss or gradient is not finite;
 * - `update`: no sample of its batch is the only cause, but the update of all together is not finite. It may be offered again;
 * - `batch`: batch norm cannot learn from a single sample, nor an exported model from fewer than it was exported for. It may be
 *   offered again.
 */
export type ReasonCode = 'shape' | 'label' | 'value' | 'heldOut' | 'output' | 'update' | 'batch';

export interface Refusal {
  code: ReasonCode;
  message: string;
  /** Whether its id stays free, so that another sample of it may be learned. */
  isFree: boolean;
}

/** A sample that was not learned. */
export interface Reason {
  /** Position among the call's samples. */
  index: number;
  id: string | null;
  code: ReasonCode;
  message: string;
}

/** The refusal of one sample in a batch. */
export interface Refused extends Refusal {
  /** Its position in the batch. */
  index: number;
}

/** The samples of a batch that an update did not learn, in order: some of them, or all. */
export function refusedIn(
  { refused, needsCompany, offenders }: NativeUpdate,
  samples: number,
  rules: number,
): Refused[] {
  if (refused === '' && offenders.length === 0) return [];
  const own: Refusal = { code: 'output', message: 'its output, its loss or its gradient is not finite', isFree: false };
  // By rules 1, ids of refused samples are known from then on.
  const shared: Refusal = { code: needsCompany ? 'batch' : 'update', message: refused, isFree: rules > 1 };
  const isOffender = new Set(offenders);
  return Array.from({ length: samples }, (_, index) => ({ index, ...(isOffender.has(index) ? own : shared) })).filter(
    ({ index }) => refused !== '' || isOffender.has(index),
  );
}
