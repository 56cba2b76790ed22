// Weights that a training keeps beside those that it trains, in its checkpoint: the average, as AveragedModel of
// torch.optim.swa_utils has it in its state_dict(), and the best by validation.
import { formatError } from '../checkpoint/errors';
import { TensorValue, type Value } from '../checkpoint/values';
import { isNumber } from '../core/checks';
import type { TrainStart } from '../native/plans';
import type { TensorRef } from '../native/state-plans';
import type { Model } from '../program/module';
import { checked } from './recorded-options';
import type { ValidationRecord } from './validation';

type Entry = (name: string) => Value | undefined;

/** The start of an average: of the model's parameters, from the entry `average`. */
export function averageIn(entry: Entry, { program }: Model): Pick<TrainStart, 'average' | 'averaged'> {
  const dict = entry('average');
  if (dict === undefined || dict === null) return { average: [], averaged: 0 };
  const count = dict instanceof Map ? dict.get('n_averaged') : undefined;
  if (!(dict instanceof Map && count instanceof TensorValue && count.shape.length === 0)) {
    throw formatError("Expected AveragedModel.state_dict() of torch.optim.swa_utils, with 'n_averaged', under average");
  }
  const average = program.parameters.map(({ name, shape }) =>
    tensorIn(dict, `module.${name}`, shape, `average['module.${name}']`),
  );
  const averaged = Number(count.data[0]);
  checked(isNumber({ integer: true, min: 0 }), averaged, "average['n_averaged']");
  return { average, averaged };
}

/** The best weights, from the entry `best`. */
export function bestIn(entry: Entry, { tensors }: Model): TrainStart['best'] {
  const dict = entry('best');
  if (dict === undefined || dict === null) return undefined;
  if (!(dict instanceof Map)) throw formatError('Expected a state dict under best');
  return Object.fromEntries(tensors.map(({ name, shape }) => [name, tensorIn(dict, name, shape, `best['${name}']`)]));
}

function tensorIn(dict: ReadonlyMap<Value, Value>, key: string, shape: readonly number[], where: string): TensorRef {
  const value = dict.get(key);
  if (value instanceof TensorValue && String(value.shape) === String(shape))
    return { state: value.handle, index: value.index };
  throw formatError(`Expected a tensor of shape [${shape.join(', ')}] under ${where}`);
}

/** What the entry `validation` has of earlier validations. */
export function validationIn(entry: Entry): ValidationRecord | undefined {
  const dict = entry('validation');
  if (!(dict instanceof Map)) return undefined;
  const [best, bad] = [dict.get('best') ?? null, dict.get('bad')];
  if (best !== null) checked(isNumber(), best, "validation['best']");
  checked(isNumber({ integer: true, min: 0 }), bad, "validation['bad']");
  return { best: best as number | null, bad: bad as number };
}
