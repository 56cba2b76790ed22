// torch.nn.TripletMarginLoss.
import { isBoolean, isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { node, value } from '../program/module';
import {
  type Axes,
  firstOutputs,
  isOutputs,
  isReduction,
  type LossFragment,
  lossOptions,
  type OutputName,
  type Reduction,
  reductions,
} from './fragment';

/** Options of {@link tripletMarginLoss}. */
export interface TripletMarginLossOptions {
  /** The outputs with the anchor, the positive and the negative sample, by name or index. Default: [0, 1, 2]. */
  outputs?: readonly OutputName[];
  /** How much farther the negative sample is to be, above 0. Default: 1. */
  margin?: number;
  /** The norm that measures distances, above 0. Default: 2. */
  p?: number;
  /** Added to differences, at least 0. Default: 0.000001. */
  eps?: number;
  /** Whether the negative sample's distance is the smaller one of those to the anchor and to the positive sample. Default: false. */
  swap?: boolean;
  /** `'mean'`, or `'sum'`, of the losses of a batch. Default: 'mean'. */
  reduction?: Reduction;
}

/** The value of {@link tripletMarginLoss}. */
export interface TripletMarginLoss extends Readonly<Required<TripletMarginLossOptions>> {
  readonly kind: 'tripletMarginLoss';
}

const options = lossOptions<Required<TripletMarginLossOptions>>({
  outputs: [firstOutputs(3), isOutputs(3)],
  margin: [1, isNumber({ above: 0, max: largestFloat })],
  p: [2, isNumber({ above: 0, max: largestFloat })],
  eps: [1e-6, isNumber({ min: 0, max: largestFloat })],
  swap: [false, isBoolean],
  reduction: ['mean', isReduction],
});

/**
 * max(0, ‖anchor − positive‖ − ‖anchor − negative‖ + margin), as `torch.nn.TripletMarginLoss` (Balntas et al. 2016). It takes no target.
 *
 * @example
 * ```ts
 * await trainIncremental('faces.pth', { loss: tripletMarginLoss({ outputs: ['anchor', 'same', 'other'] }) });
 * ```
 */
export function tripletMarginLoss(given: TripletMarginLossOptions = {}): TripletMarginLoss {
  return member({ kind: 'tripletMarginLoss', ...options('tripletMarginLoss', given) });
}

const vector: Axes = ['samples', 'features'];

function fragment({ outputs, margin, p, eps, swap, reduction }: TripletMarginLoss): LossFragment {
  const names = ['anchor', 'positive', 'negative'];
  return {
    reduction,
    outputs: names.map((name, i) => ({ name, output: outputs[i]!, axes: vector })),
    targets: [],
    nodes: (how) => {
      const values = Object.fromEntries(names.map((name) => [name, value(name)]));
      const given = { ...values, margin, p, eps, swap, reduction: reductions[how] };
      return [node('triplet_margin_loss', '', given, 'loss')];
    },
  };
}

export const tripletDistance = { make: tripletMarginLoss, fragment } as const;
