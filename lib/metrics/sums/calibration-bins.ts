// Predictions by their confidence, the probability of the predicted class (Guo et al. 2017, "On calibration of modern neural networks",
// section 2): [predictions, confidences, hits] of M bins each, the m-th of which is ((m - 1) / M, m / M].
import { indexOfLargest, type SumsKind } from './sums';

export interface CalibrationBins {
  readonly kind: 'calibrationBins';
  readonly bins: number;
}

/** An entry is [bin, confidence, 1 for a hit]. */
export const calibrationBinsKind: SumsKind<CalibrationBins> = {
  entry({ outputs, target, logProbabilities }, { bins }) {
    const predicted = indexOfLargest(outputs);
    const confidence = Math.exp(logProbabilities[predicted]!);
    const bin = Math.min(Math.max(Math.ceil(confidence * bins) - 1, 0), bins - 1);
    return [bin, confidence, Number(predicted === target)];
  },
  start: (_, { bins }) => new Array<number>(3 * bins).fill(0),
  add(state, [bin, confidence, hit]) {
    const bins = state.length / 3;
    state[bin!]!++;
    state[bins + bin!]! += confidence!;
    state[2 * bins + bin!]! += hit!;
  },
};
