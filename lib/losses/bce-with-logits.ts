// torch.nn.BCEWithLogitsLoss.
import type { Check } from '../core/checks';
import { member } from '../core/family';
import { value } from '../program/module';
import { balanced, type DataWeights, numbersOf, orBalanced } from './balanced';
import {
  type Axes,
  areWeights,
  comparison,
  everyNumber,
  type LossConstant,
  type LossFragment,
  lossOptions,
  type OneOutputOptions,
  oneOutput,
} from './fragment';

/** Options of {@link bceWithLogitsLoss}. */
export interface BceWithLogitsLossOptions extends OneOutputOptions {
  /** A weight for each number along the last axis. Default: null, which is 1 for each. */
  weight?: readonly number[] | null;
  /**
   * A weight of positive targets, for each number along the last axis or one for all; `'balanced'`, in a training: the posWeights() of
   * its data, whose numbers are recorded. Default: null, which is 1.
   */
  posWeight?: number | readonly number[] | 'balanced' | null;
}

/** The value of {@link bceWithLogitsLoss}. */
export interface BceWithLogitsLoss extends Readonly<Required<BceWithLogitsLossOptions>> {
  readonly kind: 'bceWithLogitsLoss';
}

const arePositiveWeights: Check = (given, name) => {
  if (typeof given !== 'number') return areWeights(given, name);
  areWeights([given], name);
};

const options = lossOptions<Required<BceWithLogitsLossOptions>>({
  weight: [null, areWeights],
  posWeight: [null, orBalanced(arePositiveWeights)],
  ...oneOutput,
});

/**
 * −(posWeight × y × log σ(x) + (1 − y) × log(1 − σ(x))), as `torch.nn.BCEWithLogitsLoss`, where y is the target of the output x: several
 * classes at once, or probabilities.
 *
 * @example
 * ```ts
 * await trainIncremental('tabular.pth', { loss: bceWithLogitsLoss({ posWeight: 3 }) });
 * ```
 */
export function bceWithLogitsLoss(given: BceWithLogitsLossOptions = {}): BceWithLogitsLoss {
  return member({ kind: 'bceWithLogitsLoss', ...options('bceWithLogitsLoss', given) });
}

const everyLabel: Axes = ['samples', '...', 'labels'];

/** One weight is for all numbers, whatever their axes. */
function constant(name: string, weights: number | readonly number[] | null): LossConstant[] {
  if (weights === null) return [];
  const data = typeof weights === 'number' ? [weights] : weights;
  return [{ name, axes: data.length > 1 ? ['labels'] : [], data }];
}

function fragment(loss: BceWithLogitsLoss): LossFragment {
  const posWeight = numbersOf(loss.posWeight, loss.kind, 'posWeight', 'posWeights');
  const constants = [...constant('weight', loss.weight), ...constant('posWeight', posWeight)];
  const isAlongAxis = constants.some(({ axes }) => axes.length > 0);
  const args = {
    ...(loss.weight !== null && { weight: value('weight') }),
    ...(posWeight !== null && { pos_weight: value('posWeight') }),
  };
  const axes = isAlongAxis ? everyLabel : everyNumber;
  return { ...comparison(loss, 'binary_cross_entropy_with_logits', args, axes), constants };
}

async function settled(loss: BceWithLogitsLoss, weights: DataWeights): Promise<BceWithLogitsLoss> {
  const { kind: _, ...own } = loss;
  return loss.posWeight === balanced ? bceWithLogitsLoss({ ...own, posWeight: await weights.ofPositives() }) : loss;
}

export const binaryCrossEntropy = { make: bceWithLogitsLoss, fragment, settled } as const;
