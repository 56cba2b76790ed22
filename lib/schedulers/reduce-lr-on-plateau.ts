// torch.optim.lr_scheduler.ReduceLROnPlateau. src/schedulers/reduce_lr_on_plateau.cc computes it.
import { LearnError } from '../core/errors';
import { member } from '../core/family';
import {
  forEach,
  type Monitor,
  number,
  perGroup,
  type SchedulerOption,
  schedulerOptions,
  type TorchForm,
  type TorchState,
  word,
} from './torch-form';

/** Options of {@link reduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether the monitored number is to fall or to rise. Default: 'min'. */
  mode?: 'min' | 'max';
  /** Factor of the learning rate, from 0 to less than 1. Default: 0.1. */
  factor?: number;
  /** Epochs without an improvement that are let pass. Default: 10. */
  patience?: number;
  /** The least change that is an improvement. Default: 0.0001. */
  threshold?: number;
  /** `'rel'`: the threshold is a share of the best number so far; `'abs'`: a difference to it. Default: 'rel'. */
  thresholdMode?: 'rel' | 'abs';
  /** Epochs after a change in which none is counted. Default: 0. */
  cooldown?: number;
  /** The lowest learning rate; a list has one for each parameter group. Default: 0. */
  minLearningRate?: number | readonly number[];
  /** A change of the learning rate that is not larger than this is not made. Default: 1e-8. */
  eps?: number;
  /** It steps after each epoch that is validated. Default: 'epoch'. */
  every?: 'epoch';
}

/** The value of {@link reduceLROnPlateau}. */
export interface ReduceLROnPlateau extends Readonly<Required<ReduceLROnPlateauOptions>> {
  readonly kind: 'reduceLROnPlateau';
}

const onlyEpoch: SchedulerOption<'epoch'> = word(['epoch'], 'epoch');

const options = schedulerOptions<Required<ReduceLROnPlateauOptions>>({
  mode: word(['min', 'max'], 'min'),
  factor: number({ min: 0, max: 1 - 2 ** -53 }, 0.1),
  patience: number({ integer: true, min: 0 }, 10),
  threshold: number({ min: 0 }, 1e-4),
  thresholdMode: word(['rel', 'abs'], 'rel'),
  cooldown: number({ integer: true, min: 0 }, 0),
  minLearningRate: perGroup({ min: 0 }, 0),
  eps: number({ min: 0 }, 1e-8),
  every: onlyEpoch,
});

/**
 * Multiplies the learning rate by `factor` where the monitored number of the validation has not improved for more than `patience`
 * epochs, as `torch.optim.lr_scheduler.ReduceLROnPlateau`.
 *
 * @example
 * ```ts
 * console.log(await scheduledRates(reduceLROnPlateau({ patience: 0 }), { epochs: 4, monitored: [1, 2, 0.5, 0.6] }));
 * ```
 */
export function reduceLROnPlateau(given: ReduceLROnPlateauOptions = {}): ReduceLROnPlateau {
  return member({ kind: 'reduceLROnPlateau', ...options.checked('reduceLROnPlateau', given) });
}

/** PyTorch's default is an integer; what callers give it is a float. */
const rate = (value: number): TorchState => (value === 0 ? value : { float: value });

const form: TorchForm<ReduceLROnPlateau> = {
  torchName: 'ReduceLROnPlateau',
  keys: [
    ...['factor', 'default_min_lr', 'min_lrs', 'patience', 'cooldown', 'eps', 'last_epoch', '_last_lr', 'mode_worse'],
    ...['mode', 'threshold', 'threshold_mode', 'best', 'cooldown_counter', 'num_bad_epochs'],
  ],
  known: ['factor', 'min_lrs', 'patience', 'cooldown', 'eps', 'mode', 'threshold', 'threshold_mode', 'num_bad_epochs'],
  constants: ({ factor, minLearningRate, patience, cooldown, eps, mode, threshold, thresholdMode }, rated) => ({
    factor: { float: factor },
    default_min_lr: typeof minLearningRate === 'number' ? rate(minLearningRate) : null,
    min_lrs: forEach(minLearningRate, rated).map(typeof minLearningRate === 'number' ? rate : (float) => ({ float })),
    ...{ patience, cooldown, eps: { float: eps }, mode_worse: { float: mode === 'min' ? Infinity : -Infinity }, mode },
    ...{ threshold: { float: threshold }, threshold_mode: thresholdMode },
  }),
  read: (state) =>
    reduceLROnPlateau({
      mode: state.word('mode') as ReduceLROnPlateau['mode'],
      ...{ factor: state.number('factor'), patience: state.number('patience'), threshold: state.number('threshold') },
      thresholdMode: state.word('threshold_mode') as ReduceLROnPlateau['thresholdMode'],
      ...{ cooldown: state.number('cooldown'), minLearningRate: state.each('min_lrs'), eps: state.number('eps') },
    }),
};

function checkMonitor({ mode }: ReduceLROnPlateau, monitor: Monitor | undefined): void {
  if (!monitor) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      'reduceLROnPlateau() follows the monitored number of a validation, and this training has none; give it the option ' +
        '"validation", or another scheduler',
    );
  }
  const fitting = monitor.grows ? 'max' : 'min';
  if (mode === fitting) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected mode: '${fitting}' of reduceLROnPlateau() for "validation.monitor", which is '${monitor.name}', but received '${mode}'; give ` +
      'that, or monitor another number',
  );
}

export const lessOnPlateaus = { make: reduceLROnPlateau, ...form, checkMonitor };
