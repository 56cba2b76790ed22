// torch.optim.Muon. src/optimizers/muon.cc computes it.
import { isNumber, largestFloat } from '../core/checks';
import { member } from '../core/family';
import { amount, flag, integer, torchOptions, tuple, word } from './torch-options';

/** Options of {@link muon}. */
export interface MuonOptions {
  /** Default: 0.001. */
  learningRate?: number;
  /** Weights decay by themselves: before each step, w ← (1 − learningRate × weightDecay) × w. Default: 0.1. */
  weightDecay?: number;
  /** What the average of the gradient keeps at each step. Default: 0.95. */
  momentum?: number;
  /** Whether the gradient itself goes into the update again. Default: true. */
  nesterov?: boolean;
  /** Coefficients of the polynomial of each iteration. Default: [3.4445, -4.775, 2.0315]. */
  nsCoefficients?: readonly [number, number, number];
  /** The least norm that an update is divided by. Default: 1e-7. */
  eps?: number;
  /** Iterations, from 0 to 99. Default: 5. */
  nsSteps?: number;
  /**
   * How the rate follows from the shape of a weight of a rows and b columns: √max(1, a / b) times, or by `'match_rms_adamw'`
   * 0.2 √max(a, b) times, so that rates and decays for adamW() fit. Default: 'original'.
   */
  adjustLearningRateFn?: 'original' | 'match_rms_adamw';
}

/** The value of {@link muon}. */
export interface Muon extends Readonly<Required<MuonOptions>> {
  readonly kind: 'muon';
}

const isFloat = isNumber({ min: -largestFloat, max: largestFloat });

const options = torchOptions<Required<MuonOptions>>(
  {
    learningRate: amount('lr', 0.001),
    weightDecay: amount('weight_decay', 0.1),
    momentum: amount('momentum', 0.95),
    nesterov: { ...flag('nesterov'), usual: true },
    nsCoefficients: tuple<Required<MuonOptions>['nsCoefficients']>(
      'ns_coefficients',
      [3.4445, -4.775, 2.0315],
      [isFloat, isFloat, isFloat],
    ),
    eps: amount('eps', 1e-7),
    nsSteps: integer('ns_steps', 5, { min: 0, max: 99 }),
    adjustLearningRateFn: word('adjust_lr_fn', ['original', 'match_rms_adamw']),
  },
  ['lr', 'weight_decay', 'momentum', 'nesterov', 'ns_coefficients', 'eps', 'ns_steps', 'adjust_lr_fn'],
);

/**
 * Muon, for weights of two axes, as `torch.optim.Muon` (Jordan 2024, "Muon: an optimizer for hidden layers in neural networks"):
 * m ← momentum × m + (1 − momentum) × g, u ← (1 − momentum) × g + momentum × m, and w falls by the rate times the orthogonal matrix
 * nearest to u, which Newton and Schulz's iteration finds in bfloat16. Other parameters need another optimizer: see the example. A
 * parameter of another shape is an error that names it.
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', {
 *   optimizer: adamW({ learningRate: 3e-4 }),
 *   parameterGroups: [{ parameters: 'fc.weight', optimizer: muon({ learningRate: 0.02 }) }],
 * });
 * ```
 */
export function muon(given: MuonOptions = {}): Muon {
  return member({ kind: 'muon', ...options.checked('muon', given) });
}

export const orthogonalUpdates = {
  ...{ make: muon, recorded: muon, torchName: 'Muon', ...options.form, axes: 2 },
  slots: { momentum_buffer: { shape: 'parameter' } },
} as const;
