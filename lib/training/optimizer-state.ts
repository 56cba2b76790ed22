// Writes the state of a run's optimizers in the form of torch.optim's state_dict(). read-optimizer.ts reads it.
import { Float, type TensorValue, tupleOf, type Value } from '../checkpoint/values';
import { torchForm } from '../optimizers';
import { byKind, type OptimizerGroup } from '../optimizers/parameter-groups';
import type { TorchValue } from '../optimizers/torch-options';

/** Slots by their names in a native state: the number of a parameter in the program and the slot's own, such as "0.exp_avg". */
export type NamedSlots = readonly (readonly [name: string, tensor: TensorValue])[];

/**
 * What optimizer.load_state_dict() in Python takes, with keys in the order in which PyTorch has them; a list of these where the groups
 * have optimizers of several kinds.
 */
export function optimizerState(groups: readonly OptimizerGroup[], slots: NamedSlots): Value {
  const byParameter = new Map<number, Map<Value, Value>>();
  for (const [name, tensor] of slots) {
    const dot = name.indexOf('.');
    const number = Number(name.slice(0, dot));
    byParameter.set(number, (byParameter.get(number) ?? new Map<Value, Value>()).set(name.slice(dot + 1), tensor));
  }
  const lists = byKind(groups.map(({ optimizer }) => optimizer.kind));
  const dicts = lists.map((positions) =>
    stateDict(
      positions.map((position) => groups[position]!),
      byParameter,
    ),
  );
  return dicts.length > 1 ? dicts : dicts[0]!;
}

/** PyTorch counts parameters group by group. */
function stateDict(
  groups: readonly OptimizerGroup[],
  slots: ReadonlyMap<number, ReadonlyMap<Value, Value>>,
): Map<Value, Value> {
  const numbers = groups.flatMap(({ parameters }) => parameters);
  const state = numbers.flatMap((number, i): [Value, Value][] => {
    const own = slots.get(number);
    return own ? [[i, new Map(own)]] : [];
  });
  let first = 0;
  const written = groups.map(({ optimizer, parameters }) => {
    const params = parameters.map((_, i) => first + i);
    first += params.length;
    const options = Object.entries(torchForm(optimizer).group(optimizer)).map(([name, value]): [Value, Value] => [
      name,
      writtenValue(value),
    ]);
    return new Map<Value, Value>([...options, ['params', params]]);
  });
  return new Map<Value, Value>([
    ['state', new Map<Value, Value>(state)],
    ['param_groups', written],
  ]);
}

function writtenValue(value: TorchValue): Value {
  if (typeof value !== 'object' || value === null) return value;
  return 'float' in value ? new Float(value.float) : tupleOf(value.tuple.map(writtenValue));
}
