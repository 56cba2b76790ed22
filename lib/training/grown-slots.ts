// Slots of optimizers in a training checkpoint, of a layer whose rows grow. For extend-classes.ts.
import { TensorValue, unboxed, type Value } from '../checkpoint/values';
import { LearnError } from '../core/errors';
import { recordedOptimizer, torchForms } from '../optimizers';
import { byKind, optimizerGroups } from '../optimizers/parameter-groups';
import { slotShape, type TorchSlot } from '../optimizers/torch-options';
import type { Classifier } from './classifier';
import { dictsIn, type Grown } from './grown-rows';
import type { Dict } from './optimizer-names';
import { recordedOptimizers } from './recorded-options';

interface Growth extends Classifier {
  /** All parameters of the model, in their order. */
  parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  classes: number;
}

/** The slots of the layer in every optimizer.state_dict() inside `root`, each once. */
export function grownSlots(root: Value, growth: Growth): Grown[] {
  const layouts = recordedLayouts(root, growth.parameters);
  const optimizers = dictsIn(root).filter(
    (dict) => Array.isArray(dict.get('param_groups')) && dict.get('state') instanceof Map,
  );
  const slots = optimizers.flatMap((optimizer) => slotsOf(optimizer, growth, layouts.get(optimizer)));
  return [...new Map(slots.map((slot) => [slot.tensor, slot])).values()];
}

/** For each optimizer of a run of this library, the names of its parameters in the order of its dict, which parameterGroups decide. */
function recordedLayouts(
  root: Value,
  parameters: Growth['parameters'],
): ReadonlyMap<Value | undefined, readonly string[]> {
  const options = unboxed((root instanceof Map ? root.get('options') : undefined) ?? null);
  const { optimizer, parameterGroups } = options instanceof Map ? recordedOptimizers(options) : {};
  if (!(root instanceof Map) || !optimizer || !parameterGroups) return new Map();
  const groups = optimizerGroups(parameters, recordedOptimizer(optimizer), parameterGroups);
  const dicts: readonly (Value | undefined)[] = [root.get('optimizer')].flat();
  const lists = byKind(groups.map((group) => group.optimizer.kind));
  return new Map(
    lists.map((positions, i) => [
      dicts[i],
      positions.flatMap((position) => groups[position]!.parameters.map((number) => parameters[number]!.name)),
    ]),
  );
}

/**
 * The options of a run between two epochs, as this library records them, without the number of samples: more classes come with other
 * data. undefined: there are none.
 */
export function optionsForNewData(root: Value): [old: Value, now: Value] | undefined {
  const options = root instanceof Map && root.get('step') === 0 ? root.get('options') : undefined;
  if (!(options instanceof Map) || !options.has('samples')) return undefined;
  return [options, new Map([...options].filter(([key]) => key !== 'samples'))];
}

function slotsOf(optimizer: Dict, growth: Growth, layout: readonly string[] | undefined): Grown[] {
  const states = optimizer.get('state') as Dict;
  if (states.size === 0) return [];
  const groups = (optimizer.get('param_groups') as Value[]).filter((group) => group instanceof Map) as Dict[];
  const { weight, bias, old, features } = growth;
  const wanted = [
    { name: weight, shape: [old, features] },
    ...(bias === undefined ? [] : [{ name: bias, shape: [old] }]),
  ];
  return wanted.flatMap(({ name, shape }) => {
    const key = keyOf(name, shape, groups, states, growth.parameters, layout);
    const state = states.get(key);
    const group = groups.find((one) => listIn(one, 'params').includes(key));
    return state instanceof Map ? slotsIn(state, group ?? new Map(), name, shape, growth.classes) : [];
  });
}

function slotsIn(state: Dict, group: Dict, name: string, shape: readonly number[], classes: number): Grown[] {
  return [...state].flatMap(([slot, tensor]) => {
    if (!(tensor instanceof TensorValue) || tensor.shape.length === 0) return [];
    if (!isOfParameter(slot, tensor, shape))
      throw refusal(
        `what it remembers of ${name} as ${String(slot)} has the shape [${tensor.shape.join(', ')}]. Save the checkpoint without it`,
      );
    // An average over all rows is that of the old ones, until the new ones have gradients.
    if (slotNamed(slot).shape === 'columns') return [];
    const init = { kind: 'constant', value: valueOfNew(String(slot), group) } as const;
    return [{ tensor, plan: { name, state: tensor.handle, index: tensor.index, rows: classes, init } }];
  });
}

const knownSlots = new Map<Value, TorchSlot>(torchForms.flatMap(({ slots }) => Object.entries(slots)));
const slotNamed = (slot: Value): TorchSlot => knownSlots.get(slot) ?? { shape: 'parameter' };

/** Whether this may be the slot of a parameter of this shape. */
function isOfParameter(slot: Value, { shape }: TensorValue, parameter: readonly number[]): boolean {
  return [parameter, slotShape(slotNamed(slot), parameter)].some((wanted) => String(wanted) === String(shape));
}

/** What torch.optim begins a slot of a new parameter with: of Adagrad and Rprop it is an option, of all others 0. */
function valueOfNew(slot: string, group: Dict): number {
  const option = { sum: 'initial_accumulator_value', step_size: 'lr' }[slot];
  const value = option === undefined ? 0 : unboxed(group.get(option) ?? 0);
  const number = value instanceof TensorValue && value.shape.length === 0 ? Number(value.data[0]) : value;
  return typeof number === 'number' ? number : 0;
}

/**
 * The key of a parameter in the optimizer's state: by its name, where the optimizer or `layout` has them, else by its number among all
 * parameters, else by its shape, where no other parameter has that. null: the optimizer remembers nothing of it.
 */
function keyOf(
  name: string,
  shape: readonly number[],
  groups: readonly Dict[],
  states: Dict,
  parameters: Growth['parameters'],
  layout: readonly Value[] | undefined,
): Value {
  const keys = groups.flatMap((group) => listIn(group, 'params'));
  const named = groups.flatMap((group) => listIn(group, 'param_names'));
  if (named.length === keys.length && named.includes(name)) return keys[named.indexOf(name)]!;
  if (layout?.length === keys.length) return layout.includes(name) ? keys[layout.indexOf(name)]! : null;
  if (groups.length === 1 && keys.length === parameters.length)
    return keys[parameters.findIndex((parameter) => parameter.name === name)]!;
  const isAlike = (other: { readonly shape: readonly number[] }) => String(other.shape) === String(shape);
  // Factors are of several shapes, each alone may be another parameter's.
  const isOfShape = (state: Value | undefined) => {
    const slots = state instanceof Map ? ([...state] as [Value, Value][]) : [];
    const tensors = slots.flatMap(([slot, tensor]) =>
      tensor instanceof TensorValue && tensor.shape.length > 0 ? [{ slot, tensor }] : [],
    );
    const isFactored = tensors.some(({ slot }) => slotNamed(slot).shape === 'columns');
    const fits = ({ slot, tensor }: (typeof tensors)[number]) => isOfParameter(slot, tensor, shape);
    return isFactored ? tensors.every(fits) : tensors.some(fits);
  };
  const key = keys.find((one) => isOfShape(states.get(one))) ?? null;
  const alike = parameters.filter(isAlike).length;
  if (key === null || alike === 1) return key;
  throw refusal(
    `it has ${groups.length === 1 ? 'one group of some parameters' : `${groups.length} parameter groups`} without names, and ${alike} ` +
      `parameters have the shape [${shape.join(', ')}] of ${name}. Save one that has names, as of SGD(model.named_parameters()), or the ` +
      'checkpoint without it',
  );
}

function listIn(group: Dict, name: string): readonly Value[] {
  const list = group.get(name);
  return Array.isArray(list) ? list : [];
}

function refusal(why: string): LearnError {
  return new LearnError('ERR_STATE_MISMATCH', `The optimizer of the checkpoint cannot get more classes: ${why}`);
}
