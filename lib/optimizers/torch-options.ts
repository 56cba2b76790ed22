// Options of an optimizer, each described once: its check, its default, and its form in the state_dict() of torch.optim, where groups
// of parameters have options, and each parameter has slots, which are what the optimizer remembers of it.
import {
  type Check,
  checkOptions,
  invalid,
  isBoolean,
  isNumber,
  isOneOf,
  isPairOf,
  largestFloat,
} from '../core/checks';
import { frozen } from '../core/family';

/** `float`: a number that Python counts as a float, also where it is an integer. */
export type TorchNumber = number | { readonly float: number };

export type TorchValue = TorchNumber | boolean | string | null | { readonly tuple: readonly (TorchNumber | null)[] };

/** The options of a group by their names there, in PyTorch's order. */
export type TorchGroup = Readonly<Record<string, TorchValue>>;

/** Reads the options of a group. Each function throws, naming the option, where it has another form. */
export interface GroupReader {
  /** A number of at least 0. `missing`: for groups of releases that did not have it. */
  number(name: string, missing?: number): number;
  boolean(name: string, missing?: boolean): boolean;
  pair(name: string): readonly [number, number];
  /** A number of any sign. */
  signed(name: string): number;
  /** A tuple of `count` numbers of any sign, where Python may have None. */
  tuple(name: string, count: number): readonly (number | null)[];
  /** null: None. */
  word(name: string): string | null;
}

/**
 * A slot. `parameter`: a tensor of the parameter's shape; `number`: a tensor without dimensions; `rows` and `columns`: a tensor of the
 * parameter's shape but for the last axis, or the last but one, which is 1, of parameters of at least two axes; `vector`: a tensor of the
 * parameter's shape, of the other parameters. `optional`: a parameter's state may be without it.
 */
export interface TorchSlot {
  readonly shape: 'parameter' | 'number' | 'rows' | 'columns' | 'vector';
  readonly optional?: boolean;
}

/** The shape of a slot of a parameter of this shape; undefined: such a parameter does not have it. */
export function slotShape({ shape }: TorchSlot, parameter: readonly number[]): readonly number[] | undefined {
  if (shape === 'number') return [];
  if (shape === 'parameter') return parameter;
  const isVector = parameter.length < 2;
  if (isVector !== (shape === 'vector')) return undefined;
  return isVector ? parameter : parameter.with(shape === 'rows' ? -1 : -2, 1);
}

interface TorchOption<Value> {
  /** Its name in torch.optim. */
  readonly torch: string;
  readonly usual: Value;
  readonly check: Check;
  readonly write: (value: Value) => TorchValue;
  readonly read: (group: GroupReader, torch: string) => Value;
}

/** PyTorch's default may be an integer; what callers give it is a float. */
const written = (value: number, usual: number): TorchNumber =>
  value === usual && Number.isInteger(usual) ? value : { float: value };

/**
 * A number of at least 0, and at most `max`. `isInteger`: PyTorch's default is an integer. `later`: groups of the first releases do
 * not have it.
 */
export function amount(
  torch: string,
  usual: number,
  { max = largestFloat, isInteger = false, later = false } = {},
): TorchOption<number> {
  return {
    ...{ torch, usual, check: isNumber({ min: 0, max }) },
    write: (value) => (isInteger ? written(value, usual) : { float: value }),
    read: (group, name) => (later ? group.number(name, usual) : group.number(name)),
  };
}

/** A number of at most 0. */
export function negative(torch: string, usual: number): TorchOption<number> {
  return {
    ...{ torch, usual, check: isNumber({ min: -largestFloat, max: 0 }) },
    write: (value) => ({ float: value }),
    read: (group, name) => group.signed(name),
  };
}

/** An integer of `min` to `max`, which PyTorch has as one. */
export function integer(torch: string, usual: number, { min, max }: { min: number; max: number }): TorchOption<number> {
  return {
    ...{ torch, usual, check: isNumber({ integer: true, min, max }) },
    write: (value) => value,
    read: (group, name) => group.number(name),
  };
}

/** One of these words. PyTorch has None for the first, which is the default. */
export function word<const Word extends string>(torch: string, words: readonly [Word, ...Word[]]): TorchOption<Word> {
  return {
    ...{ torch, usual: words[0], check: isOneOf(words) },
    write: (value) => (value === words[0] ? null : value),
    // One that PyTorch does not know is refused with the option's name.
    read: (group, name) => (group.word(name) ?? words[0]) as Word,
  };
}

/** A number for each of `checks`. */
export function tuple<Numbers extends readonly (number | null)[]>(
  torch: string,
  usual: Numbers,
  checks: readonly Check[],
): TorchOption<Numbers> {
  const all: Check = (value, name) => {
    if (!Array.isArray(value) || value.length !== checks.length) {
      throw invalid(`an array of ${checks.length} numbers`, name, value);
    }
    return checks.map((check, i) => check(value[i], `${name}[${i}]`) ?? value[i]);
  };
  return {
    ...{ torch, usual, check: all },
    write: (numbers) => ({ tuple: numbers.map((number) => (number === null ? null : { float: number })) }),
    read: (group, name) => group.tuple(name, checks.length) as unknown as Numbers,
  };
}

/** `later`: groups of the first releases do not have it. */
export function flag(torch: string, { later = false } = {}): TorchOption<boolean> {
  return {
    ...{ torch, usual: false, check: isBoolean, write: (value: boolean) => value },
    read: (group, name) => (later ? group.boolean(name, false) : group.boolean(name)),
  };
}

export const maximize = flag('maximize', { later: true });

/** Two numbers, which the check takes one by one. `areFit`: whether they are together, which `expected` says. */
export function two(
  torch: string,
  usual: readonly [number, number],
  check: Check,
  areFit: (numbers: readonly [number, number]) => boolean = () => true,
  expected = '',
): TorchOption<readonly [number, number]> {
  const both: Check = (value, name) => {
    const numbers = isPairOf(check)(value, name) as readonly [number, number];
    if (!areFit(numbers)) throw invalid(expected, name, numbers.join(', '));
    return numbers;
  };
  return {
    ...{ torch, usual, check: both },
    write: (numbers) => ({ tuple: numbers.map((number, i) => written(number, usual[i]!)) }),
    read: (group, name) => group.pair(name),
  };
}

/** What averages keep at a step: from 0 to less than 1. */
export function betas(): TorchOption<readonly [number, number]> {
  return two('betas', [0.9, 0.999], isNumber({ min: 0, max: 1 - 2 ** -53 }));
}

/** Options of groups that choose between ways to compute the same. */
const waysToCompute: TorchGroup = { foreach: null, capturable: false, differentiable: false, fused: null };

type Described<Options> = { readonly [Name in keyof Options]: TorchOption<Options[Name]> };

/** `groupOrder`: the names of a group's options, and values of those that no option here sets. */
export function torchOptions<Options extends object>(
  described: Described<Options>,
  groupOrder: readonly (string | TorchGroup)[],
) {
  const entries = Object.entries(described) as [keyof Options & string, TorchOption<unknown>][];
  const checks = Object.fromEntries(entries.map(([name, { check }]) => [name, check]));
  const byTorchName = new Map(entries.map((entry) => [entry[1].torch, entry]));
  const valueIn = (optimizer: Options, name: string): TorchValue => {
    const entry = byTorchName.get(name);
    return entry ? entry[1].write(optimizer[entry[0]]) : waysToCompute[name]!;
  };
  return {
    checks: checks as Readonly<Record<keyof Options & string, Check>>,
    /** Checks options of `caller`, and fills in defaults. */
    checked(caller: string, options: Partial<Options>): Options {
      const given = checkOptions(caller, options, checks);
      const values = entries.map(([name, { usual }]) => [name, frozen(copied(given[name] ?? usual))]);
      return Object.fromEntries(values) as Options;
    },
    form: {
      group: (optimizer: Options): TorchGroup =>
        Object.assign(
          {},
          ...groupOrder.map((item) => (typeof item === 'string' ? { [item]: valueIn(optimizer, item) } : item)),
        ),
      options: (group: GroupReader) =>
        Object.fromEntries(entries.map(([name, { torch, read }]) => [name, read(group, torch)])) as Options,
    },
  };
}

const copied = (value: unknown) => (Array.isArray(value) ? [...value] : value);
