// torch.optim.SGD. src/optimizers/sgd.cc computes it.
import { LearnError } from '../core/errors';
import { member } from '../core/family';
import { amount, flag, maximize, torchOptions } from './torch-options';

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** Default: 0.001. */
  learningRate?: number;
  /** Share of the last update that goes into the next. Default: 0.9. */
  momentum?: number;
  /** Share of the gradient that is left out of the momentum, from its second step on. Default: 0. */
  dampening?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Look-ahead momentum (Sutskever et al. 2013); needs a momentum above 0 and no dampening. Default: false. */
  nesterov?: boolean;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link sgd}. */
export interface Sgd extends Readonly<Required<SgdOptions>> {
  readonly kind: 'sgd';
}

const options = torchOptions<Required<SgdOptions>>(
  {
    learningRate: amount('lr', 0.001),
    momentum: amount('momentum', 0.9),
    dampening: amount('dampening', 0, { isInteger: true }),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    nesterov: flag('nesterov'),
    maximize,
  },
  ['lr', 'momentum', 'dampening', 'weight_decay', 'nesterov', 'maximize', 'foreach', 'differentiable', 'fused'],
);

/** Also of the command line, which has the same options. */
export const sgdChecks = options.checks;

/**
 * Stochastic gradient descent with momentum, as `torch.optim.SGD`: g ← g + weightDecay × w, v ← momentum × v + (1 − dampening) × g,
 * w ← w − learningRate × v, or with nesterov w ← w − learningRate × (g + momentum × v). v begins as the first gradient.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: sgd({ learningRate: 0.01, weightDecay: 1e-4 }) });
 * ```
 */
export function sgd(given: SgdOptions = {}): Sgd {
  const made = recordedSgd(given);
  if (!made.nesterov || (made.momentum > 0 && made.dampening === 0)) return made;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    'nesterov: true requires a momentum above 0 and a dampening of 0; give these, or leave nesterov out',
  );
}

/** The same of options that were recorded: a run that earlier versions began with nesterov and no momentum continues so. */
function recordedSgd(given: SgdOptions): Sgd {
  return member({ kind: 'sgd', ...options.checked('sgd', given) });
}

export const gradientDescent = {
  ...{ make: sgd, recorded: recordedSgd, torchName: 'SGD', ...options.form },
  slots: { momentum_buffer: { shape: 'parameter', optional: true } },
} as const;
