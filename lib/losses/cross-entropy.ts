// torch.nn.CrossEntropyLoss.
import { isBoolean, isNumber } from '../core/checks';
import { member } from '../core/family';
import { node, value } from '../program/module';
import { areClassWeights, balanced, type DataWeights, numbersOf } from './balanced';
import {
  countedClasses,
  everyClass,
  everyNumber,
  type LossFragment,
  lastClass,
  lossOptions,
  type OneOutputOptions,
  oneOutput,
  reductions,
  weightsAlong,
} from './fragment';

/** Options of {@link crossEntropyLoss}. */
export interface CrossEntropyLossOptions extends OneOutputOptions {
  /**
   * A weight for each class; `'balanced'`, in a training: the classWeights() of its data, whose numbers are recorded. Default: null,
   * which is 1 for each.
   */
  weight?: readonly number[] | 'balanced' | null;
  /**
   * The index that counts as no class, in no mean and without a gradient. Where it is 0 or more, targets are indices. Default: -100,
   * which only tokens may hold.
   */
  ignoreIndex?: number;
  /** Share of each target that is spread evenly over all classes, 0 to 1 (Szegedy et al. 2016, section 7). Default: 0. */
  labelSmoothing?: number;
  /**
   * True where outputs are [samples, …, classes], as those of language models, and targets are indices: the loss is that of
   * `cross_entropy(output.flatten(0, -2), target.flatten())`, bit for bit. Default: false, for [samples, classes, …].
   */
  classesLast?: boolean;
}

/** The value of {@link crossEntropyLoss}. */
export interface CrossEntropyLoss extends Readonly<Required<CrossEntropyLossOptions>> {
  readonly kind: 'crossEntropyLoss';
}

const options = lossOptions<Required<CrossEntropyLossOptions>>({
  weight: [null, areClassWeights],
  ignoreIndex: [-100, isNumber({ integer: true })],
  labelSmoothing: [0, isNumber({ min: 0, max: 1 })],
  classesLast: [false, isBoolean],
  ...oneOutput,
});

/**
 * −log softmax(output)[class], as `torch.nn.CrossEntropyLoss`. Targets are classes or tokens, or a probability for each class. The mean
 * over indices is divided by the sum of their weights.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { loss: crossEntropyLoss({ labelSmoothing: 0.1 }) });
 * ```
 */
export function crossEntropyLoss(given: CrossEntropyLossOptions = {}): CrossEntropyLoss {
  return member({ kind: 'crossEntropyLoss', ...options('crossEntropyLoss', given) });
}

function fragment(loss: CrossEntropyLoss): LossFragment {
  const { classesLast, ignoreIndex, labelSmoothing, output, reduction } = loss;
  const weight = numbersOf(loss.weight, loss.kind, 'weight', 'classWeights');
  const indices = (['class', 'tokens'] as const).map((kind) => ({ kind, axes: everyNumber }));
  const probabilities = (['values', 'classes'] as const).map((kind) => ({ kind, axes: everyClass }));
  return {
    ...{ reduction, outputs: [{ name: 'output', output, axes: classesLast ? lastClass : everyClass }] },
    // aten refuses an index among probabilities.
    targets: [...indices, ...(ignoreIndex < 0 && !classesLast ? probabilities : [])],
    constants: weightsAlong('classes', 'weight', weight),
    ignoredIndex: ignoreIndex,
    nodes: (how) => {
      const loss = (self: string, target: string, name: string) =>
        node(
          'cross_entropy_loss',
          '',
          {
            ...{ self: value(self), target: value(target), ...(weight && { weight: value('weight') }) },
            ...{ reduction: reductions[how], ignore_index: ignoreIndex, label_smoothing: labelSmoothing },
          },
          name,
        );
      if (!classesLast) return [loss('output', 'target', 'loss')];
      return [
        node('flatten', 'using_ints', { self: value('output'), start_dim: 0, end_dim: -2 }, 'rows'),
        node('flatten', 'using_ints', { self: value('target') }, 'classes'),
        loss('rows', 'classes', 'flat loss'),
        ...(how === 'none'
          ? [node('reshape_as', '', { self: value('flat loss'), other: value('target') }, 'loss')]
          : []),
      ];
    },
    divisor: countedClasses(ignoreIndex, weight !== null),
    isLogLikelihood: weight === null && labelSmoothing === 0 && ignoreIndex < 0,
  };
}

async function settled(loss: CrossEntropyLoss, weights: DataWeights): Promise<CrossEntropyLoss> {
  const { kind: _, ...own } = loss;
  return loss.weight === balanced
    ? crossEntropyLoss({ ...own, weight: await weights.ofClasses(loss.ignoreIndex) })
    : loss;
}

export const negativeLogSoftmax = { make: crossEntropyLoss, fragment, settled } as const;
