// torch.optim.Rprop. src/optimizers/rprop.cc computes it.
import { isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { amount, maximize, torchOptions, two } from './torch-options';

/** Options of {@link rprop}. */
export interface RpropOptions {
  /** Size of the first step. Default: 0.01. */
  learningRate?: number;
  /** Factors of a step where the gradient's sign changes, below 1, and where it stays, above 1. Default: [0.5, 1.2]. */
  etas?: readonly [number, number];
  /** The smallest and the largest step. Default: [1e-6, 50]. */
  stepSizes?: readonly [number, number];
  /** Whether the loss is to grow instead of fall. Default: false. */
  maximize?: boolean;
}

/** The value of {@link rprop}. */
export interface Rprop extends Readonly<Required<RpropOptions>> {
  readonly kind: 'rprop';
}

const isFactor = isNumber({ min: 0, max: largestFloat });

const options = torchOptions<Required<RpropOptions>>(
  {
    learningRate: amount('lr', 0.01),
    etas: two(
      'etas',
      [0.5, 1.2],
      isFactor,
      ([minus, plus]) => minus > 0 && minus < 1 && plus > 1,
      'one below 1 and one above 1',
    ),
    stepSizes: two('step_sizes', [1e-6, 50], isFactor),
    maximize,
  },
  ['lr', 'etas', 'step_sizes', 'foreach', 'maximize', 'differentiable', 'capturable'],
);

/**
 * Resilient backpropagation, as `torch.optim.Rprop` (Riedmiller and Braun 1993, "A direct adaptive method for faster backpropagation
 * learning: the RPROP algorithm"): each weight has a step of its own, which grows while its gradient keeps its sign and shrinks where
 * that changes. Meant for batches of all samples.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { optimizer: rprop({ stepSizes: [1e-6, 1] }) });
 * ```
 */
export function rprop(given: RpropOptions = {}): Rprop {
  return member({ kind: 'rprop', ...options.checked('rprop', given) });
}

export const resilientSteps = {
  ...{ make: rprop, recorded: rprop, torchName: 'Rprop', ...options.form },
  slots: { step: { shape: 'number' }, prev: { shape: 'parameter' }, step_size: { shape: 'parameter' } },
} as const;
