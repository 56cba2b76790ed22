// Ranks of scores: of each class against the others, of the second of two classes, or of each label, [pairs of a positive and a negative
// in the right order, ties counting one half; precisions at the positives; positives; negatives]. Exact for a data set and for a window.
// A learner's running state has no scores, but how many positives and negatives lie between neighbours of the thresholds i / (n - 1):
// scores between two of them are ties.
import { logSigmoid, type Numbers, type Prediction, type PredictionForm, type SumsKind } from './sums';

export interface RankSums {
  readonly kind: 'rankSums';
  /** Of a running state. */
  readonly thresholds: number;
}

/** The columns of scores. */
const columnsOf = ({ kind, size }: PredictionForm) => (kind === 'class' && size === 2 ? 1 : size);

/** The logarithms of the columns' probabilities, since a large probability would be 1. */
function scoresOf({ outputs, target, logProbabilities }: Prediction): Numbers {
  if (typeof target !== 'number') return Float64Array.from(outputs, logSigmoid);
  return outputs.length === 2 ? [logSigmoid(outputs[1]! - outputs[0]!)] : logProbabilities;
}

/** Whether an entry is positive in a column. */
function isPositive(entry: readonly number[], column: number, { kind, size }: PredictionForm): boolean {
  if (kind === 'classes') return entry[size + column]! > 0.5;
  return entry.at(-1) === (size === 2 ? 1 : column);
}

/**
 * An entry is the scores, then the target: the index of the class, or a number for each label. A running state is for each column the
 * positives of each bin, then the negatives.
 */
export const rankSumsKind: SumsKind<RankSums> = {
  entry(prediction) {
    const entry = Array.from(scoresOf(prediction));
    if (typeof prediction.target === 'number') entry.push(prediction.target);
    else for (const label of prediction.target) entry.push(label);
    return entry;
  },
  start: (form, { thresholds }) => new Array<number>(2 * columnsOf(form) * (thresholds - 1)).fill(0),
  add(state, entry, form) {
    const columns = columnsOf(form);
    const bins = state.length / (2 * columns);
    for (let column = 0; column < columns; column++) {
      const first = (2 * column + (isPositive(entry, column, form) ? 0 : 1)) * bins;
      state[first + binOf(Math.exp(entry[column]!), bins)]!++;
    }
  },
  finish(state, form) {
    const columns = columnsOf(form);
    const bins = state.length / (2 * columns);
    const sums: number[] = [];
    for (let column = 0; column < columns; column++) {
      const ranking = new Ranking();
      const first = 2 * column * bins;
      for (let i = bins - 1; i >= 0; i--) ranking.add(state[first + i]!, state[first + bins + i]!);
      sums.push(...ranking.sums);
    }
    return sums;
  },
  ofWindow(entries, form) {
    const sums: number[] = [];
    for (let column = 0; column < columnsOf(form); column++) {
      // Positives from the front, negatives from the back.
      const scores = new Float64Array(entries.length);
      let [front, back] = [0, scores.length];
      for (const entry of entries) scores[isPositive(entry, column, form) ? front++ : --back] = entry[column]!;
      sums.push(...ranked(scores.subarray(0, front).sort(), scores.subarray(front).sort()));
    }
    return sums;
  },
};

/** The number of thresholds i / bins, from i = 1, that are below a probability; those above 1 and below 0 are never crossed. */
function binOf(probability: number, bins: number): number {
  let bin = Math.min(Math.max(Math.ceil(probability * bins) - 1, 0), bins - 1);
  // The product was rounded.
  while (bin > 0 && probability <= bin / bins) bin--;
  while (bin < bins - 1 && probability > (bin + 1) / bins) bin++;
  return bin;
}

/** The sums of one column, to which groups of equal scores are added, the largest first. */
class Ranking {
  #pairs = 0;
  #precisions = 0;
  #positives = 0;
  #negatives = 0;

  add(positives: number, negatives: number): void {
    this.#pairs += negatives * (this.#positives + positives / 2);
    this.#positives += positives;
    this.#negatives += negatives;
    if (positives > 0) this.#precisions += positives * (this.#positives / (this.#positives + this.#negatives));
  }

  get sums(): [pairs: number, precisions: number, positives: number, negatives: number] {
    return [this.#pairs, this.#precisions, this.#positives, this.#negatives];
  }
}

/** The sums of sorted scores. */
function ranked(positives: Float64Array, negatives: Float64Array): number[] {
  const ranking = new Ranking();
  let [p, n] = [positives.length, negatives.length];
  while (p > 0 || n > 0) {
    const largest = Math.max(positives[p - 1] ?? -Infinity, negatives[n - 1] ?? -Infinity);
    const [positivesBefore, negativesBefore] = [p, n];
    while (p > 0 && positives[p - 1] === largest) p--;
    while (n > 0 && negatives[n - 1] === largest) n--;
    ranking.add(positivesBefore - p, negativesBefore - n);
  }
  return ranking.sums;
}

/** The sums of one class, or of one label. */
export interface Ranks {
  pairs: number;
  precisions: number;
  positives: number;
  negatives: number;
}

export function ranksIn(state: Numbers): Ranks[] {
  return Array.from({ length: state.length / 4 }, (_, i) => ({
    pairs: state[4 * i]!,
    precisions: state[4 * i + 1]!,
    positives: state[4 * i + 2]!,
    negatives: state[4 * i + 3]!,
  }));
}
