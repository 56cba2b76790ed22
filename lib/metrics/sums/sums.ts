// Interfaces of sums: numbers of predictions from which metrics are computed, such as hits and counts of each class. Those of parts
// merge into those of the whole. src/metrics/ takes the sums of a data set; here a learner takes those of one prediction after the
// other. Both have the same states, which the file of each kind describes.
import type { TargetKind } from '../../core/sample-values';

/** A list of numbers. */
export type Numbers = readonly number[] | Float32Array | Float64Array;

/** The form of predictions. */
export interface PredictionForm {
  /** Of the targets. */
  readonly kind: TargetKind;
  /** Numbers of one prediction: the classes where targets are indices of classes, otherwise the numbers of a target. */
  readonly size: number;
}

/** One prediction and its target. */
export interface Prediction {
  readonly outputs: Numbers;
  /** The index of the class where targets are classes, otherwise as many numbers as there are outputs. */
  readonly target: number | Numbers;
  /** The logarithm of each class's probability. */
  readonly logProbabilities: Numbers;
}

/** The arithmetic of the sums of one kind. */
export interface SumsKind<Sums> {
  /** What counts of one prediction: a few numbers, all finite. A window is a list of these. */
  entry(prediction: Prediction, sums: Sums): number[];
  /** The running state of no prediction. */
  start(form: PredictionForm, sums: Sums): number[];
  /** Adds an entry to a running state. */
  add(state: number[], entry: readonly number[], form: PredictionForm): void;
  /** The state from which metrics are computed, of a running one. Default: the running one itself. */
  finish?(state: readonly number[], form: PredictionForm): number[];
  /** That of a window of entries. Default: entries are added one by one. */
  ofWindow?(entries: readonly (readonly number[])[], form: PredictionForm): number[];
}

/** The index of the largest output; the first of several. */
export function indexOfLargest(outputs: Numbers): number {
  let found = 0;
  for (let i = 1; i < outputs.length; i++) if (outputs[i]! > outputs[found]!) found = i;
  return found;
}

/** The logarithm of the logistic function, without loss for large arguments. */
export function logSigmoid(x: number): number {
  return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
}

/** The logarithm of each softmax. */
export function logSoftmax(outputs: Numbers): Float64Array {
  const shifted = Float64Array.from(outputs);
  let largest = -Infinity;
  for (const output of shifted) largest = Math.max(largest, output);
  let sum = 0;
  for (const output of shifted) sum += Math.exp(output - largest);
  const log = Math.log(sum);
  return shifted.map((output) => output - largest - log);
}
