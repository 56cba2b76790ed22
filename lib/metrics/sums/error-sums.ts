// Errors of numbers: [predictions, then of each number of a target the sum of absolute errors, that of squared errors, the mean of the
// targets, and the sum of their squared distances from it]. The last two are updated as in Welford 1962, "Note on a method for
// calculating corrected sums of squares and products".
import type { Numbers, SumsKind } from './sums';

export interface ErrorSums {
  readonly kind: 'errorSums';
}

export const errorSums: ErrorSums = Object.freeze({ kind: 'errorSums' });

/** An entry is the errors, then the targets. */
export const errorSumsKind: SumsKind<ErrorSums> = {
  entry({ outputs, target }) {
    const targets = Array.from(target as Numbers);
    return [...targets.map((wanted, i) => outputs[i]! - wanted), ...targets];
  },
  start: ({ size }) => new Array<number>(1 + 4 * size).fill(0),
  add(state, entry, { size }) {
    const count = ++state[0]!;
    const [absolute, squared, mean, squares] = [1, 1 + size, 1 + 2 * size, 1 + 3 * size];
    for (let i = 0; i < size; i++) {
      const [error, target] = [entry[i]!, entry[size + i]!];
      state[absolute + i]! += Math.abs(error);
      state[squared + i]! += error * error;
      const distance = target - state[mean + i]!;
      state[mean + i]! += distance / count;
      state[squares + i]! += distance * (target - state[mean + i]!);
    }
  },
};

/** The sums of one number of a target. */
export interface Errors {
  absolute: number;
  squared: number;
  /** Squared distances of the targets from their mean. */
  variation: number;
}

export function errorsIn(state: Numbers): { predictions: number; numbers: Errors[] } {
  const size = (state.length - 1) / 4;
  const numbers = Array.from({ length: size }, (_, i) => ({
    absolute: state[1 + i]!,
    squared: state[1 + size + i]!,
    variation: state[1 + 3 * size + i]!,
  }));
  return { predictions: state[0]!, numbers };
}
