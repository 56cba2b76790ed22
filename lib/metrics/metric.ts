// Interfaces of metrics: a plain value with the kind and its settings, the sums that it is computed from, and its formula.
import { holdsIndices, type SampleForm, sizeOf, type TargetKind } from '../core/sample-values';
import type { Sums } from './sums';
import type { Numbers, PredictionForm } from './sums/sums';

/** A number, one for each class, or one for each pair of classes. */
export type MetricResult = number | number[] | number[][];

/** What metrics of one kind are. */
export interface MetricKind<Metric, Result extends MetricResult = number> {
  readonly make: (...given: never[]) => Metric;
  /** The kinds of targets that it is computed for. */
  readonly targets: readonly TargetKind[];
  /** Which results are better. Missing where a result is a list. */
  readonly better?: 'largest' | 'smallest';
  readonly sums: (metric: Metric) => Sums;
  readonly result: (state: Numbers, metric: Metric, kind: TargetKind) => Result;
  /** What it needs besides, and these predictions do not have, such as 'two classes'. Default: nothing. */
  readonly missing?: (metric: Metric, form: PredictionForm) => string | undefined;
}

/** The form of predictions for samples; a model may have more classes than its samples. */
export function predictionForm({ target, classes }: Pick<SampleForm, 'target' | 'classes'>): PredictionForm {
  return { kind: target.kind, size: holdsIndices(target.kind) ? classes : sizeOf(target.shape) };
}

/** For targets that are indices of classes. */
export const ofClasses = ['class', 'tokens'] as const satisfies readonly TargetKind[];
/** The same, and for several labels at once. */
export const ofLabels = ['class', 'classes', 'tokens'] as const satisfies readonly TargetKind[];
/** For rankings, which keep their scores. */
export const ofRanks = ['class', 'classes'] as const satisfies readonly TargetKind[];
/** For numbers. */
export const ofValues = ['values'] as const satisfies readonly TargetKind[];

/** NaN of no numbers. */
export function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
