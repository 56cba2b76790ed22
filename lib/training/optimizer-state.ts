// Writes the state of a run's optimizers in the form of torch.optim's state_dict(). read-optimizer.ts reads it.
import { Float, type TensorValue, tupleOf, type Value } from '../checkpoint/values';
import type { GroupRates } from '../native/rates';
import { type Optimizer, torchForm } from '../optimizers';
import { byKind, type OptimizerGroup } from '../optimizers/parameter-groups';
import type { TorchValue } from '../optimizers/torch-options';

/** Slots by their names in a native state: the number of a parameter in the program and the slot's own, such as "0.exp_avg". */
export type NamedSlots = readonly (readonly [name: string, tensor: TensorValue])[];

/**
 * What optimizer.load_state_dict() in Python takes, with keys in the order in which PyTorch has them; a list of these where the groups
 * have optimizers of several kinds. `rates`: of the groups, where they are others than their options say.
 */
export function optimizerState(
  groups: readonly OptimizerGroup[],
  slots: NamedSlots,
  rates: readonly GroupRates[] = [],
): Value {
  const byParameter = new Map<number, Map<Value, Value>>();
  for (const [name, tensor] of slots) {
    const dot = name.indexOf('.');
    const number = Number(name.slice(0, dot));
    byParameter.set(number, (byParameter.get(number) ?? new Map<Value, Value>()).set(name.slice(dot + 1), tensor));
  }
  const lists = byKind(groups.map(({ optimizer }) => optimizer.kind));
  const dicts = lists.map((positions) =>
    stateDict(
      positions.map((position) => ({ ...groups[position]!, rates: rates[position] })),
      byParameter,
    ),
  );
  return dicts.length > 1 ? dicts : dicts[0]!;
}

/** PyTorch counts parameters group by group. */
function stateDict(
  groups: readonly (OptimizerGroup & { readonly rates: GroupRates | undefined })[],
  slots: ReadonlyMap<number, ReadonlyMap<Value, Value>>,
): Map<Value, Value> {
  const numbers = groups.flatMap(({ parameters }) => parameters);
  const state = numbers.flatMap((number, i): [Value, Value][] => {
    const own = slots.get(number);
    return own ? [[i, new Map(own)]] : [];
  });
  let first = 0;
  const written = groups.map(({ optimizer, parameters, rates }) => {
    const params = parameters.map((_, i) => first + i);
    first += params.length;
    const options = Object.entries(torchForm(optimizer).group(withRates(optimizer, rates))).map(
      ([name, value]): [Value, Value] => [name, writtenValue(value)],
    );
    const kept = Object.entries(rates?.kept ?? {}).map(([name, value]): [Value, Value] => [name, new Float(value)]);
    return new Map<Value, Value>([...options, ...kept, ['params', params]]);
  });
  return new Map<Value, Value>([
    ['state', new Map<Value, Value>(state)],
    ['param_groups', written],
  ]);
}

function withRates(optimizer: Optimizer, rates: GroupRates | undefined): Optimizer {
  if (!rates) return optimizer;
  const { learningRate, momentum, beta1 } = rates;
  const { betas } = optimizer as { betas?: readonly [number, number] };
  return {
    ...{ ...optimizer, learningRate },
    ...(momentum !== undefined && { momentum }),
    ...(beta1 !== undefined && betas && { betas: [beta1, betas[1]] }),
  } as Optimizer;
}

function writtenValue(value: TorchValue): Value {
  if (typeof value !== 'object' || value === null) return value;
  return 'float' in value ? new Float(value.float) : tupleOf(value.tuple.map(writtenValue));
}
