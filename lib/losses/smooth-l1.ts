// torch.nn.SmoothL1Loss.
import { isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { comparison, type LossFragment, lossOptions, type OneOutputOptions, oneOutput } from './fragment';

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions extends OneOutputOptions {
  /** The difference up to which the loss is a square; 0: it never is. Default: 1. */
  beta?: number;
}

/** The value of {@link smoothL1Loss}. */
export interface SmoothL1Loss extends Readonly<Required<SmoothL1LossOptions>> {
  readonly kind: 'smoothL1Loss';
}

const options = lossOptions<Required<SmoothL1LossOptions>>({
  beta: [1, isNumber({ min: 0, max: largestFloat })],
  ...oneOutput,
});

/**
 * d² / (2 × beta) for differences d below `beta`, and d − beta / 2 above, as `torch.nn.SmoothL1Loss` (Girshick 2015, equation 3).
 *
 * @example
 * ```ts
 * await trainIncremental('boxes.pth', { loss: smoothL1Loss({ beta: 0.1 }) });
 * ```
 */
export function smoothL1Loss(given: SmoothL1LossOptions = {}): SmoothL1Loss {
  return member({ kind: 'smoothL1Loss', ...options('smoothL1Loss', given) });
}

/** As torch/nn/functional.py has it for a beta of 0. */
function fragment(loss: SmoothL1Loss): LossFragment {
  return loss.beta === 0 ? comparison(loss, 'l1_loss') : comparison(loss, 'smooth_l1_loss', { beta: loss.beta });
}

export const smoothAbsoluteError = { make: smoothL1Loss, fragment } as const;
