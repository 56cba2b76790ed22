// torch.nn.CrossEntropyLoss. src/losses/cross_entropy_loss.h computes it.

import { checkOptions } from '../core/checks';
import { member } from '../core/family';

/** The value of {@link crossEntropyLoss}. */
export interface CrossEntropyLoss {
  readonly kind: 'crossEntropyLoss';
}

/**
 * −log softmax(outputs)[label], the mean over the batch, as `torch.nn.CrossEntropyLoss`.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { loss: crossEntropyLoss() });
 * ```
 */
export function crossEntropyLoss(options: Readonly<Record<string, never>> = {}): CrossEntropyLoss {
  checkOptions('crossEntropyLoss', options, {});
  return member({ kind: 'crossEntropyLoss' });
}
