// The outcome of a batch, from what its update reports.
import type { SampleForm } from '../core/sample-values';
import { type Score, scoreByLoss, scoreOf } from '../metrics/prequential';
import type { NativeUpdate } from '../native/native';
import { type Refused, refusedIn } from './reasons';
import type { BatchRecord } from './storage/records';

export interface Outcome extends Pick<NativeUpdate, 'loss'> {
  /** Samples that were learned; 0: there was no update. */
  learned: number;
  /** The others, in the order of the batch. */
  refused: readonly Refused[];
  /** How each sample was predicted before; null: it was not learned, or it is not new. */
  scores: (Score | null)[];
  drift: boolean;
}

/** The outcome without scores, which only new samples get. */
export function outcomeOf(update: NativeUpdate, { rules, ids }: BatchRecord): Outcome {
  const refused = refusedIn(update, ids.length, rules);
  const learned = ids.length - refused.length;
  const loss = learned > 0 ? update.loss : Number.NaN;
  return { loss, learned, refused, scores: ids.map(() => null), drift: false };
}

/**
 * The scores of the samples that were learned, by their indices: those of earlier predictions, where they are known; otherwise those of
 * the version that serves.
 */
export function scoresIn(
  { logits, losses }: NativeUpdate,
  { scores: given, targets }: BatchRecord,
  { refused }: Outcome,
  { target: { kind } }: SampleForm,
): [index: number, score: Score][] {
  const isRefused = new Set(refused.map(({ index }) => index));
  const learned = Array.from(given.keys()).filter((i) => !isRefused.has(i));
  const classes = logits.length / learned.length;
  const scored = (i: number, at: number) =>
    kind === 'class' ? scoreOf(logits, classes, targets[i]!, at, losses?.[at]) : scoreByLoss(losses![at]!);
  return learned.map((i, at) => [i, given[i] ?? scored(i, at)]);
}
