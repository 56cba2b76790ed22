// The state of an optimizer in the form of torch.optim's state_dict(), written and read.
import { formatError } from '../checkpoint/errors';
import { Float, TensorValue, tupleOf, type Value } from '../checkpoint/values';
import { LearnError } from '../core/errors';
import { listed } from '../core/family';
import type { Slots } from '../native/plans';
import { type Optimizer, type TorchForm, torchForm, torchForms } from '../optimizers';
import type { GroupReader, TorchSlot, TorchValue } from '../optimizers/torch-options';
import type { Model } from '../program/module';
import type { ProgramTensor } from '../program/program';
import { type Dict, foreignKey, optimizerNames, shown } from './optimizer-names';

/**
 * What optimizer.load_state_dict() in Python takes: keys in the order in which PyTorch has them. `slots`: by their names in a native
 * state, such as "0.exp_avg".
 */
export function optimizerState(
  { program }: Model,
  optimizer: Optimizer,
  slots: readonly (readonly [name: string, tensor: TensorValue])[],
): Value {
  const options = Object.entries(torchForm(optimizer).group(optimizer)).map(([name, value]): [Value, Value] => [
    name,
    writtenValue(value),
  ]);
  const params = program.parameters.map((_, index) => index);
  const state = new Map<Value, Map<Value, Value>>();
  for (const [name, tensor] of slots) {
    const dot = name.indexOf('.');
    const number = Number(name.slice(0, dot));
    state.set(number, (state.get(number) ?? new Map<Value, Value>()).set(name.slice(dot + 1), tensor));
  }
  return new Map<Value, Value>([
    ['state', state],
    ['param_groups', [new Map<Value, Value>([...options, ['params', params]])]],
  ]);
}

function writtenValue(value: TorchValue): Value {
  if (typeof value !== 'object' || value === null) return value;
  return 'float' in value ? new Float(value.float) : tupleOf(value.tuple.map(writtenValue));
}

export interface ReadOptimizer {
  /** As they are recorded, with the kind; undefined: there is no optimizer in the file. */
  optimizer: { readonly kind: string } | undefined;
  /** By the numbers of the model's parameters. */
  slotsOf(model: Model): Slots[];
}

/**
 * Understands the state_dict() of an optimizer that the family has, of one group of parameters or of several with equal options whose
 * names it has. `kind`: of the one that it is where its groups do not say. Throws where it is another one, or would continue
 * differently here.
 */
export function readOptimizer(value: Value | undefined, kind?: string): ReadOptimizer {
  if (value === undefined || value === null) return { optimizer: undefined, slotsOf: () => [] };
  const groups = groupsOf(value instanceof Map ? value.get('param_groups') : undefined);
  const states = value instanceof Map ? value.get('state') : undefined;
  if (!groups || !(states instanceof Map)) throw formatError('Expected optimizer.state_dict() under optimizer');
  const form = formOf(groups, [...states.values()].filter((state) => state instanceof Map) as Dict[], kind);
  const [first, ...more] = groups.map((group) => form.options(readerOf(group, form)) as Record<string, unknown>);
  for (const [i, options] of more.entries()) {
    const name = Object.keys(options).find((key) => String(options[key]) !== String(first![key]));
    if (name !== undefined)
      throw refusal(
        `it has ${groups.length} parameter groups of different options (${name} is ${first![name]} in group 0, ` +
          `${options[name]} in group ${i + 1}), and here all parameters have the same`,
      );
  }
  return { optimizer: { kind: form.kind, ...first }, slotsOf: (model) => slotsOf(model, groups, states, form) };
}

function refusal(what: string): LearnError {
  return new LearnError(
    'ERR_STATE_MISMATCH',
    `its optimizer cannot be resumed: ${what}. To train its weights with a new optimizer, pass the path as the source ` +
      'instead of "resume"',
  );
}

function groupsOf(value: Value | undefined): Dict[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.every((group) => group instanceof Map && Array.isArray(group.get('params')))
    ? (value as Dict[])
    : undefined;
}

/** The member of the family that this is the state of. */
function formOf(groups: readonly Dict[], states: readonly Dict[], kind: string | undefined): TorchForm {
  const names = optimizerNames(groups, states);
  const fitting = torchForms.filter(({ torchName }) => names.includes(torchName));
  const form = fitting.length > 1 ? fitting.find((one) => one.kind === kind) : fitting[0];
  const text = `it is torch.optim.${listed(names)}`;
  if (fitting.length === 0) {
    throw refusal(`${text}, and only ${listed(torchForms.map(({ torchName }) => torchName))} is resumed`);
  }
  if (!form) {
    throw refusal(`${text}, and does not say which: give the option "optimizer", made by the function of that name`);
  }
  const keys = Object.keys(form.group(form.make()));
  const foreign = groups.map((group) => foreignKey(group, keys)).find((key) => key !== undefined);
  if (foreign !== undefined) {
    throw refusal(`it is not torch.optim.${form.torchName}, whose groups do not have ${shown(foreign)}`);
  }
  const other = states.flatMap((state) => [...state.keys()]).find((key) => !Object.hasOwn(form.slots, String(key)));
  if (other === undefined) return form;
  throw refusal(`it is not torch.optim.${form.torchName}, which does not keep ${shown(other)}`);
}

function readerOf(group: Dict, { torchName }: TorchForm): GroupReader {
  const given = (name: string, missing?: Value): Value => {
    const value = group.get(name);
    if (value !== undefined && value !== null) return value;
    if (missing !== undefined) return missing;
    throw refusal(`it is not torch.optim.${torchName}: its group does not have ${name}`);
  };
  // lr and betas may be tensors without dimensions, whose values count.
  const plainOf = (value: Value) =>
    value instanceof TensorValue && value.shape.length === 0 ? Number(value.data[0]) : value;
  const numberIn = (value: Value, name: string): number => {
    const number = plainOf(value);
    if (typeof number === 'number' && number >= 0) return number;
    throw refusal(`${name} is ${shown(value)}, not a number of at least 0`);
  };
  return {
    number: (name, missing) => numberIn(given(name, missing), name),
    boolean: (name, missing) => given(name, missing) === true,
    pair: (name) => {
      const value = given(name);
      if (!Array.isArray(value) || value.length !== 2) throw refusal(`${name} is ${shown(value)}, not two numbers`);
      return [numberIn(value[0]!, name), numberIn(value[1]!, name)];
    },
  };
}

function slotsOf(
  { name, program: { parameters } }: Model,
  groups: readonly Dict[],
  states: Dict,
  form: TorchForm,
): Slots[] {
  const params = orderOf(
    groups,
    parameters.map((parameter) => parameter.name),
  );
  if (params.length !== parameters.length)
    throw refusal(`it has ${params.length} parameters, but ${name} has ${parameters.length}`);
  return params.map((param, i) => {
    const state = states.get(param);
    return state instanceof Map ? slotsIn(state, parameters[i]!, form) : {};
  });
}

function slotsIn(state: Dict, parameter: ProgramTensor, { slots, torchName }: TorchForm): Slots {
  if (state.size === 0) return {};
  const found: Slots = {};
  for (const [name, { shape, optional }] of Object.entries<TorchSlot>(slots)) {
    const value = state.get(name);
    if (value === undefined || value === null) {
      if (optional) continue;
      throw refusal(`torch.optim.${torchName} keeps ${name} of each parameter, which is missing of ${parameter.name}`);
    }
    const wanted = shape === 'number' ? [] : parameter.shape;
    // Releases before 1.12 kept the number of steps as an integer.
    if (shape === 'number' && typeof value === 'number') found[name] = value;
    else if (value instanceof TensorValue && String(value.shape) === String(wanted))
      found[name] = { state: value.handle, index: value.index };
    else throw refusal(`expected ${name} of shape [${wanted.join(', ')}] for ${parameter.name}`);
  }
  return found;
}

/**
 * The keys under which the optimizer keeps the states of the parameters called `names`: by their names, where it has them, as
 * of SGD(model.named_parameters()), else in the order of the one group.
 */
function orderOf(groups: readonly Dict[], names: readonly string[]): readonly Value[] {
  const params = groups.flatMap((group) => group.get('params') as Value[]);
  const given = groups.flatMap((group) => (group.get('param_names') ?? []) as Value[]);
  const byName = new Map(given.map((name, i) => [name, params[i]!]));
  if (given.length === params.length && names.every((name) => byName.has(name)) && byName.size === names.length)
    return names.map((name) => byName.get(name)!);
  if (groups.length === 1) return params;
  throw refusal(
    `it has ${groups.length} parameter groups, and does not say which of the model's parameters are in which`,
  );
}
