// torch.optim.ASGD. src/optimizers/asgd.cc computes it.
import { member } from '../core/family';
import { amount, maximize, torchOptions } from './torch-options';

/** Options of {@link asgd}. */
export interface AsgdOptions {
  /** Default: 0.01. */
  learningRate?: number;
  /** Decay of the weights and of the rate. Default: 1e-4. */
  lambd?: number;
  /** Power of the rate's decay. Default: 0.75. */
  alpha?: number;
  /** The step at which averaging begins. Default: 1e6. */
  t0?: number;
  /** L2 penalty: adds weightDecay × weight to each gradient. Default: 0. */
  weightDecay?: number;
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link asgd}. */
export interface Asgd extends Readonly<Required<AsgdOptions>> {
  readonly kind: 'asgd';
}

const options = torchOptions<Required<AsgdOptions>>(
  {
    learningRate: amount('lr', 0.01),
    lambd: amount('lambd', 1e-4),
    alpha: amount('alpha', 0.75),
    t0: amount('t0', 1e6),
    weightDecay: amount('weight_decay', 0, { isInteger: true }),
    maximize,
  },
  ['lr', 'lambd', 'alpha', 't0', 'weight_decay', 'foreach', 'maximize', 'differentiable', 'capturable'],
);

/**
 * Averaged stochastic gradient descent, as `torch.optim.ASGD` (Polyak and Juditsky 1992, "Acceleration of stochastic approximation by
 * averaging"): w ← (1 − lambd × η)w − ηg, with η = learningRate / (1 + lambd × learningRate × t)^alpha at step t. The average of the
 * weights from step t0 on is the slot `ax` of the checkpoint.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: asgd({ t0: 1000 }) });
 * ```
 */
export function asgd(given: AsgdOptions = {}): Asgd {
  return member({ kind: 'asgd', ...options.checked('asgd', given) });
}

export const averagedDescent = {
  ...{ make: asgd, recorded: asgd, torchName: 'ASGD', ...options.form },
  slots: {
    ...{ step: { shape: 'number' }, eta: { shape: 'number' }, mu: { shape: 'number' } },
    ax: { shape: 'parameter' },
  },
} as const;
