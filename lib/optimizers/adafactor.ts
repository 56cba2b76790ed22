// torch.optim.Adafactor. src/optimizers/adafactor.cc computes it.
import { type Check, isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { amount, maximize, negative, torchOptions, tuple } from './torch-options';

/** Options of {@link adafactor}. */
export interface AdafactorOptions {
  /** The largest rate: at step t it is at most 1 / √t. Default: 0.01. */
  learningRate?: number;
  /** At step t, averages of squares take in t^beta2Decay of the new ones: at most 0. Default: -0.8. */
  beta2Decay?: number;
  /**
   * The least root of a variance, null for the precision of the weights (2⁻²³), and the least root mean square of weights. Default:
   * [null, 0.001].
   */
  eps?: readonly [number | null, number];
  /** The largest root mean square of an update: at least 1. Default: 1. */
  d?: number;
  /** Weights decay by themselves: before each step, w ← (1 − learningRate × weightDecay) × w. Default: 0. */
  weightDecay?: number;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link adafactor}. */
export interface Adafactor extends Readonly<Required<AdafactorOptions>> {
  readonly kind: 'adafactor';
}

const isAmount = isNumber({ min: 0, max: largestFloat });
const isAmountOrNull: Check = (value, name) => (value === null ? undefined : isAmount(value, name));

const options = torchOptions<Required<AdafactorOptions>>(
  {
    learningRate: amount('lr', 0.01),
    beta2Decay: negative('beta2_decay', -0.8),
    eps: tuple<Required<AdafactorOptions>['eps']>('eps', [null, 0.001], [isAmountOrNull, isAmount]),
    d: { ...amount('d', 1), check: isNumber({ min: 1, max: largestFloat }) },
    weightDecay: amount('weight_decay', 0),
    maximize,
  },
  ['lr', 'beta2_decay', 'eps', 'd', 'weight_decay', 'foreach', 'maximize'],
);

/**
 * Adafactor, as `torch.optim.Adafactor` (Shazeer and Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost",
 * algorithm 5, with the differences that PyTorch's documentation names): of a weight of several axes it keeps averages of the squares
 * of rows r and of columns c instead of those of all elements, v = r c / mean(r), and w falls by g / √v, scaled by the size of w.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: adafactor({ learningRate: 0.01 }) });
 * ```
 */
export function adafactor(given: AdafactorOptions = {}): Adafactor {
  return member({ kind: 'adafactor', ...options.checked('adafactor', given) });
}

export const factoredSquares = {
  ...{ make: adafactor, recorded: adafactor, torchName: 'Adafactor', ...options.form },
  slots: {
    step: { shape: 'number' },
    ...{ row_var: { shape: 'rows' }, col_var: { shape: 'columns' }, variance: { shape: 'vector' } },
  },
} as const;
