// What a command of the command line is: its words, its options and what it does. Commands export one of these; main.ts
// lists them.
import type { Check } from '../core/checks';
import type { Terminal } from './terminal';

/** An option whose value has the type T. Its flag is its key in kebab-case, so that the API's words are the flags. */
export interface Option<T> {
  readonly kind: 'number' | 'text' | 'switch';
  readonly help: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly check?: Check;
  /** A shorter flag that is accepted too, and shown in the help. */
  readonly short?: string;
  /** The flag is --no-name, and gives false. */
  readonly negated?: boolean;
  /** Never there: carries the type. */
  readonly type?: T;
}

type Extra = Pick<Option<unknown>, 'check' | 'short'>;

export function number(value: string, help: string, extra: Extra = {}): Option<number> {
  return { kind: 'number', value, help, ...extra };
}

/** A number, or one of the words that the check lets through. */
export function numberOr<Word extends string>(value: string, help: string, extra: Extra): Option<number | Word> {
  return { kind: 'number', value, help, ...extra };
}

export function text<T extends string = string>(value: string, help: string, extra: Extra = {}): Option<T> {
  return { kind: 'text', value, help, ...extra };
}

/** --name gives true. */
export function on(help: string): Option<boolean> {
  return { kind: 'switch', help };
}

/** --no-name gives false. */
export function off(help: string): Option<boolean> {
  return { kind: 'switch', help, negated: true };
}

export type Options = Readonly<Record<string, Option<unknown>>>;

/** What was given on the command line, and nothing else: defaults are the API's. */
export type Given<O extends Options> = { [Name in keyof O]?: O[Name] extends Option<infer T> ? T : never };

export interface Context {
  terminal: Terminal;
  /** Aborted when the user interrupts. */
  signal: AbortSignal;
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One paragraph or more, each a line. */
  readonly description: string;
  /** The one argument beside the options, such as 'checkpoint'. */
  readonly argument?: string;
  /** Without it, run() gets ''. */
  readonly argumentIsOptional?: boolean;
  /** The option with which the argument is left out. */
  readonly insteadOfArgument?: keyof O & string;
  readonly options: O;
  readonly examples: readonly string[];
  /** Returns the exit code. */
  run(argument: string, options: Given<O>, context: Context): Promise<number>;
}

/** A command in a list, loaded when it is called. */
export interface Listed {
  readonly name: string;
  readonly summary: string;
  /** Exit code where it fails. Default 1. */
  readonly failed?: number;
  load(): Promise<{ command: Command | CommandGroup }>;
}

/** A word that another one follows: `libtorch install`. */
export interface CommandGroup {
  readonly name: string;
  readonly description: string;
  /** Their own names are of two words. */
  readonly commands: readonly Listed[];
}

/** Fixes the types of a command's options. */
export function command<O extends Options>(definition: Command<O>): Command {
  return definition as unknown as Command;
}

/** The flag of the option `name`: '--batch-size'. */
export function flagOf(name: string, { short, negated }: Option<unknown>): string {
  if (short) return `--${short}`;
  return `--${negated ? 'no-' : ''}${kebab(name)}`;
}

export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
