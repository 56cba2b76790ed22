// Options of an optimizer, each described once: its check, its default, and its form in the state_dict() of torch.optim, where groups
// of parameters have options, and each parameter has slots, which are what the optimizer remembers of it.
import { type Check, checkOptions, invalid, isBoolean, isNumber, isPairOf, largestFloat } from '../core/checks';
import { frozen } from '../core/family';

/** `float`: a number that Python counts as a float, also where it is an integer. */
export type TorchNumber = number | { readonly float: number };

export type TorchValue = TorchNumber | boolean | null | { readonly tuple: readonly TorchNumber[] };

/** The options of a group by their names there, in PyTorch's order. */
export type TorchGroup = Readonly<Record<string, TorchValue>>;

/** Reads the options of a group. Each function throws, naming the option, where it has another form. */
export interface GroupReader {
  /** `missing`: for groups of releases that did not have it. */
  number(name: string, missing?: number): number;
  boolean(name: string, missing?: boolean): boolean;
  pair(name: string): readonly [number, number];
}

/**
 * A slot. `parameter`: a tensor of the parameter's shape; `number`: a tensor without dimensions. `optional`: a parameter's state may
 * be without it.
 */
export interface TorchSlot {
  readonly shape: 'parameter' | 'number';
  readonly optional?: boolean;
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
