// torch.nn.HuberLoss.
import { isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { comparison, lossOptions, type OneOutputOptions, oneOutput } from './fragment';

/** Options of {@link huberLoss}. */
export interface HuberLossOptions extends OneOutputOptions {
  /** The difference up to which the loss is a square, above 0. Default: 1. */
  delta?: number;
}

/** The value of {@link huberLoss}. */
export interface HuberLoss extends Readonly<Required<HuberLossOptions>> {
  readonly kind: 'huberLoss';
}

const options = lossOptions<Required<HuberLossOptions>>({
  delta: [1, isNumber({ above: 0, max: largestFloat })],
  ...oneOutput,
});

/**
 * d² / 2 for differences d up to `delta`, and delta × (d − delta / 2) above, as `torch.nn.HuberLoss` (Huber 1964).
 *
 * @example
 * ```ts
 * await trainIncremental('regression.pth', { loss: huberLoss({ delta: 0.5 }) });
 * ```
 */
export function huberLoss(given: HuberLossOptions = {}): HuberLoss {
  return member({ kind: 'huberLoss', ...options('huberLoss', given) });
}

export const huberError = {
  make: huberLoss,
  fragment: (loss: HuberLoss) => comparison(loss, 'huber_loss', { delta: loss.delta }),
} as const;
