// Options of a scheduler, each described once: its check, its default, and its form in the state_dict() of torch.optim.lr_scheduler.
import { type Check, checkOptions, invalid, isBoolean, isListOf, isNumber, isOneOf } from '../core/checks';
import { frozen } from '../core/family';

/** When a scheduler steps: after each epoch, or after each step of the optimizer. */
export type Every = 'epoch' | 'step';

/** What a validation monitors, and whether it is to grow or to fall. */
export interface Monitor {
  readonly name: string;
  readonly grows: boolean;
}

/** A value of a state_dict(). `float`: a number that Python counts as a float, also where it is an integer. */
export type TorchState =
  | null
  | boolean
  | string
  | number
  | { readonly float: number }
  | { readonly counter: readonly number[] }
  | { readonly dict: Readonly<Record<string, TorchState>> }
  | readonly TorchState[];

/** The parameter groups whose rates a scheduler moves. */
export interface Rated {
  readonly groups: number;
  /** Whether their optimizer has betas, the first of which is then moved in the place of a momentum. */
  readonly usesBetas: boolean;
}

/** Reads a state_dict(). Each function throws, naming the entry, where it is missing or has another form. */
export interface StateReader {
  number(name: string): number;
  /** One number where all of a list are equal. */
  each(name: string): number | readonly number[];
  numbers(name: string): readonly number[];
  word(name: string): string;
  flag(name: string): boolean;
  /** What a Counter has counted, in ascending order. */
  counted(name: string): readonly number[];
  dicts(name: string): readonly StateReader[];
  /** What the parameter groups keep, as each() does. */
  kept(name: string): number | readonly number[];
  /** Those that it holds. */
  readonly schedulers: readonly { readonly kind: string; readonly every: Every }[];
  refuse(why: string): never;
}

/** What a scheduler's kind is in PyTorch. */
export interface TorchForm<Member> {
  /** Its class. */
  readonly torchName: string;
  /** Every key of its state_dict(), in PyTorch's order. */
  readonly keys: readonly string[];
  /** Those of them by which it is known. */
  readonly known: readonly string[];
  /** The entries that follow from the options; the others change from step to step. */
  readonly constants: (member: Member, rated: Rated) => Readonly<Record<string, TorchState>>;
  /** What it keeps in each parameter group that follows from the options. */
  readonly kept?: (member: Member, rated: Rated) => Readonly<Record<string, readonly number[]>>;
  readonly read: (state: StateReader, every: Every) => Member;
  /** When most step it, where that is not after each epoch. */
  readonly usualEvery?: Every;
}

/** What every LRScheduler has after its own. */
export const commonKeys = [
  ...['base_lrs', 'last_epoch', '_step_count', '_is_initial', '_get_lr_called_within_step', '_last_lr'],
] as const;

export interface SchedulerOption<Value> {
  readonly check: Check;
  /** Missing: there is no default. */
  readonly usual?: Value;
  /** Its name in the state_dict(), where it is there as it is. */
  readonly torch?: string;
  readonly write?: (value: Value) => TorchState;
  readonly read?: (state: StateReader, torch: string) => Value;
}

type NumberRange = Parameters<typeof isNumber>[0];

export function number(range: NumberRange, usual?: number): SchedulerOption<number> {
  return { check: isNumber(range), ...(usual !== undefined && { usual }) };
}

/** A number that is in the state_dict() as a float. */
export function amount(torch: string, range: NumberRange, usual?: number): SchedulerOption<number> {
  return {
    ...{ ...number(range, usual), torch, write: (value) => ({ float: value }) },
    read: (state, name) => state.number(name),
  };
}

/** A number that is there as an integer. */
export function count(torch: string, min: number, usual?: number): SchedulerOption<number> {
  return { ...amount(torch, { integer: true, min }, usual), write: (value) => value };
}

export function word<Word extends string>(words: readonly Word[], usual: Word): SchedulerOption<Word> {
  return { check: isOneOf(words), usual };
}

export const flag = (usual: boolean): SchedulerOption<boolean> => ({ check: isBoolean, usual });

export const every = (usual: Every): SchedulerOption<Every> => word(['epoch', 'step'], usual);

/** One number, or a list with one for each parameter group. */
export function perGroup(
  range: { min?: number; above?: number },
  usual?: number,
): SchedulerOption<number | readonly number[]> {
  const check: Check = (value, name) => {
    if (Array.isArray(value) && value.length > 0) return isListOf(isNumber(range))(value, name);
    return isNumber(range)(value, name);
  };
  return { check, ...(usual !== undefined && { usual }) };
}

/** The same with one for each. */
export function forEach(value: number | readonly number[], { groups }: Rated): readonly number[] {
  return typeof value === 'number' ? Array<number>(groups).fill(value) : value;
}

export const floats = (values: readonly number[]): TorchState => values.map((float) => ({ float }));

/** Integers in ascending order. `isStrict`: no two are equal. One number is a list of one. */
export function ascending(min: number, isStrict: boolean): Check {
  const list = isListOf(isNumber({ integer: true, min }));
  return (value, name) => {
    const numbers = list(typeof value === 'number' ? [value] : value, name) as number[];
    const wrong = numbers.findIndex(
      (number, i) => i > 0 && (isStrict ? number <= numbers[i - 1]! : number < numbers[i - 1]!),
    );
    if (wrong >= 0) throw invalid('numbers in ascending order', name, numbers.slice(wrong - 1, wrong + 1).join(', '));
    return numbers;
  };
}

type Described<Options> = { readonly [Name in keyof Options]: SchedulerOption<Options[Name]> };

export function schedulerOptions<Options extends object>(described: Described<Options>) {
  const entries = Object.entries(described) as [keyof Options & string, SchedulerOption<unknown>][];
  const checks = Object.fromEntries(entries.map(([name, { check }]) => [name, check]));
  return {
    /** Checks options of `caller`, and fills in defaults. */
    checked(caller: string, options: Partial<Options> | undefined): Options {
      const given = checkOptions(caller, options ?? {}, checks) as Partial<Options>;
      const values = entries.map(([name, { usual, check }]) => {
        const value = given[name] ?? usual;
        if (value === undefined) check(value, name);
        return [name, frozen(Array.isArray(value) ? [...value] : value)];
      });
      return Object.fromEntries(values) as Options;
    },
    /** Of a class whose state_dict() has each option under its name, then what all have. */
    form<Member extends Options>(
      torchName: string,
      make: (options: Options) => Member,
    ): TorchForm<Member> & Record<'make', typeof make> {
      const own = entries.filter(([, { torch }]) => torch !== undefined);
      const known = own.map(([, { torch }]) => torch!);
      return {
        ...{ make, torchName, known, keys: [...known, ...commonKeys] },
        constants: (member) => Object.fromEntries(own.map(([name, { torch, write }]) => [torch, write!(member[name])])),
        read: (state, steps) =>
          make({
            ...Object.fromEntries(own.map(([name, { torch, read }]) => [name, read!(state, torch!)])),
            every: steps,
          } as never),
      };
    },
  };
}
