// Counts of pairs of classes, [actual, predicted] row by row, of the predictions whose largest output is finite.
import { indexOfLargest, type SumsKind } from './sums';

export interface ConfusionCells {
  readonly kind: 'confusionCells';
}

export const confusionCells: ConfusionCells = Object.freeze({ kind: 'confusionCells' });

/** An entry is the pair. */
export const confusionCellsKind: SumsKind<ConfusionCells> = {
  entry: ({ outputs, target }) => [target as number, indexOfLargest(outputs)],
  start: ({ size }) => new Array<number>(size * size).fill(0),
  add(state, [actual, predicted], { size }) {
    state[actual! * size + predicted!]!++;
  },
};
