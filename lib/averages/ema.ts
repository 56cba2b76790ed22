// An exponential moving average of weights. src/averages/ema.cc computes it.
import { checkOptions, isNumber } from '../core/checks';
import { member } from '../core/family';

/** Options of {@link ema}. */
export interface EmaOptions {
  /** Share of the average that each step keeps, 0 to 1. Default: 0.999. */
  decay?: number;
}

/** The value of {@link ema}. */
export interface Ema extends Readonly<Required<EmaOptions>> {
  readonly kind: 'ema';
}

/**
 * An exponential moving average of the weights over all steps, a ← decay × a + (1 − decay) × w, which begins as the weights after the
 * first step. As `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn(decay)`; buffers are those of the model.
 *
 * @example
 * ```ts
 * const { state, lastState } = await trainIncremental('model.pth', { average: ema({ decay: 0.99 }) });
 * ```
 */
export function ema(options: EmaOptions = {}): Ema {
  const { decay = 0.999 } = checkOptions('ema', options, { decay: isNumber({ min: 0, max: 1 }) });
  return member({ kind: 'ema', decay });
}
