// torch.nn.MarginRankingLoss.
import { isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import {
  everyNumber,
  firstOutputs,
  isOutputs,
  isReduction,
  type LossFragment,
  lossOptions,
  type OutputName,
  type Reduction,
  signedPair,
} from './fragment';

/** Options of {@link marginRankingLoss}. */
export interface MarginRankingLossOptions {
  /** The two outputs, by name or index. Default: [0, 1]. */
  outputs?: readonly OutputName[];
  /** How far the one that ranks higher is to be above the other. Default: 0. */
  margin?: number;
  /** `'mean'`, or `'sum'`, of the losses of a batch. Default: 'mean'. */
  reduction?: Reduction;
}

/** The value of {@link marginRankingLoss}. */
export interface MarginRankingLoss extends Readonly<Required<MarginRankingLossOptions>> {
  readonly kind: 'marginRankingLoss';
}

const options = lossOptions<Required<MarginRankingLossOptions>>({
  outputs: [firstOutputs(2), isOutputs(2)],
  margin: [0, isNumber({ min: -largestFloat, max: largestFloat })],
  reduction: ['mean', isReduction],
});

/**
 * max(0, −target × (a − b) + margin), as `torch.nn.MarginRankingLoss`: where the target is 1, the output a is to be above b; where it
 * is -1, below.
 *
 * @example
 * ```ts
 * await trainIncremental('ranks.pth', { loss: marginRankingLoss({ outputs: ['a', 'b'], margin: 0.5 }) });
 * ```
 */
export function marginRankingLoss(given: MarginRankingLossOptions = {}): MarginRankingLoss {
  return member({ kind: 'marginRankingLoss', ...options('marginRankingLoss', given) });
}

function fragment(loss: MarginRankingLoss): LossFragment {
  return signedPair(loss, 'margin_ranking_loss', { outputs: everyNumber, targets: everyNumber });
}

export const rankingMargin = { make: marginRankingLoss, fragment } as const;
