// Groups of parameters with options of their own, an optimizer of their own, or frozen.
//
//  1. A parameter is in the first group that has a pattern for it. Those that no group names are a group too, the first one.
//  2. A group's options replace those of its optimizer, which is the run's unless the group has one.
//  3. Groups whose optimizers are of one kind are param_groups of one optimizer in PyTorch, in their order. Several kinds are
//     several optimizers there, in the order of their first groups.
//  4. Frozen parameters are in none of these: they get no gradient, no decay and no slots.
import { type Check, checkOptions, invalid, isBoolean, isListOf, isRecord, own } from '../core/checks';
import { LearnError, messageOf } from '../core/errors';
import { frozen } from '../core/family';
import { isPatterns, matching, type Patterns } from '../core/patterns';
import { madeFrom, type Optimizer, optimizers, torchForm } from './index';

type OptionsOf<Member> = Member extends unknown ? Exclude<keyof Member, 'kind'> : never;
type ValueOf<Member, Name> = Member extends { readonly [Own in Name & string]: infer Value } ? Value : never;

/** Options of optimizers, such as `learningRate`. */
export type OptimizerOptions = { readonly [Name in OptionsOf<Optimizer>]?: ValueOf<Optimizer, Name> };

/**
 * Parameters that are trained in another way than the rest: with other options of the optimizer, such as `learningRate`, with another
 * optimizer, or not at all.
 *
 * @example
 * ```ts
 * const parameterGroups = [
 *   { parameters: 'layer1', frozen: true },
 *   { parameters: ['fc.*'], learningRate: 0.01, weightDecay: 0 },
 * ];
 * ```
 */
export interface ParameterGroup extends OptimizerOptions {
  /** Their names, or patterns: `*` stands for any text, and 'fc' also means 'fc.*'. Those of earlier groups are left out. */
  readonly parameters: Patterns;
  /** They keep their values, and nothing is computed for them in the backward pass. Default: false. */
  readonly frozen?: boolean;
  /** Default: that of the run. */
  readonly optimizer?: Optimizer;
}

/** Parameters, by their numbers in the program, and the optimizer of them, with its options. */
export interface OptimizerGroup {
  readonly optimizer: Optimizer;
  readonly parameters: readonly number[];
}

const optionNames = new Set(
  optimizers.words.flatMap((kind) => Object.keys(madeFrom(kind, {}))).filter((name) => name !== 'kind'),
);

const groupChecks: Readonly<Record<string, Check>> = {
  parameters: isPatterns,
  frozen: isBoolean,
  optimizer: optimizers.check,
  // Their values are checked by the optimizer that takes them.
  ...Object.fromEntries([...optionNames].map((name) => [name, () => undefined])),
};

const isGroup: Check = (value, name) => {
  if (!isRecord(value)) throw invalid('{ parameters, … }', name, value);
  const group = checkOptions(name, value, groupChecks) as unknown as ParameterGroup;
  isPatterns(group.parameters, `${name}.parameters`);
  const others = Object.keys(group).filter((key) => key !== 'parameters' && key !== 'frozen');
  if (group.frozen && others.length > 0) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected no "${others[0]}" in ${name}, whose parameters are frozen: leave it out, or "frozen"`,
    );
  }
  return frozen(structuredClone({ ...group }));
};

export const isParameterGroups: Check = isListOf(isGroup);

/** A parameter of a program. */
interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** The program says that no optimizer changes it. */
  readonly frozen?: true;
}

/**
 * Divides parameters among groups: `parameters`, in the order of the program. Throws ERR_INVALID_OPTION for a pattern that matches none
 * of them, for a pattern in two groups, for a group that is left without any, where all are frozen, and for options and parameters that
 * a group's optimizer does not take.
 */
export function optimizerGroups(
  parameters: readonly Parameter[],
  optimizer: Optimizer,
  groups: readonly ParameterGroup[],
): OptimizerGroup[] {
  const names = parameters.filter((parameter) => !own(parameter, 'frozen')).map(({ name }) => name);
  const owner = new Map<string, number>();
  for (const [i, group] of groups.entries()) {
    refuseRepeated(groups, i);
    const matched = namesOf(names, group, `parameterGroups[${i}].parameters`);
    const left = matched.filter((name) => !owner.has(name));
    if (left.length === 0 && matched.length > 0 && !isRest(group)) throw leftWithout(i, owner.get(matched[0]!)!);
    for (const name of left) owner.set(name, i);
  }
  const numbersOf = (group: number | undefined) =>
    parameters.flatMap((parameter, i) => (!own(parameter, 'frozen') && owner.get(parameter.name) === group ? [i] : []));
  const all = [
    { optimizer, parameters: numbersOf(undefined) },
    ...groups.flatMap((group, i) =>
      group.frozen
        ? []
        : [{ optimizer: optimizerOf(group, optimizer, `parameterGroups[${i}]`), parameters: numbersOf(i) }],
    ),
  ].filter(({ parameters }) => parameters.length > 0);
  for (const group of all) checkAxes(group, parameters);
  if (all.length > 0) return all;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    groups.length === 0
      ? 'All parameters of the model are frozen, so that there is nothing to train: export it with some that require gradients'
      : `All ${names.length} parameters are frozen by "parameterGroups", so that there is nothing to train: leave out a pattern`,
  );
}

function checkAxes({ optimizer, parameters }: OptimizerGroup, all: readonly Parameter[]): void {
  const { axes } = torchForm(optimizer);
  const other = parameters
    .map((number) => all[number]!)
    .find(({ shape }) => axes !== undefined && shape.length !== axes);
  if (!other) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected parameters of ${axes} axes for ${optimizer.kind}(), but ${other.name} has the shape [${other.shape.join(', ')}]; give ` +
      `it another optimizer, as in parameterGroups: [{ parameters: '${other.name}', optimizer: adamW() }]`,
  );
}

/** Whether it is for all that no other group names, which may be none. */
function isRest({ parameters }: ParameterGroup): boolean {
  return [parameters].flat().every((pattern) => pattern === '*');
}

function namesOf(names: readonly string[], group: ParameterGroup, option: string): string[] {
  return isRest(group) ? [...names] : matching(names, [group.parameters].flat(), { option, of: 'the model' });
}

function refuseRepeated(groups: readonly ParameterGroup[], i: number): void {
  const patterns = new Set([groups[i]!.parameters].flat());
  for (const [k, { parameters }] of groups.slice(0, i).entries()) {
    const repeated = [parameters].flat().find((pattern) => patterns.has(pattern));
    if (repeated === undefined) continue;
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected each parameter in one group, but '${repeated}' is in parameterGroups[${k}] and in parameterGroups[${i}]`,
    );
  }
}

function leftWithout(i: number, other: number): LearnError {
  return new LearnError(
    'ERR_INVALID_OPTION',
    `No parameter is left for parameterGroups[${i}], since groups before it have all of them, such as ` +
      `parameterGroups[${other}]; put it first, or leave it out`,
  );
}

function optimizerOf(group: ParameterGroup, usual: Optimizer, name: string): Optimizer {
  const { parameters: _, frozen: __, optimizer = usual, ...given } = group;
  const { kind, ...options } = optimizer;
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(options, key));
  if (unknown !== undefined) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `${name} has the option "${unknown}", which ${kind}() does not take; it takes ${Object.keys(options).join(', ')}`,
    );
  }
  if (Object.keys(given).length === 0) return optimizer;
  try {
    return madeFrom(kind, { ...options, ...given });
  } catch (cause) {
    throw new LearnError('ERR_INVALID_OPTION', `${messageOf(cause)} (in ${name})`);
  }
}

/** Throws where the groups have optimizers of several kinds, which are several in PyTorch, while a scheduler moves the rates of one. */
export function checkOneOptimizer(groups: readonly OptimizerGroup[]): void {
  const kinds = [...new Set(groups.map(({ optimizer }) => optimizer.kind))];
  if (kinds.length === 1) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected one optimizer for "scheduler", but "parameterGroups" have ${kinds.map((kind) => `${kind}()`).join(' and ')}: as in ` +
      'PyTorch, a scheduler moves the rates of one; leave it out, or give all groups the same',
  );
}

/** The kinds of all groups but frozen ones, as `groups` say, in their order. */
export function kindsOf(optimizer: Pick<Optimizer, 'kind'>, groups: readonly ParameterGroup[]): string[] {
  return groups.filter((group) => !group.frozen).map((group) => (group.optimizer ?? optimizer).kind);
}

/** Rule 3: for each optimizer of PyTorch, the positions in `kinds` of its groups. */
export function byKind(kinds: readonly string[]): number[][] {
  const lists = new Map<string, number[]>();
  for (const [i, kind] of kinds.entries()) lists.set(kind, [...(lists.get(kind) ?? []), i]);
  return [...lists.values()];
}

/** Whether two layouts give the same parameters to optimizers of the same kinds, so that one continues with the slots of the other. */
export function isSameLayout(
  a: readonly ParameterGroup[],
  b: readonly ParameterGroup[],
  optimizer: Pick<Optimizer, 'kind'>,
): boolean {
  const layout = (groups: readonly ParameterGroup[]) =>
    groups.map((group) => [[group.parameters].flat(), group.frozen ?? false, (group.optimizer ?? optimizer).kind]);
  return JSON.stringify(layout(a)) === JSON.stringify(layout(b));
}
