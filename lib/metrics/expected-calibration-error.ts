// The expected calibration error: Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks", equation 3.
import { checkOptions, isNumber } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofClasses } from './metric';

/** Options of {@link expectedCalibrationError}. */
export interface ExpectedCalibrationErrorOptions {
  /** Bins of equal width, up to 1,000. Default: 15. */
  bins?: number;
}

/** The value of {@link expectedCalibrationError}. */
export interface ExpectedCalibrationError extends Readonly<Required<ExpectedCalibrationErrorOptions>> {
  readonly kind: 'expectedCalibrationError';
}

/**
 * How far the probability of the predicted class is from the share of right predictions, 0 to 1: the mean over bins of that
 * probability, each weighted by its predictions.
 *
 * @example
 * ```ts
 * const { metrics } = await evaluate('model.pth', { metrics: [expectedCalibrationError({ bins: 10 })] });
 * ```
 */
export function expectedCalibrationError(options: ExpectedCalibrationErrorOptions = {}): ExpectedCalibrationError {
  const { bins = 15 } = checkOptions('expectedCalibrationError', options, {
    bins: isNumber({ integer: true, min: 1, max: 1000 }),
  });
  return member({ kind: 'expectedCalibrationError', bins });
}

export const calibrationGap = {
  make: expectedCalibrationError,
  targets: ofClasses,
  better: 'smallest',
  sums: ({ bins }) => ({ kind: 'calibrationBins', bins }),
  result(state, { bins }) {
    let [predictions, gaps] = [0, 0];
    for (let i = 0; i < bins; i++) {
      predictions += state[i]!;
      gaps += Math.abs(state[bins + i]! - state[2 * bins + i]!);
    }
    return gaps / predictions;
  },
} as const satisfies MetricKind<ExpectedCalibrationError>;
