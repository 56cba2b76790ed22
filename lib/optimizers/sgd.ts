// torch.optim.SGD. src/optimizers/sgd.cc computes it.

import { checkOptions, isBoolean, isNumber, largestFloat } from '../core/checks';
import { LearnError } from '../core/errors';
import { member } from '../core/family';

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** Default: 0.001. */
  learningRate?: number;
  /** Share of the last update that goes into the next. Default: 0.9. */
  momentum?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Look-ahead momentum (Sutskever et al. 2013); needs a momentum above 0. Default: false. */
  nesterov?: boolean;
}

/** The value of {@link sgd}. */
export interface Sgd extends Readonly<Required<SgdOptions>> {
  readonly kind: 'sgd';
}

const isRate = isNumber({ min: 0, max: largestFloat });

/** Also of the command line, which has the same options. */
export const sgdChecks = { learningRate: isRate, momentum: isRate, weightDecay: isRate, nesterov: isBoolean };

/**
 * Stochastic gradient descent with momentum, as `torch.optim.SGD`: g ← g + weightDecay × w, v ← momentum × v + g,
 * w ← w − learningRate × v, or with nesterov w ← w − learningRate × (g + momentum × v).
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: sgd({ learningRate: 0.01, weightDecay: 1e-4 }) });
 * ```
 */
export function sgd(options: SgdOptions = {}): Sgd {
  const made = recordedSgd(options);
  if (!made.nesterov || made.momentum > 0) return made;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    'nesterov: true requires a momentum above 0; give one, or leave nesterov out',
  );
}

/** The same of options that were recorded: a run that earlier versions began with nesterov and no momentum continues so. */
function recordedSgd(options: SgdOptions): Sgd {
  const {
    learningRate = 0.001,
    momentum = 0.9,
    weightDecay = 0,
    nesterov = false,
  } = checkOptions('sgd', options, sgdChecks);
  return member({ kind: 'sgd', learningRate, momentum, weightDecay, nesterov });
}

export const gradientDescent = {
  ...{ make: sgd, recorded: recordedSgd, slot: 'momentum_buffer' },
  group: ({ learningRate, momentum, weightDecay, nesterov }: Sgd) => ({
    lr: { float: learningRate },
    momentum: { float: momentum },
    dampening: 0,
    weight_decay: { float: weightDecay },
    nesterov,
    maximize: false,
    foreach: null,
    differentiable: false,
    fused: null,
  }),
} as const;
