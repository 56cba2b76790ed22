// Losses of probabilities: [predictions, -log p of the targets, squared distances from the targets]. Of several labels each label is a
// prediction by itself.
import { logSigmoid, type Numbers, type SumsKind } from './sums';

export interface ProbabilitySums {
  readonly kind: 'probabilitySums';
}

export const probabilitySums: ProbabilitySums = Object.freeze({ kind: 'probabilitySums' });

/** Of a probability of 2^-52, the least that scikit-learn's log_loss takes a float64 for. */
const largestLoss = -Math.log(Number.EPSILON);

/** An entry is the state of one prediction. */
export const probabilitySumsKind: SumsKind<ProbabilitySums> = {
  entry({ outputs, target, logProbabilities }) {
    return typeof target === 'number' ? ofClass(logProbabilities, target) : ofLabels(outputs, target);
  },
  start: () => [0, 0, 0],
  add(state, entry) {
    for (const [i, sum] of entry.entries()) state[i]! += sum;
  },
};

function ofClass(logProbabilities: Numbers, target: number): number[] {
  let distances = 0;
  for (let i = 0; i < logProbabilities.length; i++) {
    distances += (Math.exp(logProbabilities[i]!) - Number(i === target)) ** 2;
  }
  // Of two classes, the square of one: brier_score_loss(scale_by_half="auto").
  const isBinary = logProbabilities.length === 2;
  return [1, Math.min(-logProbabilities[target]!, largestLoss), isBinary ? distances / 2 : distances];
}

function ofLabels(outputs: Numbers, target: Numbers): number[] {
  let [losses, distances] = [0, 0];
  for (let i = 0; i < outputs.length; i++) {
    const [logit, wanted] = [outputs[i]!, target[i]!];
    losses += Math.min((1 - wanted) * logit - logSigmoid(logit), largestLoss);
    distances += (Math.exp(logSigmoid(logit)) - wanted) ** 2;
  }
  return [outputs.length, losses, distances];
}
