// The options of a run as its checkpoint records them: which, how they are written, and how those of earlier versions are read.
import { type Average, averages, recordedAverage } from '../averages';
import { formatError } from '../checkpoint/errors';
import { Float, type Value } from '../checkpoint/values';
import { type Check, isBoolean, isNumber, isOneOf, plain } from '../core/checks';
import { messageOf } from '../core/errors';
import { isPatterns } from '../core/patterns';
import { isWorkers } from '../datasets/batches';
import { isLoss, type Loss, recordedLoss } from '../losses';
import { isThreadCount } from '../native/device';
import type { TrainPlan } from '../native/plans';
import { type Optimizer, optimizers, recordedOptimizer } from '../optimizers';
import { isParameterGroups, type ParameterGroup } from '../optimizers/parameter-groups';
import { sgdChecks } from '../optimizers/sgd';
import { type Scheduler, schedulers } from '../schedulers';
import type { KnownOptimizers } from './read-optimizer';

/** The options that resuming takes from a checkpoint, by their names in TrainOptions. */
export const recordedChecks = {
  epochs: isNumber({ integer: true, min: 1 }),
  batchSize: isNumber({ integer: true, min: 1 }),
  shuffle: isBoolean,
  dropLast: isBoolean,
  workers: isWorkers,
  optimizer: optimizers.check,
  parameterGroups: isParameterGroups,
  frozenStatistics: isPatterns,
  scheduler: schedulers.check,
  accumulate: isNumber({ integer: true, min: 1 }),
  maxGradientNorm: isNumber({ above: 0 }),
  maxGradientValue: isNumber({ above: 0 }),
  average: averages.check,
  loss: isLoss,
  mode: isOneOf(['exact', 'fast']),
  precision: isOneOf(['fp32', 'bf16']),
  contractLinear: isBoolean,
  seed: isNumber({ integer: true, min: 0 }),
  threads: isThreadCount,
} satisfies Record<string, Check>;

type PlanOption = Exclude<keyof typeof recordedChecks, 'optimizer' | 'parameterGroups' | 'frozenStatistics' | 'loss'>;

export interface RecordedOptions extends Pick<TrainPlan, PlanOption> {
  optimizer: Optimizer;
  /** Empty: all parameters are alike. */
  parameterGroups: readonly ParameterGroup[];
  /** Empty: batch norm takes statistics of every batch. */
  frozenStatistics: readonly string[];
  loss: Loss;
}

/**
 * Version of this format. 1: the optimizer's are among the run's (`learningRate`, `momentum`, `weightDecay`, `nesterov`), and the
 * loss is cross-entropy. 2: `optimizer` and `loss` are dicts. 3: with `parameterGroups`,
 * `frozenStatistics`, `scheduler`, `accumulate`, `maxGradientNorm`, `maxGradientValue`, `average` and `workers`, where they are not as
 * without them.
 */
const format = 3;

export function optionsDict(options: RecordedOptions, samples: number): Map<Value, Value> {
  const { optimizer, loss, parameterGroups, frozenStatistics, scheduler, average, ...others } = options;
  const { accumulate, maxGradientNorm, maxGradientValue, workers, ...usual } = others;
  const dicts = {
    ...{ optimizer: dictOf(optimizer), loss: dictOf(loss) },
    ...(accumulate > 1 && { accumulate }),
    ...(maxGradientNorm > 0 && { maxGradientNorm: new Float(maxGradientNorm) }),
    ...(maxGradientValue > 0 && { maxGradientValue: new Float(maxGradientValue) }),
    ...(average && { average: dictOf(average) }),
    ...(workers > 0 && { workers }),
    ...(parameterGroups.length > 0 && { parameterGroups: parameterGroups.map(dictOf) }),
    ...(frozenStatistics.length > 0 && { frozenStatistics: [...frozenStatistics] }),
    ...(scheduler && { scheduler: dictOf(scheduler) }),
  };
  return new Map<Value, Value>(Object.entries({ format, ...usual, ...dicts, samples }));
}

/** Options that fix the order of samples or the steps, and are written only where they are others. */
const unwritten = { workers: 0, accumulate: 1 } as const;

/** A plain object. Its numbers are floats, also where their value is an integer. */
function dictOf(member: Optimizer | Loss | ParameterGroup | Scheduler | Average): Map<Value, Value> {
  const written = (value: unknown): Value => {
    if (Array.isArray(value)) return value.map(written);
    if (typeof value === 'object' && value !== null) return dictOf(value as Optimizer);
    return typeof value === 'number' ? new Float(value) : (value as Value);
  };
  return new Map(Object.entries({ ...member }).map(([name, value]) => [name, written(value)]));
}

/** A dict as it was before it was written: plain objects and lists. */
export function plainOf(value: Value): unknown {
  if (Array.isArray(value)) return Array.from(value, plainOf);
  return value instanceof Map ? Object.fromEntries([...value].map(([name, item]) => [name, plainOf(item)])) : value;
}

/** The optimizers of a run as it was recorded, for readOptimizer(): without any where the file says nothing of them. */
export function recordedOptimizers(options: ReadonlyMap<Value, Value>): KnownOptimizers {
  const optimizer = options.get('optimizer');
  const groups = options.get('parameterGroups');
  return {
    optimizer: optimizer instanceof Map ? (Object.fromEntries(optimizer) as { kind: string }) : undefined,
    parameterGroups: Array.isArray(groups) ? recordedGroups(groups) : undefined,
  };
}

function recordedGroups(groups: readonly Value[]): readonly ParameterGroup[] {
  return checked(isParameterGroups, plainOf([...groups]), 'options.parameterGroups') as readonly ParameterGroup[];
}

/** `fromPyTorch`: what optimizer.load_state_dict() would take, which comes first: a schedule may have changed it. */
export function recordedIn(
  options: ReadonlyMap<Value, Value>,
  { optimizer: fromPyTorch, parameterGroups }: KnownOptimizers,
): Partial<RecordedOptions> {
  const { optimizer: _, parameterGroups: __, loss: ___, average: ____, scheduler: _____, ...checks } = recordedChecks;
  const known = options.get('format') ?? 1;
  checked(isNumber({ integer: true, min: 1 }), known, 'options.format');
  if ((known as number) > format) {
    throw formatError(
      `Its options have the format ${known}, and this version knows formats up to ${format}: a newer version wrote it. Resume it ` +
        'with that one',
    );
  }
  const found = Object.entries(checks).flatMap(([name, check]) => {
    const value = options.get(name);
    if (value === undefined || value === null) return [];
    return [[name, checked(check, value, `options.${name}`)]];
  });
  const optimizer = recordedOptimizerIn(options, fromPyTorch);
  const loss = options.get('loss');
  const average = options.get('average');
  const scheduler = recordedScheduler(options);
  return plain({
    ...(options.has('format') && unwritten),
    ...Object.fromEntries(found),
    ...(optimizer && { optimizer }),
    ...(parameterGroups && { parameterGroups }),
    ...(average instanceof Map && { average: recordedAverage(Object.fromEntries(average)) }),
    ...(scheduler && { scheduler }),
    ...(loss instanceof Map && { loss: recordedLossIn(loss) }),
  });
}

function recordedLossIn(dict: Value): Loss {
  try {
    return recordedLoss(plainOf(dict) as { kind?: unknown });
  } catch (cause) {
    throw formatError(messageOf(cause));
  }
}

/** undefined: the file says nothing of one. */
export function recordedScheduler(options: ReadonlyMap<Value, Value>): Scheduler | undefined {
  const value = options.get('scheduler');
  if (!(value instanceof Map)) return undefined;
  schedulers.known(value.get('kind'));
  return checked(schedulers.check, plainOf(value), 'options.scheduler') as Scheduler;
}

/** undefined: the file says nothing of one. */
function recordedOptimizerIn(
  options: ReadonlyMap<Value, Value>,
  fromPyTorch: { readonly kind: string } | undefined,
): Optimizer | undefined {
  const value = options.get('optimizer');
  const names = value instanceof Map ? [...value.keys()] : Object.keys(sgdChecks);
  const dict = value instanceof Map ? value : options;
  const given = names
    .map((name) => [name, dict.get(name)])
    .filter(([, option]) => option !== undefined && option !== null);
  const recorded: { kind?: string } = Object.fromEntries(given);
  // Python may have continued with another optimizer.
  const isOther = fromPyTorch?.kind !== undefined && fromPyTorch.kind !== (recorded.kind ?? 'sgd');
  const fields = { ...(!isOther && recorded), ...fromPyTorch };
  if (Object.keys(fields).length === 0) return undefined;
  try {
    if (recorded.kind !== undefined) optimizers.known(recorded.kind);
    return recordedOptimizer(fields);
  } catch (cause) {
    throw formatError(messageOf(cause));
  }
}

/** Runs a check of a value from a file. Returns the value, or what the check makes of it. */
export function checked(check: Check, value: unknown, name: string): unknown {
  try {
    return check(value, name) ?? value;
  } catch (cause) {
    throw formatError(messageOf(cause));
  }
}
