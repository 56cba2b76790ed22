// torch.optim.lr_scheduler.OneCycleLR. src/schedulers/one_cycle_lr.cc computes it.
import { type Check, isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { member } from '../core/family';
import {
  commonKeys,
  type Every,
  every,
  flag,
  forEach,
  number,
  perGroup,
  type SchedulerOption,
  schedulerOptions,
  type TorchForm,
  type TorchState,
  word,
} from './torch-form';

/** Options of {@link oneCycleLR}. */
export interface OneCycleLROptions {
  /** The highest learning rate; a list has one for each parameter group. */
  maxLearningRate: number | readonly number[];
  /** Steps of the cycle, which the training must not exceed. Default: those of the whole training. */
  totalSteps?: number | null;
  /** With `stepsPerEpoch`, another way to give `totalSteps`: their product. Default: none. */
  epochs?: number;
  /** Default: none. */
  stepsPerEpoch?: number;
  /** Share of the steps in which the learning rate rises. Default: 0.3. */
  pctStart?: number;
  /** `'cos'` or `'linear'`. Default: 'cos'. */
  annealStrategy?: 'cos' | 'linear';
  /** Whether the momentum, or the first of betas, falls while the learning rate rises. Default: true. */
  cycleMomentum?: boolean;
  /** The lowest momentum, which goes with the highest learning rate. Default: 0.85. */
  baseMomentum?: number | readonly number[];
  /** The highest momentum. Default: 0.95. */
  maxMomentum?: number | readonly number[];
  /** The first learning rate is `maxLearningRate / divFactor`. Default: 25. */
  divFactor?: number;
  /** The last learning rate is the first one divided by this. Default: 10000. */
  finalDivFactor?: number;
  /** Whether it falls back to the first learning rate as fast as it rose, and from there to the last. Default: false. */
  threePhase?: boolean;
  /** Whether it steps after each epoch or after each step of the optimizer. Default: 'step'. */
  every?: Every;
}

/** The value of {@link oneCycleLR}. `totalSteps` is null until a training gives them. */
export interface OneCycleLR extends Readonly<Required<Omit<OneCycleLROptions, 'epochs' | 'stepsPerEpoch'>>> {
  readonly kind: 'oneCycleLR';
}

const isCount = isNumber({ integer: true, min: 1 });
const isCountOrNull: Check = (value, name) => (value === null ? null : isCount(value, name));
const unused: SchedulerOption<number | null> = { check: isCount, usual: null };

const options = schedulerOptions<Required<OneCycleLROptions> & { epochs: number | null; stepsPerEpoch: number | null }>(
  {
    maxLearningRate: perGroup({ above: 0 }),
    totalSteps: { check: isCountOrNull, usual: null },
    epochs: unused as never,
    stepsPerEpoch: unused as never,
    pctStart: number({ min: 0, max: 1 }, 0.3),
    annealStrategy: word(['cos', 'linear'], 'cos'),
    cycleMomentum: flag(true),
    baseMomentum: perGroup({ min: 0 }, 0.85),
    maxMomentum: perGroup({ min: 0 }, 0.95),
    divFactor: number({ above: 0 }, 25),
    finalDivFactor: number({ above: 0 }, 1e4),
    threePhase: flag(false),
    every: every('step'),
  },
);

/**
 * Leads the learning rate up from `maxLearningRate / divFactor` and down to far below that, and the momentum against it, in one cycle
 * over the whole training, as `torch.optim.lr_scheduler.OneCycleLR` (Smith and Topin 2018, "Super-convergence: very fast training of
 * neural networks using large learning rates").
 *
 * @example
 * ```ts
 * await trainIncremental('pretrained_model.pth', { scheduler: oneCycleLR({ maxLearningRate: 0.1 }) });
 * ```
 */
export function oneCycleLR(given: OneCycleLROptions): OneCycleLR {
  const { epochs, stepsPerEpoch, totalSteps, ...checked } = options.checked('oneCycleLR', given);
  if ((epochs === null) !== (stepsPerEpoch === null)) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      'Expected both "epochs" and "stepsPerEpoch" of oneCycleLR(), whose product is the number of its steps, but received only one; ' +
        'give both, or totalSteps, or none of them for the steps of the training',
    );
  }
  const product = epochs === null ? null : epochs * stepsPerEpoch;
  return member({ kind: 'oneCycleLR', ...checked, totalSteps: totalSteps ?? product });
}

/** Phases as PyTorch's `_schedule_phases` describes them. */
function phasesOf({ pctStart, threePhase }: OneCycleLR, totalSteps: number): TorchState {
  const phase = (end: TorchState, lr: readonly [string, string], momentum: readonly [string, string]): TorchState => ({
    dict: {
      ...{ end_step: end, start_lr: lr[0], end_lr: lr[1] },
      ...{ start_momentum: `${momentum[0]}_momentum`, end_momentum: `${momentum[1]}_momentum` },
    },
  });
  const first = phase({ float: pctStart * totalSteps - 1 }, ['initial_lr', 'max_lr'], ['max', 'base']);
  if (!threePhase) return [first, phase(totalSteps - 1, ['max_lr', 'min_lr'], ['base', 'max'])];
  const second = phase({ float: 2 * pctStart * totalSteps - 2 }, ['max_lr', 'initial_lr'], ['base', 'max']);
  return [first, second, phase(totalSteps - 1, ['initial_lr', 'min_lr'], ['max', 'max'])];
}

/** The share whose first phase ends at this step: of numbers beside one another the one that multiplies back to it. */
function shareOf(end: number, totalSteps: number): number {
  const near = (end + 1) / totalSteps;
  const candidates = [Number(near.toPrecision(12)), ...[0, 1, -1, 2, -2].map((ulps) => near * (1 + ulps * 2 ** -52))];
  return candidates.find((share) => share * totalSteps - 1 === end) ?? near;
}

const first = (value: number | readonly number[]) => (typeof value === 'number' ? value : value[0]!);
/** A quotient without the digits that dividing added. */
const quotient = (a: number, b: number) => {
  const short = Number((a / b).toPrecision(12));
  return a / short === b ? short : a / b;
};

const form: TorchForm<OneCycleLR> = {
  torchName: 'OneCycleLR',
  usualEvery: 'step',
  keys: ['total_steps', '_schedule_phases', '_anneal_func_type', 'cycle_momentum', 'use_beta1', ...commonKeys],
  known: ['total_steps', '_schedule_phases', 'cycle_momentum'],
  constants: (member, rated) => ({
    total_steps: member.totalSteps,
    _schedule_phases: phasesOf(member, member.totalSteps ?? 0),
    _anneal_func_type: member.annealStrategy,
    cycle_momentum: member.cycleMomentum,
    ...(member.cycleMomentum && { use_beta1: rated.usesBetas }),
  }),
  kept: (member, rated) => {
    const { divFactor, finalDivFactor, baseMomentum, maxMomentum } = member;
    const most = forEach(member.maxLearningRate, rated);
    return {
      max_lr: most,
      min_lr: most.map((rate) => rate / divFactor / finalDivFactor),
      ...(member.cycleMomentum && {
        max_momentum: forEach(maxMomentum, rated),
        base_momentum: forEach(baseMomentum, rated),
      }),
    };
  },
  read: (state, steps) => {
    const totalSteps = state.number('total_steps');
    const phases = state.dicts('_schedule_phases');
    const cycleMomentum = state.flag('cycle_momentum');
    const [most, initial, least] = ['max_lr', 'initial_lr', 'min_lr'].map((name) => first(state.kept(name)));
    return oneCycleLR({
      ...{ maxLearningRate: state.kept('max_lr'), totalSteps, threePhase: phases.length === 3, cycleMomentum },
      pctStart: shareOf(phases[0]?.number('end_step') ?? state.refuse('it has no phases'), totalSteps),
      annealStrategy: state.word('_anneal_func_type') as OneCycleLR['annealStrategy'],
      ...{ divFactor: quotient(most!, initial!), finalDivFactor: quotient(initial!, least!) },
      ...(cycleMomentum && { baseMomentum: state.kept('base_momentum'), maxMomentum: state.kept('max_momentum') }),
      every: steps,
    });
  },
};

/** `taken`: the steps that the training takes; undefined where the cycle begins later than it. */
function settle(member: OneCycleLR, total: number, isWhole: boolean): OneCycleLR {
  const { kind: _, totalSteps, ...rest } = member;
  if (totalSteps === null) return oneCycleLR({ ...rest, totalSteps: total });
  if (!isWhole || totalSteps >= total) return member;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected totalSteps of oneCycleLR() for the whole training, which takes ${total} steps, but received ${totalSteps}; give ` +
      `totalSteps: ${total}, or leave it out`,
  );
}

export const oneCycle = { make: oneCycleLR, ...form, settle };
