// Counts of classes, or of labels where a sample may have several: [predictions, right ones, hits of each class, how often it is the
// target, how often it is predicted]. Of several labels, a prediction is right where all of its labels are, and a label is predicted
// where its output is above 0, a probability above one half.
import { indexOfLargest, type Numbers, type SumsKind } from './sums';

export interface ClassCounts {
  readonly kind: 'classCounts';
}

export const classCounts: ClassCounts = Object.freeze({ kind: 'classCounts' });

/** An entry is [target, prediction], or for each label 1 if it is the target's, plus 2 if it is predicted. */
export const classCountsKind: SumsKind<ClassCounts> = {
  entry({ outputs, target }) {
    if (typeof target === 'number') return [target, indexOfLargest(outputs)];
    return Array.from(outputs, (output, i) => Number(target[i]! > 0.5) + 2 * Number(output > 0));
  },
  start: ({ size }) => new Array<number>(2 + 3 * size).fill(0),
  add(state, entry, { kind, size }) {
    const [hits, actual, predicted] = [2, 2 + size, 2 + 2 * size];
    state[0]!++;
    if (kind === 'classes') {
      state[1]! += Number(entry.every((label) => label === 0 || label === 3));
      for (const [i, label] of entry.entries()) {
        state[hits + i]! += Number(label === 3);
        state[actual + i]! += label & 1;
        state[predicted + i]! += label >> 1;
      }
      return;
    }
    const [target, prediction] = entry as [number, number];
    state[actual + target]!++;
    state[predicted + prediction]!++;
    if (target !== prediction) return;
    state[1]!++;
    state[hits + target]!++;
  },
};

/** Counts of one class, or of one label. */
export interface Counts {
  hits: number;
  /** How often it is the target, and how often it is predicted. */
  actual: number;
  predicted: number;
}

export interface AllCounts {
  predictions: number;
  right: number;
  classes: Counts[];
}

export function countsIn(state: Numbers): AllCounts {
  const size = (state.length - 2) / 3;
  const classes = Array.from({ length: size }, (_, i) => ({
    hits: state[2 + i]!,
    actual: state[2 + size + i]!,
    predicted: state[2 + 2 * size + i]!,
  }));
  return { predictions: state[0]!, right: state[1]!, classes };
}
