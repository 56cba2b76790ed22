// Averages over classes of precision, recall and F1, as scikit-learn takes them with zero_division=0.
import { type Check, checkOptions, isOneOf } from '../core/checks';
import { type MetricKind, meanOf, ofLabels } from './metric';
import { type Counts, classCounts, countsIn } from './sums/class-counts';
import type { PredictionForm } from './sums/sums';

/** Options of {@link precision}, {@link recall} and {@link f1Score}. */
export interface AverageOptions {
  /**
   * `'macro'`: the mean over the classes that are targets or predictions, or over all labels. `'micro'`: of the counts of all classes
   * together. `'binary'`: of class 1 of two, or of the only label. Default: 'macro'.
   */
  average?: 'macro' | 'micro' | 'binary';
}

type Averaged = Readonly<Required<AverageOptions>>;

const checks: Record<keyof AverageOptions, Check> = { average: isOneOf(['macro', 'micro', 'binary']) };

export function checkedAverage(caller: string, options: AverageOptions): Averaged {
  const { average = 'macro' } = checkOptions(caller, options, checks);
  return { average };
}

/** The metric whose result for the counts of one class is `of(counts)`: a share, or 0 where its denominator is. */
export function averaged<Metric extends Averaged & { readonly kind: string }>(
  make: (options?: AverageOptions) => Metric,
  of: (counts: Counts) => number,
) {
  return {
    make,
    targets: ofLabels,
    better: 'largest',
    sums: () => classCounts,
    result(state, { average }, kind) {
      const { classes } = countsIn(state);
      if (average === 'binary') return of(classes.at(classes.length === 1 ? 0 : 1)!);
      if (average === 'micro') return of(together(classes));
      // Labels are all asked for in each sample; a class that never occurs is no part of the question.
      const counted = kind === 'classes' ? classes : classes.filter(({ actual, predicted }) => actual + predicted > 0);
      return meanOf(counted.map(of));
    },
    missing: ({ average }, form) => (average === 'binary' && !isBinary(form) ? 'two classes, or one label' : undefined),
  } as const satisfies MetricKind<Metric>;
}

const isBinary = ({ kind, size }: PredictionForm) => size <= (kind === 'classes' ? 1 : 2);

const together = (classes: readonly Counts[]): Counts =>
  classes.reduce(
    (sum, { hits, actual, predicted }) => ({
      hits: sum.hits + hits,
      actual: sum.actual + actual,
      predicted: sum.predicted + predicted,
    }),
    { hits: 0, actual: 0, predicted: 0 },
  );

export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
