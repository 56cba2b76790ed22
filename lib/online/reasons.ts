// Why samples are not learned: for the callers, the quarantine file and the journal.
import type { NativeUpdate } from '../native/native';

/**
 * By their codes:
 * - `shape`: it has another number of values;
 * - `label`: there is no such class;
 * - `value`: a value is not finite;
 * - `heldOut`: it is one of the samples that decide which version may serve;
 * - `output`: its own output, loss or gradient is not finite;
 * - `update`: none of its batch is to blame alone, but what they make of the weights together is not finite. It may be offered
 *   again;
 * - `batch`: batch norm cannot learn from it alone. It may be offered again.
 */
export type ReasonCode = 'shape' | 'label' | 'value' | 'heldOut' | 'output' | 'update' | 'batch';

export interface Refusal {
  code: ReasonCode;
  message: string;
  /** Whether its id stays free, so that a sample of it may be learned yet. */
  isFree: boolean;
}

/** A sample that was not learned. */
export interface Reason {
  /** Which of the call's samples. */
  index: number;
  id: string | null;
  code: ReasonCode;
  message: string;
}

/** Of one sample in a batch. */
export interface Refused extends Refusal {
  /** Its position in the batch. */
  index: number;
}

/** The samples of a batch that an update left out, in order: some of them, or where all was refused, all. */
export function refusedIn(
  { refused, needsCompany, offenders }: NativeUpdate,
  samples: number,
  rules: number,
): Refused[] {
  if (refused === '' && offenders.length === 0) return [];
  const own: Refusal = { code: 'output', message: 'its output, its loss or its gradient is not finite', isFree: false };
  // By rules 1, whatever was refused is known from then on.
  const shared: Refusal = { code: needsCompany ? 'batch' : 'update', message: refused, isFree: rules > 1 };
  const isOffender = new Set(offenders);
  return Array.from({ length: samples }, (_, index) => ({ index, ...(isOffender.has(index) ? own : shared) })).filter(
    ({ index }) => refused !== '' || isOffender.has(index),
  );
}
