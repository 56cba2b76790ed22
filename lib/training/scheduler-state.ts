// The state of a scheduler in the form of its state_dict() in PyTorch, written and read, and the rates of the groups that it moves.
import { isDeepStrictEqual } from 'node:util';
import { Float, Opaque, tupleOf, type Value } from '../checkpoint/values';
import { LearnError, messageOf } from '../core/errors';
import type { GroupRates, SchedulerState } from '../native/rates';
import type { Optimizer } from '../optimizers';
import { type Scheduler, type SchedulerForm, schedulerForm, schedulerForms } from '../schedulers';
import { holdsOthers } from '../schedulers/nested';
import type { Every, Rated, TorchState } from '../schedulers/torch-form';
import type { Dict } from './optimizer-names';
import { plainOf, readerOf } from './state-reader';

/** The rates with which an optimizer begins. */
export function ratesOf(optimizer: Optimizer): GroupRates {
  const { learningRate, momentum, betas }: { learningRate: number; momentum?: number; betas?: readonly number[] } =
    optimizer;
  return {
    learningRate,
    ...(momentum !== undefined && { momentum }),
    ...(betas && { beta1: betas[0]! }),
    kept: {},
  };
}

function ratedBy(rates: readonly GroupRates[]): Rated {
  return { groups: rates.length, usesBetas: rates.some(({ beta1 }) => beta1 !== undefined) };
}

/** What scheduler.load_state_dict() in Python takes: keys in the order in which PyTorch has them. */
export function schedulerDict(
  scheduler: Scheduler,
  { values, schedulers: states }: SchedulerState,
  rates: readonly GroupRates[],
): Map<Value, Value> {
  const form = schedulerForm(scheduler);
  const fixed = form.constants(scheduler, ratedBy(rates));
  const entryOf = (key: string): Value | undefined => {
    if (Object.hasOwn(fixed, key)) return written(fixed[key]!);
    if (key === '_schedulers' && holdsOthers(scheduler)) {
      return scheduler.schedulers.map((one, i) => schedulerDict(one as Scheduler, states[i]!, rates));
    }
    // PyTorch's are true only while a step is computed.
    if (key === '_is_initial' || key === '_get_lr_called_within_step') {
      return Object.hasOwn(values, '_step_count') ? false : undefined;
    }
    return values[key] && moving(key, values[key]);
  };
  const entries = form.keys.map((key): [string, Value | undefined] => [key, entryOf(key)]);
  return new Map(entries.filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

const lists = ['base_lrs', '_last_lr'];
const floats = ['best'];

function moving(key: string, values: readonly number[]): Value {
  if (lists.includes(key)) return values.map((value) => new Float(value));
  return floats.includes(key) ? new Float(values[0]!) : values[0]!;
}

function written(value: TorchState): Value {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  if ('float' in value) return new Float(value.float);
  if ('counter' in value) {
    const counts = new Map<Value, number>();
    for (const item of value.counter) counts.set(item, (counts.get(item) ?? 0) + 1);
    return new Opaque('collections.Counter', 'call', tupleOf([counts]));
  }
  const { dict } = value as { dict: Readonly<Record<string, TorchState>> };
  return new Map(Object.entries(dict).map(([key, item]): [Value, Value] => [key, written(item)]));
}

/** Keys that releases of PyTorch have had in states of any kind. */
const otherKeys = [
  'base_lrs',
  'last_epoch',
  '_step_count',
  '_is_initial',
  '_get_lr_called_within_step',
  '_last_lr',
  'verbose',
];

/** The kind of scheduler that this is the state of; undefined: none that the family has. */
function formOf(dict: Dict): SchedulerForm | undefined {
  const keys = [...dict.keys()];
  return schedulerForms.find(
    ({ known, keys: own }) =>
      known.every((key) => dict.has(key)) &&
      keys.every((key) => own.includes(key as string) || otherKeys.includes(key as string)),
  );
}

/** Whether a value of a checkpoint is the state of a scheduler, known or not. */
export function isSchedulerState(value: unknown): value is Dict {
  if (!(value instanceof Map)) return false;
  const counts = ['_step_count', 'num_bad_epochs', '_schedulers'];
  return value.has('_schedulers') || (value.has('last_epoch') && counts.some((key) => value.has(key)));
}

/** Whether it is the state of one that the family has. */
export function isKnownState(value: Dict): boolean {
  const form = formOf(value);
  const held = value.get('_schedulers');
  if (!form || held === undefined) return form !== undefined;
  return Array.isArray(held) && held.every((one) => one instanceof Map && isKnownState(one));
}

/** What is known of a run's scheduler besides its state. */
export interface KnownScheduler {
  /** As recorded in the file. */
  readonly recorded: Scheduler | undefined;
  readonly given: Scheduler | undefined;
  /** Whole epochs that the run has done: how often it steps follows from that, where nothing else says it. */
  readonly epoch: number;
  /** The groups of the optimizer, as its state has them. */
  readonly rates: readonly GroupRates[];
}

/**
 * The scheduler whose state this is: the recorded one where it is of that, else the given one or one that follows from the state.
 * Throws where another one is given.
 */
export function schedulerOf(dict: Dict, { recorded, given, epoch, rates }: KnownScheduler): Scheduler {
  const isRecorded = recorded !== undefined && isStateOf(dict, recorded, rates);
  if (!isRecorded && given && isStateOf(dict, given, rates)) return given;
  const own = isRecorded ? recorded : read(dict, given?.every ?? everyOf(dict, epoch), rates);
  if (!given || isSame(given, own)) return own;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `its scheduler is ${shown(own)}, which the given ${shown(given)} cannot continue; give the same options, leave the option ` +
      '"scheduler" out, or begin a new run by passing the path as the source instead of "resume"',
  );
}

/** How often a scheduler of PyTorch steps, which its state does not say: as often as there were epochs, or more often. */
function everyOf(dict: Dict, epoch: number): Every {
  const usual = formOf(dict)?.usualEvery;
  if (usual) return usual;
  const held = dict.get('_schedulers');
  const last = dict.get('last_epoch');
  if (typeof last === 'number') return Math.abs(last - epoch) > 1 ? 'step' : 'epoch';
  return Array.isArray(held) && held[0] instanceof Map ? everyOf(held[0], epoch) : 'epoch';
}

/** Whether what a state holds of the options is what they say. */
function isStateOf(dict: Dict, scheduler: Scheduler, rates: readonly GroupRates[], isHeld = false): boolean {
  const form = schedulerForm(scheduler);
  if (formOf(dict)?.kind !== scheduler.kind) return false;
  const rated = ratedBy(rates);
  const fixed = Object.entries(form.constants(scheduler, rated));
  if (!fixed.every(([key, value]) => !dict.has(key) || isEqual(dict.get(key)!, written(value)))) return false;
  // In a list another one may have replaced what it keeps in the groups.
  const kept = isHeld ? [] : Object.entries(form.kept?.(scheduler, rated) ?? {});
  if (!kept.every(([name, values]) => rates.every((group, i) => group.kept[name] === values[i]))) return false;
  if (!holdsOthers(scheduler)) return true;
  const held = dict.get('_schedulers');
  return (
    Array.isArray(held) &&
    held.length === scheduler.schedulers.length &&
    held.every((one, i) => isStateOf(one as Dict, scheduler.schedulers[i] as Scheduler, rates, true))
  );
}

function isEqual(a: Value, b: Value): boolean {
  return isDeepStrictEqual(plainOf(a), plainOf(b));
}

/** Whether a given scheduler is this one, but for what a training fills in. */
function isSame(given: object, own: object): boolean {
  const others = own as Record<string, unknown>;
  return Object.entries(given).every(([name, value]) => {
    const other = others[name];
    if (value === null) return true;
    if (typeof value === 'object' && typeof other === 'object' && other !== null) return isSame(value as object, other);
    return value === other;
  });
}

function shown(scheduler: Scheduler): string {
  const { kind, ...options } = scheduler;
  return `${kind}(${JSON.stringify(options)})`;
}

/** The state for the addon: what follows from the options is left out. */
export function stateIn(dict: Dict): SchedulerState {
  const values: Record<string, readonly number[]> = {};
  const keys = [
    'last_epoch',
    '_step_count',
    'base_lrs',
    '_last_lr',
    'T_cur',
    'T_i',
    'best',
    'cooldown_counter',
    'num_bad_epochs',
  ];
  const reader = readerOf(dict, []);
  for (const key of keys) {
    if (dict.has(key)) values[key] = lists.includes(key) ? reader.numbers(key) : [reader.number(key)];
  }
  const held = dict.get('_schedulers');
  return { values, schedulers: Array.isArray(held) ? held.map((one) => stateIn(one as Dict)) : [] };
}

function read(dict: Dict, every: Every, rates: readonly GroupRates[]): Scheduler {
  const form = formOf(dict)!;
  const held = dict.get('_schedulers');
  const inner = Array.isArray(held) ? held.map((one) => read(one as Dict, every, rates)) : [];
  try {
    const made = form.read(readerOf(dict, rates, inner), every);
    if (isStateOf(dict, made, rates, true)) return made;
  } catch (cause) {
    throw refusal(form, messageOf(cause));
  }
  throw refusal(form, 'its options do not follow from its state');
}

function refusal({ torchName, kind }: SchedulerForm, why: string): LearnError {
  return new LearnError(
    'ERR_STATE_MISMATCH',
    `its scheduler, ${torchName}, cannot be resumed: ${why}. Give the option "scheduler", made by ${kind}() with the options that it ` +
      'was made with, or begin a new run by passing the path as the source instead of "resume"',
  );
}

/** The names under which schedulers keep numbers in parameter groups. */
const keptNames = ['initial_lr', 'max_lr', 'min_lr', 'max_momentum', 'base_momentum'];

/** The rates in the param_groups of an optimizer's state_dict(). */
export function ratesIn(optimizer: Value | undefined): GroupRates[] {
  const groups = optimizer instanceof Map ? optimizer.get('param_groups') : undefined;
  if (!Array.isArray(groups) || !groups.every((group) => group instanceof Map)) return [];
  return groups.map((group) => {
    const reader = readerOf(group as Dict, []);
    const has = (name: string) => (group as Dict).has(name);
    const kept = [...(group as Dict).keys()].filter((name): name is string => keptNames.includes(name as string));
    return {
      learningRate: reader.number('lr'),
      ...(has('momentum') && { momentum: reader.number('momentum') }),
      ...(has('betas') && { beta1: reader.numbers('betas')[0]! }),
      kept: Object.fromEntries(kept.map((name) => [name, reader.number(name)])),
    };
  });
}
