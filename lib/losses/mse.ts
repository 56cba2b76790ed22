// torch.nn.MSELoss.
import { member } from '../core/family';
import { comparison, lossOptions, type OneOutputOptions, oneOutput } from './fragment';

/** Options of {@link mseLoss}. */
export interface MseLossOptions extends OneOutputOptions {}

/** The value of {@link mseLoss}. */
export interface MseLoss extends Readonly<Required<MseLossOptions>> {
  readonly kind: 'mseLoss';
}

const options = lossOptions<Required<MseLossOptions>>(oneOutput);

/**
 * (output − target)², as `torch.nn.MSELoss`.
 *
 * @example
 * ```ts
 * await trainIncremental('regression.pth', { loss: mseLoss() });
 * ```
 */
export function mseLoss(given: MseLossOptions = {}): MseLoss {
  return member({ kind: 'mseLoss', ...options('mseLoss', given) });
}

export const squaredError = { make: mseLoss, fragment: (loss: MseLoss) => comparison(loss, 'mse_loss') } as const;
