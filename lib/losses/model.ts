// Losses that a program computes itself.
import { member } from '../core/family';
import { type LossFragment, lossOptions, type OneOutputOptions, oneOutput } from './fragment';

/** Options of {@link modelLoss}. */
export interface ModelLossOptions extends OneOutputOptions {}

/** The value of {@link modelLoss}. */
export interface ModelLoss extends Readonly<Required<ModelLossOptions>> {
  readonly kind: 'modelLoss';
}

const options = lossOptions<Required<ModelLossOptions>>(oneOutput);

/**
 * The loss that the model returns as the output `output`, a single number for the batch, computed from inputs alone; targets are not
 * looked at. `reduction` says whether it is the mean over the samples or their sum. `'model'` is short for it.
 *
 * @example
 * ```ts
 * await trainIncremental('language.pth', { loss: modelLoss({ output: 'loss' }) });
 * ```
 */
export function modelLoss(given: ModelLossOptions = {}): ModelLoss {
  return member({ kind: 'modelLoss', ...options('modelLoss', given) });
}

function fragment({ output, reduction }: ModelLoss): LossFragment {
  return {
    ...{ reduction, outputs: [{ name: 'output', output, axes: [] }], targets: [] },
    nodes: (how) => (how === 'none' ? undefined : []),
  };
}

export const ownLoss = { make: modelLoss, fragment } as const;
