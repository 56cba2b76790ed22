// torch.nn.NLLLoss.
import { isNumber } from '../core/checks';
import { member } from '../core/family';
import { node, value } from '../program/module';
import {
  areWeights,
  countedClasses,
  everyClass,
  everyNumber,
  type LossFragment,
  lossOptions,
  type OneOutputOptions,
  oneOutput,
  reductions,
  weightsAlong,
} from './fragment';

/** Options of {@link nllLoss}. */
export interface NllLossOptions extends OneOutputOptions {
  /** A weight for each class. Default: null, which is 1 for each. */
  weight?: readonly number[] | null;
  /** The index that counts as no class. Default: -100, which only tokens may hold. */
  ignoreIndex?: number;
}

/** The value of {@link nllLoss}. */
export interface NllLoss extends Readonly<Required<NllLossOptions>> {
  readonly kind: 'nllLoss';
}

const options = lossOptions<Required<NllLossOptions>>({
  weight: [null, areWeights],
  ignoreIndex: [-100, isNumber({ integer: true })],
  ...oneOutput,
});

/**
 * −output[class], as `torch.nn.NLLLoss`, for models that return logarithms of probabilities. Targets are classes or tokens. The mean is
 * divided by the sum of their weights.
 *
 * @example
 * ```ts
 * await trainIncremental('log-softmax.pth', { loss: nllLoss({ weight: [1, 4] }) });
 * ```
 */
export function nllLoss(given: NllLossOptions = {}): NllLoss {
  return member({ kind: 'nllLoss', ...options('nllLoss', given) });
}

function fragment({ weight, ignoreIndex, output, reduction }: NllLoss): LossFragment {
  return {
    ...{ reduction, outputs: [{ name: 'output', output, axes: everyClass }] },
    targets: (['class', 'tokens'] as const).map((kind) => ({ kind, axes: everyNumber })),
    constants: weightsAlong('classes', 'weight', weight),
    ignoredIndex: ignoreIndex,
    nodes: (how) => [
      node(
        'nll_loss_nd',
        '',
        {
          ...{ self: value('output'), target: value('target'), ...(weight && { weight: value('weight') }) },
          ...{ reduction: reductions[how], ignore_index: ignoreIndex },
        },
        'loss',
      ),
    ],
    divisor: countedClasses(ignoreIndex, weight !== null),
  };
}

export const negativeLogLikelihood = { make: nllLoss, fragment } as const;
