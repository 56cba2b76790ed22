// The family of losses: the number that training makes small. A new one is a file here and a line in the list.
import type { Check } from '../core/checks';
import { LearnError } from '../core/errors';
import { type Entry, family, type MemberOf } from '../core/family';
import type { DataWeights } from './balanced';
import { binaryCrossEntropy } from './bce-with-logits';
import { cosineDistance } from './cosine-embedding';
import { crossEntropyLoss, negativeLogSoftmax } from './cross-entropy';
import { ownOperators } from './custom';
import type { LossFragment } from './fragment';
import { gaussianLikelihood } from './gaussian-nll';
import { huberError } from './huber';
import { divergence } from './kl-div';
import { absoluteError } from './l1';
import { rankingMargin } from './margin-ranking';
import { modelLoss, ownLoss } from './model';
import { squaredError } from './mse';
import { negativeLogLikelihood } from './nll';
import { poissonLikelihood } from './poisson-nll';
import { smoothAbsoluteError } from './smooth-l1';
import { tripletDistance } from './triplet-margin';

export const losses = family('a loss', {
  crossEntropyLoss: negativeLogSoftmax,
  bceWithLogitsLoss: binaryCrossEntropy,
  mseLoss: squaredError,
  l1Loss: absoluteError,
  smoothL1Loss: smoothAbsoluteError,
  huberLoss: huberError,
  nllLoss: negativeLogLikelihood,
  klDivLoss: divergence,
  gaussianNLLLoss: gaussianLikelihood,
  poissonNLLLoss: poissonLikelihood,
  cosineEmbeddingLoss: cosineDistance,
  tripletMarginLoss: tripletDistance,
  marginRankingLoss: rankingMargin,
  modelLoss: ownLoss,
  customLoss: ownOperators,
});

/** A loss, made by {@link crossEntropyLoss}, {@link mseLoss} or another function of its family. */
export type Loss = MemberOf<typeof losses.makers>;

interface LossEntry extends Entry {
  readonly fragment: (loss: Loss) => LossFragment;
  /** Fills in the weights that the loss takes from the data. Missing: it takes none. */
  readonly settled?: (loss: Loss, weights: DataWeights) => Promise<Loss>;
}

export function fragmentOf(loss: Loss): LossFragment {
  return (losses.entryOf(loss) as unknown as LossEntry).fragment(loss);
}

/** The loss with the numbers that follow from the data of a training. */
export async function settledLoss(loss: Loss, weights: DataWeights): Promise<Loss> {
  const { settled } = losses.entryOf(loss) as unknown as LossEntry;
  return settled ? settled(loss, weights) : loss;
}

/** A loss as options have it: `'model'` is modelLoss(). */
export type LossOption = Loss | 'model';

/** Returns the member. */
export const isLoss: Check = (value, name) => losses.check(value === 'model' ? modelLoss() : value, name);

/** The loss of options that were checked. */
export function lossFrom(option: LossOption = crossEntropyLoss()): Loss {
  return isLoss(option, 'loss') as Loss;
}

/** The loss of a record; earlier versions recorded none, and had cross-entropy alone. Options that are missing are defaults. */
export function recordedLoss(record: { readonly kind?: unknown } | undefined): Loss {
  if (record === undefined) return crossEntropyLoss();
  losses.known(record.kind);
  return losses.check({ ...record }, 'loss');
}

/** Throws if a run that began with one loss is to continue with another. `place`: of the record. */
export function checkSameLoss(place: string, recorded: Loss | undefined, given: LossOption | undefined): void {
  if (!recorded || !given) return;
  const { kind } = lossFrom(given);
  if (kind === recorded.kind) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `The run in ${place} was begun with the loss ${recorded.kind}(), whose history ${kind}() cannot continue; give ` +
      `${recorded.kind}(), leave the option out, or begin a new run by passing the path as the source instead of "resume"`,
  );
}
