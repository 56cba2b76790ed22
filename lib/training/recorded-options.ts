// The options of a run as its checkpoint records them: which, how they are written, and how those of earlier versions are read.
import { formatError } from '../checkpoint/errors';
import { Float, type Value } from '../checkpoint/values';
import { type Check, isBoolean, isNumber, isOneOf, plain } from '../core/checks';
import { messageOf } from '../core/errors';
import { type Loss, losses, recordedLoss } from '../losses';
import { isThreadCount } from '../native/device';
import type { TrainPlan } from '../native/plans';
import { type Optimizer, optimizers, recordedOptimizer } from '../optimizers';
import { sgdChecks } from '../optimizers/sgd';

/** The options that resuming takes from a checkpoint, by their names in TrainOptions. */
export const recordedChecks = {
  epochs: isNumber({ integer: true, min: 1 }),
  batchSize: isNumber({ integer: true, min: 1 }),
  shuffle: isBoolean,
  dropLast: isBoolean,
  optimizer: optimizers.check,
  loss: losses.check,
  mode: isOneOf(['exact', 'fast']),
  precision: isOneOf(['fp32', 'bf16']),
  contractLinear: isBoolean,
  seed: isNumber({ integer: true, min: 0 }),
  threads: isThreadCount,
} satisfies Record<string, Check>;

export type RecordedOptions = Pick<TrainPlan, keyof typeof recordedChecks>;

/**
 * Version of this format. 1: the optimizer's are among the run's (`learningRate`, `momentum`, `weightDecay`, `nesterov`), and the
 * loss is cross-entropy. 2: `optimizer` and `loss` are dicts.
 */
const format = 2;

export function optionsDict(options: RecordedOptions, samples: number): Map<Value, Value> {
  const { optimizer, loss, ...others } = options;
  const dicts = { optimizer: dictOf(optimizer), loss: dictOf(loss) };
  return new Map<Value, Value>(Object.entries({ format, ...others, ...dicts, samples }));
}

/** A member of a family. Its numbers are floats, also where their value is an integer. */
function dictOf(member: Optimizer | Loss): Map<Value, Value> {
  const floats = (value: string | number | boolean | readonly number[]): Value => {
    if (typeof value === 'object') return value.map((number) => new Float(number));
    return typeof value === 'number' ? new Float(value) : value;
  };
  return new Map(Object.entries({ ...member }).map(([name, value]) => [name, floats(value)]));
}

/** The kind of the recorded optimizer; undefined: the file says nothing of one. */
export function recordedKind(options: ReadonlyMap<Value, Value>): string | undefined {
  const optimizer = options.get('optimizer');
  const kind = optimizer instanceof Map ? optimizer.get('kind') : undefined;
  return typeof kind === 'string' ? kind : undefined;
}

/** `fromPyTorch`: what optimizer.load_state_dict() would take, which comes first: a schedule may have changed it. */
export function recordedIn(
  options: ReadonlyMap<Value, Value>,
  fromPyTorch: { readonly kind: string } | undefined,
): Partial<RecordedOptions> {
  const { optimizer: _, loss: __, ...checks } = recordedChecks;
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
    checked(check, value, `options.${name}`);
    return [[name, value]];
  });
  const optimizer = recordedOptimizerIn(options, fromPyTorch);
  const loss = options.get('loss');
  return plain({
    ...Object.fromEntries(found),
    ...(optimizer && { optimizer }),
    ...(loss instanceof Map && { loss: recordedLoss(Object.fromEntries(loss)) }),
  });
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

/** Runs a check of a value from a file. */
export function checked(check: Check, value: unknown, name: string): void {
  try {
    check(value, name);
  } catch (cause) {
    throw formatError(messageOf(cause));
  }
}
