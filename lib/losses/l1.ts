// torch.nn.L1Loss.
import { member } from '../core/family';
import { comparison, lossOptions, type OneOutputOptions, oneOutput } from './fragment';

/** Options of {@link l1Loss}. */
export interface L1LossOptions extends OneOutputOptions {}

/** The value of {@link l1Loss}. */
export interface L1Loss extends Readonly<Required<L1LossOptions>> {
  readonly kind: 'l1Loss';
}

const options = lossOptions<Required<L1LossOptions>>(oneOutput);

/**
 * |output − target|, as `torch.nn.L1Loss`.
 *
 * @example
 * ```ts
 * await trainIncremental('regression.pth', { loss: l1Loss() });
 * ```
 */
export function l1Loss(given: L1LossOptions = {}): L1Loss {
  return member({ kind: 'l1Loss', ...options('l1Loss', given) });
}

export const absoluteError = { make: l1Loss, fragment: (loss: L1Loss) => comparison(loss, 'l1_loss') } as const;
