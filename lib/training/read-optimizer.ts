// Reads the state of optimizers in the form of torch.optim's state_dict(): one dict, or a list of them.
//
//  1. Options come from the groups of the dict, since a schedule may have changed them after the run began.
//  2. Groups do not say which parameters they have, unless Python was given names: the run's parameterGroups do.
//  3. What a dict does not say is never guessed: it is refused, with what to give.
import { formatError } from '../checkpoint/errors';
import { TensorValue, type Value } from '../checkpoint/values';
import { LearnError } from '../core/errors';
import { listed } from '../core/family';
import type { Slots } from '../native/plans';
import { madeFrom, type Optimizer, recordedOptimizer, type TorchForm, torchForms } from '../optimizers';
import { byKind, kindsOf, type OptimizerGroup, type ParameterGroup } from '../optimizers/parameter-groups';
import { type GroupReader, slotShape, type TorchSlot } from '../optimizers/torch-options';
import type { Model } from '../program/module';
import type { ProgramTensor } from '../program/program';
import { type Dict, foreignKey, optimizerNames, shown } from './optimizer-names';

/** What is known of a run's optimizers besides their dicts. */
export interface KnownOptimizers {
  /** Of the run, as recorded or given, with its options. */
  readonly optimizer?: { readonly kind: string } | undefined;
  readonly parameterGroups?: readonly ParameterGroup[] | undefined;
}

export interface ReadOptimizer {
  /** Of the parameters that no group names, as its dict has it; undefined: there is no dict, or no such parameter. */
  optimizer: { readonly kind: string } | undefined;
  /** With the options of their dicts; undefined: all parameters are in one group, or there is no dict. */
  parameterGroups: readonly ParameterGroup[] | undefined;
  /** By the numbers of the model's parameters. Throws where the dicts divide them otherwise than `groups`. */
  slotsOf(model: Model, groups: readonly OptimizerGroup[]): Slots[];
}

interface ReadGroup {
  readonly kind: string;
  readonly options: object;
  /** The keys of its parameters in the dict's states. */
  readonly params: readonly Value[];
  /** Names of the parameters, where Python was given them. */
  readonly names: readonly Value[] | undefined;
}

interface ReadDict {
  readonly form: TorchForm;
  readonly groups: readonly ReadGroup[];
  readonly states: Dict;
}

/** Throws where the dict is of an optimizer that the family does not have, or that would continue differently here. */
export function readOptimizer(value: Value | undefined, known: KnownOptimizers = {}): ReadOptimizer {
  if (value === undefined || value === null) {
    return { optimizer: undefined, parameterGroups: undefined, slotsOf: () => [] };
  }
  const kinds = [known.optimizer?.kind, ...(known.parameterGroups ?? []).map((group) => group.optimizer?.kind)];
  const dicts = (Array.isArray(value) ? value : [value]).map((dict) => readDict(dict, kinds));
  const { parameterGroups } = known;
  const found = parameterGroups ? knownGroups(dicts, known, parameterGroups) : ownGroups(dicts);
  return { ...found, slotsOf: (model, groups) => slotsOf(dicts, model, groups) };
}

function readDict(value: Value, kinds: readonly (string | undefined)[]): ReadDict {
  const groups = groupsOf(value instanceof Map ? value.get('param_groups') : undefined);
  const states = value instanceof Map ? value.get('state') : undefined;
  if (!groups || !(states instanceof Map)) throw formatError('Expected optimizer.state_dict() under optimizer');
  const form = formOf(groups, [...states.values()].filter((state) => state instanceof Map) as Dict[], kinds);
  const read = groups.map((group): ReadGroup => {
    const params = group.get('params') as Value[];
    const names = group.get('param_names');
    return {
      ...{ kind: form.kind, options: form.options(readerOf(group, form)), params },
      names: Array.isArray(names) && names.length === params.length ? names : undefined,
    };
  });
  return { form, groups: read, states };
}

/** The groups of the run, with the options that the dicts have of them. */
function knownGroups(
  dicts: readonly ReadDict[],
  { optimizer }: KnownOptimizers,
  groups: readonly ParameterGroup[],
): Pick<ReadOptimizer, 'optimizer' | 'parameterGroups'> {
  const kind = optimizer?.kind ?? dicts[0]!.form.kind;
  const kinds = kindsOf({ kind } as Optimizer, groups);
  const found = [[kind, ...kinds], kinds].map((all) => inOrder(dicts, all)).find((list) => list !== undefined);
  // Another number of groups: all parameters may be in those that were given. slotsOf() knows the model.
  if (!found) return { optimizer: undefined, parameterGroups: groups };
  const [rest, own] = found.length > kinds.length ? [found[0], found.slice(1)] : [undefined, found];
  const usual: object = rest?.options ?? optimizer ?? {};
  let next = 0;
  const read = groups.map((group): ParameterGroup => {
    if (group.frozen) return group;
    const { kind: ownKind, options } = own[next++]!;
    const { parameters } = group;
    if (group.optimizer) return { parameters, optimizer: madeOf(ownKind, options) };
    // Options that the group only shares with the others stay theirs.
    const changed = Object.entries(options).filter(
      ([name, option]) => Object.hasOwn(group, name) || String(option) !== String(Reflect.get(usual, name)),
    );
    return { parameters, ...Object.fromEntries(changed) };
  });
  // Of a file of Python's, whatever the run's optimizer is: all parameters are in groups.
  const base = rest ?? (optimizer ? undefined : dicts[0]!.groups[0]!);
  return { optimizer: base && { kind: base.kind, ...base.options }, parameterGroups: read };
}

const madeOf = (kind: string, options: object): Optimizer => recordedOptimizer({ kind, ...options });

/** The groups of the dicts in the order of these kinds; undefined: these are other groups. */
function inOrder(dicts: readonly ReadDict[], kinds: readonly string[]): ReadGroup[] | undefined {
  const lists = byKind(kinds);
  const fits = dicts.length === lists.length && dicts.every(({ groups }, i) => groups.length === lists[i]!.length);
  if (!fits) return undefined;
  const groups: ReadGroup[] = [];
  for (const [i, positions] of lists.entries()) {
    for (const [k, position] of positions.entries()) groups[position] = dicts[i]!.groups[k]!;
  }
  return groups.every(({ kind }, i) => kind === kinds[i]) ? groups : undefined;
}

/** The groups that the dicts themselves describe. */
function ownGroups(dicts: readonly ReadDict[]): Pick<ReadOptimizer, 'optimizer' | 'parameterGroups'> {
  const [first, ...more] = dicts.flatMap(({ groups }) => groups);
  const optimizer = { kind: first!.kind, ...first!.options };
  if (more.length === 0) return { optimizer, parameterGroups: undefined };
  const groups = [first!, ...more].map(({ kind, options, names }): ParameterGroup => {
    if (!names) {
      throw refusal(
        `it has ${more.length + 1} parameter groups, and does not say which of the model's parameters are in which; give the ` +
          'option "parameterGroups" that they were made by',
      );
    }
    return { parameters: names.map(String), optimizer: madeOf(kind, options) };
  });
  return { optimizer, parameterGroups: [...groups, { parameters: ['*'], frozen: true }] };
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

/** The member of the family that this is the state of. `kinds`: of the run, where the dict leaves a choice. */
function formOf(groups: readonly Dict[], states: readonly Dict[], kinds: readonly (string | undefined)[]): TorchForm {
  const names = optimizerNames(groups, states);
  const fitting = torchForms.filter(({ torchName }) => names.includes(torchName));
  const form = fitting.length > 1 ? fitting.find(({ kind }) => kinds.includes(kind)) : fitting[0];
  const text = `it is torch.optim.${listed(names)}`;
  if (fitting.length === 0) {
    throw refusal(`${text}, and only ${listed(torchForms.map(({ torchName }) => torchName))} is resumed`);
  }
  if (!form) {
    throw refusal(`${text}, and does not say which: give the option "optimizer", made by the function of that name`);
  }
  const keys = Object.keys(form.group(madeFrom(form.kind, {})));
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
  // lr and betas may be tensors of one element, whose values count.
  const plainOf = (value: Value) =>
    value instanceof TensorValue && value.shape.every((size) => size === 1) ? Number(value.data[0]) : value;
  const numberIn = (value: Value, name: string, { min = 0 } = {}): number => {
    const number = plainOf(value);
    if (typeof number === 'number' && number >= min) return number;
    throw refusal(`${name} is ${shown(value)}, not a number${min === 0 ? ' of at least 0' : ''}`);
  };
  const ofAnySign = { min: -Infinity };
  return {
    number: (name, missing) => numberIn(given(name, missing), name),
    boolean: (name, missing) => given(name, missing) === true,
    pair: (name) => {
      const value = given(name);
      if (!Array.isArray(value) || value.length !== 2) throw refusal(`${name} is ${shown(value)}, not two numbers`);
      return [numberIn(value[0]!, name), numberIn(value[1]!, name)];
    },
    signed: (name) => numberIn(given(name), name, ofAnySign),
    tuple: (name, count) => {
      const value = given(name);
      if (!Array.isArray(value) || value.length !== count)
        throw refusal(`${name} is ${shown(value)}, not ${count} numbers`);
      return value.map((item) => (item === null ? null : numberIn(item, name, ofAnySign)));
    },
    word: (name) => {
      const value = group.get(name) ?? null;
      if (value === null || typeof value === 'string') return value;
      throw refusal(`${name} is ${shown(value)}, not a word`);
    },
  };
}

function slotsOf(dicts: readonly ReadDict[], model: Model, groups: readonly OptimizerGroup[]): Slots[] {
  const { parameters } = model.program;
  const found = inOrder(
    dicts,
    groups.map(({ optimizer }) => optimizer.kind),
  );
  if (!found) {
    throw refusal(
      `its parameter groups are ${textOf(dicts.flatMap((dict) => dict.groups))}, and those of the run are ` +
        textOf(groups.map(({ optimizer, parameters }) => ({ kind: optimizer.kind, params: parameters }))),
    );
  }
  const slots = parameters.map((): Slots => ({}));
  for (const [i, group] of groups.entries()) {
    const { kind } = group.optimizer;
    const { form, states } = dicts.find((dict) => dict.form.kind === kind)!;
    const keys = keysOf(found[i]!, group, model, groups.length);
    for (const [k, number] of group.parameters.entries()) {
      const state = states.get(keys[k]!);
      if (state instanceof Map) slots[number] = slotsIn(state, parameters[number]!, form);
    }
  }
  return slots;
}

const textOf = (groups: readonly { readonly kind: string; readonly params: readonly unknown[] }[]) =>
  groups.map(({ kind, params }) => `${kind}() of ${params.length}`).join(', ');

/** The keys of a group's parameters in the dict, in the order of `group`: by their names, where the dict has them, else in its order. */
function keysOf(
  { params, names }: ReadGroup,
  group: OptimizerGroup,
  { name, program: { parameters } }: Model,
  groups: number,
): readonly Value[] {
  const wanted = group.parameters.map((number) => parameters[number]!.name);
  const byName = new Map(names?.map((one, i) => [one, params[i]!]));
  // Python counts frozen parameters too, where its optimizer was given all.
  const isOfAll = groups === 1 && params.length === parameters.length;
  const fits = params.length === wanted.length || isOfAll;
  if (fits && wanted.every((one) => byName.has(one))) return wanted.map((one) => byName.get(one)!);
  if (params.length === wanted.length) return params;
  if (isOfAll) return group.parameters.map((number) => params[number]!);
  const trained = wanted.length === parameters.length ? '' : ` and ${wanted.length} of them are in this group`;
  const hint =
    wanted.length === parameters.length && params.length < wanted.length
      ? '; give "parameterGroups" that freeze the others, if it was made without them'
      : '';
  throw refusal(`it has ${params.length} parameters, but ${name} has ${parameters.length}${trained}${hint}`);
}

function slotsIn(state: Dict, parameter: ProgramTensor, { slots, torchName }: TorchForm): Slots {
  if (state.size === 0) return {};
  const found: Slots = {};
  for (const [name, slot] of Object.entries<TorchSlot>(slots)) {
    const value = state.get(name);
    const wanted = slotShape(slot, parameter.shape);
    if (value === undefined || value === null) {
      if (slot.optional || !wanted) continue;
      throw refusal(`torch.optim.${torchName} keeps ${name} of each parameter, which is missing of ${parameter.name}`);
    }
    if (!wanted)
      throw refusal(`${parameter.name} of shape [${parameter.shape.join(', ')}] has a ${name}, which is of others`);
    // Releases before 1.12 kept the number of steps as an integer.
    if (slot.shape === 'number' && typeof value === 'number') found[name] = value;
    else if (value instanceof TensorValue && String(value.shape) === String(wanted))
      found[name] = { state: value.handle, index: value.index };
    else throw refusal(`expected ${name} of shape [${wanted.join(', ')}] for ${parameter.name}`);
  }
  return found;
}
