// Types of commands: name, options and action. Each command exports a definition; main.ts lists them.
import type { Check } from '../core/checks';
import type { Terminal } from './terminal';

/** An option whose value has the type T. Its flag is its key in kebab-case, so that flags and options of the API agree. */
export interface Option<T> {
  readonly kind: 'number' | 'text' | 'switch';
  readonly help: string;
  /** Placeholder of the value in the help. */
  readonly value?: string;
  readonly check?: Check;
  /** A shorter flag, which is also accepted and is shown in the help. */
  readonly short?: string;
  /** A flag of one letter, which is also accepted: -o. */
  readonly letter?: string;
  /** The flag is --no-name and sets false. */
  readonly negated?: boolean;
  /** Never set: it only carries the type. */
  readonly type?: T;
}

type Extra = Pick<Option<unknown>, 'check' | 'short' | 'letter'>;

export function number(value: string, help: string, extra: Extra = {}): Option<number> {
  return { kind: 'number', value, help, ...extra };
}

/** A number, or one of the words that the check accepts. */
export function numberOr<Word extends string>(value: string, help: string, extra: Extra): Option<number | Word> {
  return { kind: 'number', value, help, ...extra };
}

export function text<T extends string = string>(value: string, help: string, extra: Extra = {}): Option<T> {
  return { kind: 'text', value, help, ...extra };
}

/** --name sets true. */
export function on(help: string): Option<boolean> {
  return { kind: 'switch', help };
}

/** --no-name sets false. */
export function off(help: string): Option<boolean> {
  return { kind: 'switch', help, negated: true };
}

export type Options = Readonly<Record<string, Option<unknown>>>;

/** The options on the command line, without defaults, which the API sets. */
export type Given<O extends Options> = { [Name in keyof O]?: O[Name] extends Option<infer T> ? T : never };

export interface Context {
  terminal: Terminal;
  /** Aborted when the user interrupts. */
  signal: AbortSignal;
  /** The arguments after the first, of a command that takes several. */
  more: readonly string[];
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One paragraph or more, with lines of at most 80 characters. */
  readonly description: string;
  /** The argument besides the options, such as 'checkpoint'. */
  readonly argument?: string;
  /** Whether there may be several, of which run() receives the others in its context. */
  readonly argumentIsRepeated?: boolean;
  /** If it is missing, run() receives ''. */
  readonly argumentIsOptional?: boolean;
  /** The option that replaces the argument. */
  readonly insteadOfArgument?: keyof O & string;
  readonly options: O;
  readonly examples: readonly string[];
  /** Returns the exit code. */
  run(argument: string, options: Given<O>, context: Context): Promise<number>;
}

/** A command in a list. It is loaded when it is called. */
export interface Listed {
  readonly name: string;
  readonly summary: string;
  /** Exit code if it fails. Default 1. */
  readonly failed?: number;
  load(): Promise<{ command: Command | CommandGroup }>;
}

/** A command with subcommands, such as `libtorch install`. */
export interface CommandGroup {
  readonly name: string;
  readonly description: string;
  /** Subcommands. The commands themselves have names of two words. */
  readonly commands: readonly Listed[];
}

/** Fixes the types of a command's options. */
export function command<O extends Options>(definition: Command<O>): Command {
  return definition as unknown as Command;
}

/** Returns the flag of the option `name`: '--batch-size'. */
export function flagOf(name: string, { short, negated }: Option<unknown>): string {
  if (short) return `--${short}`;
  return `--${negated ? 'no-' : ''}${kebab(name)}`;
}

export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
