// torch.optim.lr_scheduler.CyclicLR. src/schedulers/cyclic_lr.cc computes it.
import { member } from '../core/family';
import {
  commonKeys,
  type Every,
  every,
  flag,
  floats,
  forEach,
  number,
  perGroup,
  schedulerOptions,
  type TorchForm,
  word,
} from './torch-form';

/** Options of {@link cyclicLR}. */
export interface CyclicLROptions {
  /** The lowest learning rate, with which the cycle begins; a list has one for each parameter group. */
  baseLearningRate: number | readonly number[];
  /** The highest one of the first cycle. */
  maxLearningRate: number | readonly number[];
  /** Steps from the lowest to the highest, at least 1. Default: 2000. */
  stepSizeUp?: number;
  /** Steps back. Default: `stepSizeUp`. */
  stepSizeDown?: number;
  /**
   * `'triangular'`: all cycles are alike; `'triangular2'`: each is half as high as the one before; `'exp_range'`: the height is
   * multiplied by `gamma` at each step. Default: 'triangular'.
   */
  mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** Of `'exp_range'`, above 0. Default: 1. */
  gamma?: number;
  /** Whether the momentum, or the first of betas, falls while the learning rate rises. Default: true. */
  cycleMomentum?: boolean;
  /** The lowest momentum, which goes with the highest learning rate. Default: 0.8. */
  baseMomentum?: number | readonly number[];
  /** The highest momentum. Default: 0.9. */
  maxMomentum?: number | readonly number[];
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'step'. */
  every?: Every;
}

/** The value of {@link cyclicLR}. */
export interface CyclicLR extends Readonly<Required<CyclicLROptions>> {
  readonly kind: 'cyclicLR';
}

const options = schedulerOptions<Required<CyclicLROptions>>({
  baseLearningRate: perGroup({ min: 0 }),
  maxLearningRate: perGroup({ min: 0 }),
  stepSizeUp: number({ integer: true, min: 1 }, 2000),
  stepSizeDown: number({ integer: true, min: 0 }, 2000),
  mode: word(['triangular', 'triangular2', 'exp_range'], 'triangular'),
  gamma: number({ above: 0 }, 1),
  cycleMomentum: flag(true),
  baseMomentum: perGroup({ min: 0 }, 0.8),
  maxMomentum: perGroup({ min: 0 }, 0.9),
  every: every('step'),
});

/**
 * Leads the learning rate up and down between two bounds, and the momentum against it, as `torch.optim.lr_scheduler.CyclicLR` (Smith
 * 2017, "Cyclical learning rates for training neural networks").
 *
 * @example
 * ```ts
 * const scheduler = cyclicLR({ baseLearningRate: 0.001, maxLearningRate: 0.01, stepSizeUp: 200 });
 * await trainIncremental('pretrained_model.pth', { scheduler });
 * ```
 */
export function cyclicLR(given: CyclicLROptions): CyclicLR {
  const checked = options.checked('cyclicLR', given);
  const stepSizeDown = given.stepSizeDown === undefined ? checked.stepSizeUp : checked.stepSizeDown;
  return member({ kind: 'cyclicLR', ...checked, stepSizeDown });
}

const ownKeys = [
  ...['max_lrs', 'total_size', 'step_ratio', 'mode', 'gamma', 'scale_mode', 'cycle_momentum', 'use_beta1'],
  ...['base_momentums', 'max_momentums'],
];

const form: TorchForm<CyclicLR> = {
  torchName: 'CyclicLR',
  usualEvery: 'step',
  keys: [...ownKeys, ...commonKeys, '_scale_fn_custom'],
  known: ['max_lrs', 'total_size', 'step_ratio', 'mode', 'gamma', 'cycle_momentum'],
  constants: (member, rated) => {
    const { stepSizeUp, stepSizeDown, mode, gamma, cycleMomentum } = member;
    const totalSize = stepSizeUp + stepSizeDown;
    return {
      base_lrs: floats(forEach(member.baseLearningRate, rated)),
      max_lrs: floats(forEach(member.maxLearningRate, rated)),
      total_size: { float: totalSize },
      step_ratio: { float: stepSizeUp / totalSize },
      ...{ mode, gamma: { float: gamma }, scale_mode: mode === 'exp_range' ? 'iterations' : 'cycle' },
      cycle_momentum: cycleMomentum,
      ...(cycleMomentum && {
        use_beta1: rated.usesBetas,
        base_momentums: floats(forEach(member.baseMomentum, rated)),
        max_momentums: floats(forEach(member.maxMomentum, rated)),
      }),
      _scale_fn_custom: null,
    };
  },
  read: (state, steps) => {
    const size = state.number('total_size');
    const stepSizeUp = Math.round(state.number('step_ratio') * size);
    const cycleMomentum = state.flag('cycle_momentum');
    return cyclicLR({
      ...{ baseLearningRate: state.each('base_lrs'), maxLearningRate: state.each('max_lrs') },
      ...{ stepSizeUp, stepSizeDown: size - stepSizeUp, gamma: state.number('gamma'), cycleMomentum },
      mode: state.word('mode') as CyclicLR['mode'],
      ...(cycleMomentum && { baseMomentum: state.each('base_momentums'), maxMomentum: state.each('max_momentums') }),
      every: steps,
    });
  },
};

export const cycles = { make: cyclicLR, ...form };
