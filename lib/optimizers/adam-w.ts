// torch.optim.AdamW. src/optimizers/adam.cc computes it.
import { member } from '../core/family';
import { type AdamOptions, adamOptions, adamSlots } from './adam';

/** Options of {@link adamW}: those of adam(), but `weightDecay` is 0.01 by default and takes its share of the weights themselves. */
export interface AdamWOptions extends AdamOptions {}

/** The value of {@link adamW}. */
export interface AdamW extends Readonly<Required<AdamWOptions>> {
  readonly kind: 'adamW';
}

const options = adamOptions(0.01, true);

/**
 * Adam with decoupled weight decay, as `torch.optim.AdamW` (Loshchilov and Hutter 2019, "Decoupled weight decay regularization",
 * algorithm 2): before each step of adam(), w ← (1 − learningRate × weightDecay) × w.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: adamW({ learningRate: 3e-4, weightDecay: 0.05 }) });
 * ```
 */
export function adamW(given: AdamWOptions = {}): AdamW {
  return member({ kind: 'adamW', ...options.checked('adamW', given) });
}

export const decoupledMoments = {
  ...{ make: adamW, recorded: adamW, torchName: 'AdamW', ...options.form, slots: adamSlots },
} as const;
