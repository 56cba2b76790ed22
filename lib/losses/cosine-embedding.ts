// torch.nn.CosineEmbeddingLoss.
import { isNumber } from '../core/checks';
import { member } from '../core/family';
import {
  firstOutputs,
  isOutputs,
  isReduction,
  type LossFragment,
  lossOptions,
  type OutputName,
  type Reduction,
  signedPair,
} from './fragment';

/** Options of {@link cosineEmbeddingLoss}. */
export interface CosineEmbeddingLossOptions {
  /** The two outputs, by name or index. Default: [0, 1]. */
  outputs?: readonly OutputName[];
  /** The cosine up to which a pair of target -1 costs nothing, from -1 to 1. Default: 0. */
  margin?: number;
  /** `'mean'`, or `'sum'`, of the losses of a batch. Default: 'mean'. */
  reduction?: Reduction;
}

/** The value of {@link cosineEmbeddingLoss}. */
export interface CosineEmbeddingLoss extends Readonly<Required<CosineEmbeddingLossOptions>> {
  readonly kind: 'cosineEmbeddingLoss';
}

const options = lossOptions<Required<CosineEmbeddingLossOptions>>({
  outputs: [firstOutputs(2), isOutputs(2)],
  margin: [0, isNumber({ min: -1, max: 1 })],
  reduction: ['mean', isReduction],
});

/**
 * 1 − cos(a, b) for pairs of target 1, and max(0, cos(a, b) − margin) for those of target -1, as `torch.nn.CosineEmbeddingLoss`.
 *
 * @example
 * ```ts
 * await trainIncremental('twins.pth', { loss: cosineEmbeddingLoss({ outputs: ['a', 'b'], margin: 0.2 }) });
 * ```
 */
export function cosineEmbeddingLoss(given: CosineEmbeddingLossOptions = {}): CosineEmbeddingLoss {
  return member({ kind: 'cosineEmbeddingLoss', ...options('cosineEmbeddingLoss', given) });
}

function fragment(loss: CosineEmbeddingLoss): LossFragment {
  return signedPair(loss, 'cosine_embedding_loss', { outputs: ['samples', 'features'], targets: ['samples'] });
}

export const cosineDistance = { make: cosineEmbeddingLoss, fragment } as const;
