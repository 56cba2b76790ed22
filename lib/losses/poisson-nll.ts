// torch.nn.PoissonNLLLoss.
import { isBoolean, isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { node, value } from '../program/module';
import { everyNumber, type LossFragment, lossOptions, type OneOutputOptions, oneOutput, reductions } from './fragment';

/** Options of {@link poissonNLLLoss}. */
export interface PoissonNLLLossOptions extends OneOutputOptions {
  /** Whether the model returns the logarithm of the rate. Default: true. */
  logInput?: boolean;
  /** Whether to add Stirling's approximation of log target!, for targets above 1. Default: false. */
  full?: boolean;
  /** Added to rates before their logarithm, above 0. Default: 1e-8. */
  eps?: number;
}

/** The value of {@link poissonNLLLoss}. */
export interface PoissonNLLLoss extends Readonly<Required<PoissonNLLLossOptions>> {
  readonly kind: 'poissonNLLLoss';
}

const options = lossOptions<Required<PoissonNLLLossOptions>>({
  logInput: [true, isBoolean],
  full: [false, isBoolean],
  eps: [1e-8, isNumber({ above: 0, max: largestFloat })],
  ...oneOutput,
});

/**
 * exp(output) − target × output, or without `logInput` output − target × log(output + eps), as `torch.nn.PoissonNLLLoss`, for targets that
 * are counts.
 *
 * @example
 * ```ts
 * await trainIncremental('counts.pth', { loss: poissonNLLLoss({ full: true }) });
 * ```
 */
export function poissonNLLLoss(given: PoissonNLLLossOptions = {}): PoissonNLLLoss {
  return member({ kind: 'poissonNLLLoss', ...options('poissonNLLLoss', given) });
}

function fragment({ output, reduction, logInput, full, eps }: PoissonNLLLoss): LossFragment {
  return {
    ...{ reduction, outputs: [{ name: 'output', output, axes: everyNumber }] },
    targets: [{ kind: 'values', axes: everyNumber }],
    nodes: (how) => {
      const args = { input: value('output'), target: value('target'), log_input: logInput, full, eps };
      return [node('poisson_nll_loss', '', { ...args, reduction: reductions[how] }, 'loss')];
    },
  };
}

export const poissonLikelihood = { make: poissonNLLLoss, fragment } as const;
