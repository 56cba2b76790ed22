// Finds the scheduler that a resumed run continues, and the rates that it had left its optimizer with.
import type { Value } from '../checkpoint/values';
import { LearnError } from '../core/errors';
import type { Position } from '../native/plans';
import type { GroupRates, SchedulerState } from '../native/rates';
import { optimizers } from '../optimizers';
import type { ParameterGroup } from '../optimizers/parameter-groups';
import type { Scheduler } from '../schedulers';
import type { Dict } from './optimizer-names';
import type { KnownOptimizers, ReadOptimizer } from './read-optimizer';
import { schedulersIn } from './resume-options';
import { isKnownState, type KnownScheduler, ratesIn, schedulerOf, stateIn } from './scheduler-state';

/** A scheduler, its state, and the rates of the parameter groups then. */
export interface ReadSchedule {
  readonly scheduler: Scheduler;
  readonly state: SchedulerState;
  readonly rates: readonly GroupRates[];
}

interface Found {
  /** undefined: no scheduler is continued. */
  readonly schedule: ReadSchedule | undefined;
  /** The keys of those in the file that are not. */
  readonly left: readonly string[];
}

/** `dicts`: those around the model's. Throws where the run has a scheduler whose state is not in the file. */
export function readSchedule(
  dicts: readonly Dict[],
  optimizer: Value | undefined,
  known: Pick<KnownScheduler, 'recorded' | 'given'>,
  { epoch, step }: Pick<Position, 'epoch' | 'step'>,
): Found {
  const found = schedulersIn(dicts);
  const one = found.find(({ key }) => key === 'scheduler') ?? (found.length === 1 ? found[0] : undefined);
  const left = [...new Set(found.filter((other) => other !== one).map(({ key }) => key))];
  if (!one || !isKnownState(one.dict)) {
    const wanted = known.given ?? known.recorded;
    if (wanted && epoch + step > 0) throw noState(wanted);
    return { schedule: undefined, left: one ? [...left, one.key] : left };
  }
  const rates = ratesIn(optimizer);
  if (rates.length === 0) throw noRates();
  const scheduler = schedulerOf(one.dict, { ...known, epoch, rates });
  return { schedule: { scheduler, state: stateIn(one.dict), rates }, left };
}

function noState({ kind }: Scheduler): LearnError {
  return new LearnError(
    'ERR_STATE_MISMATCH',
    `there is no state of a scheduler that ${kind}() could continue, and the run is past its beginning. Resume it without the option ` +
      '"scheduler", or begin a new run by passing the path as the source instead of "resume"',
  );
}

function noRates(): LearnError {
  return new LearnError(
    'ERR_STATE_MISMATCH',
    'there is the state of a scheduler, but none of one optimizer, whose rates it moves. Save optimizer.state_dict() too, under the ' +
      'key optimizer, or begin a new run by passing the path as the source instead of "resume"',
  );
}

/** The state of an optimizer with the learning rates that its schedule began with. */
export function withFirstRates(optimizer: Value | undefined): Value | undefined {
  if (!(optimizer instanceof Map)) return optimizer;
  const groups = (optimizer.get('param_groups') as Dict[]).map((group) => {
    const first = group.get('initial_lr');
    return first === undefined ? group : new Map([...group, ['lr', first]]);
  });
  return new Map([...optimizer, ['param_groups', groups]]);
}

/** The options that schedulers move. */
const moved = ['learningRate', 'momentum', 'betas'];

/** `read`, with those of these options that are recorded: what the run began with. */
export function withRecordedRates<Read extends Pick<ReadOptimizer, 'optimizer' | 'parameterGroups'>>(
  read: Read,
  recorded: KnownOptimizers,
): Read {
  const { optimizer, parameterGroups } = read;
  return {
    ...read,
    optimizer:
      optimizer && recorded.optimizer?.kind === optimizer.kind ? began(optimizer, recorded.optimizer) : optimizer,
    parameterGroups: parameterGroups?.map((group, i) => beganGroup(group, recorded.parameterGroups?.[i])),
  };
}

function beganGroup(group: ParameterGroup, recorded: ParameterGroup | undefined): ParameterGroup {
  if (!recorded) return group;
  const own = began(group, recorded);
  if (!group.optimizer || !recorded.optimizer) return own;
  return { ...own, optimizer: optimizers.check(began(group.optimizer, recorded.optimizer), 'optimizer') };
}

function began<Options extends object>(options: Options, recorded: object): Options {
  const others = Object.entries(options).filter(([name]) => !moved.includes(name));
  const first = Object.entries(recorded).filter(([name]) => moved.includes(name));
  return Object.fromEntries([...others, ...first]) as Options;
}
