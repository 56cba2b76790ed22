// The outcome of a batch, from what its update reports.
import { part, type TargetValues } from '../core/sample-values';
import { type Score, scoreByLoss, scoreOf } from '../metrics/prequential';
import { entriesOf } from '../metrics/running';
import type { Sums } from '../metrics/sums';
import type { Numbers } from '../metrics/sums/sums';
import type { NativeUpdate } from '../native/native';
import type { LearnerContext } from './context';
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
 * the weights that score.
 */
export function scoresIn(
  { logits, losses }: NativeUpdate,
  { scores: given, targets }: BatchRecord,
  { refused }: Outcome,
  { sample: { target }, sums }: Pick<LearnerContext, 'sample' | 'sums'>,
): [index: number, score: Score][] {
  const isRefused = new Set(refused.map(({ index }) => index));
  const learned = Array.from(given.keys()).filter((i) => !isRefused.has(i));
  const size = logits.length / learned.length;
  const rowOf = (values: TargetValues, at: number) => part(values, at * size, (at + 1) * size) as Float32Array;
  const scored = (i: number, at: number) =>
    target.kind === 'class'
      ? scoreOfClass(logits, targets[i]!, size, sums, at, losses?.[at])
      : withEntries(scoreByLoss(losses![at]!), sums, rowOf(logits, at), rowOf(targets, i));
  return learned.map((i, at) => [i, given[i] ?? scored(i, at)]);
}

/**
 * The score of a sample's class. Its logits are those of sample number `at` among others: [sample, `classes`]. `loss`: where it is not
 * -log softmax of its label's logit.
 */
export function scoreOfClass(
  logits: Float32Array,
  label: number,
  classes: number,
  sums: readonly Sums[],
  at = 0,
  loss?: number,
): Score {
  const row = logits.subarray(at * classes, (at + 1) * classes);
  return withEntries(scoreOf(logits, classes, label, at, loss), sums, row, label);
}

function withEntries(score: Score, sums: readonly Sums[], outputs: Numbers, target: number | Numbers): Score {
  return sums.length > 0 ? { ...score, entries: entriesOf(sums, outputs, target) } : score;
}
