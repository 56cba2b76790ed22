// The option that rankings share.
import { checkOptions, isNumber } from '../core/checks';

/** Options of {@link auroc} and {@link averagePrecision}. */
export interface ThresholdOptions {
  /**
   * Thresholds of the running value of a learner, at equal distances from 0 to 1, up to 1,000: scores between two of them count as
   * equal. Of a data set, and of a learner's last samples, the value is exact. Default: 200.
   */
  thresholds?: number;
}

export function checkedThresholds(caller: string, options: ThresholdOptions): Readonly<Required<ThresholdOptions>> {
  const { thresholds = 200 } = checkOptions(caller, options, {
    thresholds: isNumber({ integer: true, min: 2, max: 1000 }),
  });
  return { thresholds };
}
