// Stochastic weight averaging. src/averages/swa.cc computes it.
import { checkOptions, isNumber } from '../core/checks';
import { member } from '../core/family';

/** Options of {@link swa}. */
export interface SwaOptions {
  /** The first epoch whose weights count, from 1. Default: 1. */
  start?: number;
}

/** The value of {@link swa}. */
export interface Swa extends Readonly<Required<SwaOptions>> {
  readonly kind: 'swa';
}

/**
 * The mean of the weights at the ends of epochs, from the epoch `start` on (Izmailov et al. 2018, "Averaging weights leads to wider
 * optima and better generalization", algorithm 1), as `torch.optim.swa_utils.AveragedModel`. At the end of the training one more pass
 * over the data, in training mode and without gradients, computes the statistics of batch norms for it, as `update_bn` does.
 *
 * @example
 * ```ts
 * const { state } = await trainIncremental('model.pth', { epochs: 20, average: swa({ start: 16 }) });
 * ```
 */
export function swa(options: SwaOptions = {}): Swa {
  const { start = 1 } = checkOptions('swa', options, { start: isNumber({ integer: true, min: 1 }) });
  return member({ kind: 'swa', start });
}
