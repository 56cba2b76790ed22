// torch.nn.NLLLoss.
import { isNumber } from '../core/checks';
import { member } from '../core/family';
import { node, value } from '../program/module';
import { areClassWeights, balanced, type DataWeights, numbersOf } from './balanced';
import {
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
  /**
   * A weight for each class; `'balanced'`, in a training: the classWeights() of its data, whose numbers are recorded. Default: null,
   * which is 1 for each.
   */
  weight?: readonly number[] | 'balanced' | null;
  /** The index that counts as no class. Default: -100, which only tokens may hold. */
  ignoreIndex?: number;
}

/** The value of {@link nllLoss}. */
export interface NllLoss extends Readonly<Required<NllLossOptions>> {
  readonly kind: 'nllLoss';
}

const options = lossOptions<Required<NllLossOptions>>({
  weight: [null, areClassWeights],
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

function fragment(loss: NllLoss): LossFragment {
  const { ignoreIndex, output, reduction } = loss;
  const weight = numbersOf(loss.weight, loss.kind, 'weight', 'classWeights');
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

async function settled(loss: NllLoss, weights: DataWeights): Promise<NllLoss> {
  const { kind: _, ...own } = loss;
  return loss.weight === balanced ? nllLoss({ ...own, weight: await weights.ofClasses(loss.ignoreIndex) }) : loss;
}

export const negativeLogLikelihood = { make: nllLoss, fragment, settled } as const;
