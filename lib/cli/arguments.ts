// Reads a command's arguments. Wrong usage is an ERR_INVALID_OPTION that names the flag and suggests a similar one, if there
// is any.
import { parseArgs } from 'node:util';
import { nearest } from '../core/checks';
import { LearnError } from '../core/errors';
import { type Command, flagOf, type Given, kebab, type Option, type Options } from './command';

export interface Arguments {
  argument: string;
  /** The arguments after it, of a command that takes several. */
  more: readonly string[];
  options: Given<Options>;
  help: boolean;
}

interface Flag {
  name: string;
  option: Option<unknown>;
}

export function readArguments(command: Command, args: readonly string[]): Arguments {
  const flags = new Map<string, Flag>();
  for (const [name, option] of Object.entries(command.options)) {
    flags.set(flagOf(name, option), { name, option });
    if (option.short) flags.set(`--${kebab(name)}`, { name, option });
    if (option.letter) flags.set(`-${option.letter}`, { name, option });
  }
  // Not strict, because the errors of parseArgs do not suggest similar flags.
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        [...flags]
          .filter(([flag]) => flag.startsWith('--'))
          .map(([flag, { option }]) => [
            flag.slice(2),
            {
              type: option.kind === 'switch' ? ('boolean' as const) : ('string' as const),
              ...(option.letter && { short: option.letter }),
            },
          ]),
      ),
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  // Checked before anything else: a user who asks for help may not know the other arguments.
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) {
    return { argument: '', more: [], options: {}, help: true };
  }
  const given: Record<string, unknown> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = flags.get(token.rawName);
    if (!flag) throw unknownFlag(command, token.rawName, [...flags.keys(), '--help']);
    given[flag.name] = parseValue(token.rawName, flag.option, token.value, token.inlineValue);
  }
  const argument = firstArgument(command, positionals, given);
  return { argument, more: positionals.slice(1), options: given as Given<Options>, help: false };
}

function parseValue(flag: string, option: Option<unknown>, value: string | undefined, inline: boolean | undefined) {
  if (option.kind === 'switch') {
    if (value !== undefined) throw wrongUsage(`${flag} takes no value but received '${value}'`);
    return !option.negated;
  }
  // In `--out --seed 3` the value is missing; a file of that name can be given as --out=--seed.
  if (value === undefined || (value.startsWith('--') && !inline)) {
    throw wrongUsage(`Expected a value after ${flag}: ${flag} <${option.value}>`);
  }
  const isNumber = option.kind === 'number' && value.trim() !== '' && !Number.isNaN(Number(value));
  const parsed = isNumber ? Number(value) : value;
  option.check?.(parsed, flag);
  return parsed;
}

function firstArgument(command: Command, positionals: readonly string[], given: Record<string, unknown>): string {
  const { name, argument, argumentIsOptional, insteadOfArgument: instead } = command;
  const [first = '', ...more] = positionals;
  if (instead !== undefined && given[instead] !== undefined) {
    if (positionals.length === 0) return '';
    throw wrongUsage(
      `Unexpected '${first}': with ${flagOf(instead, command.options[instead]!)} there is no <${argument}>`,
    );
  }
  const expected = argument ? 1 : 0;
  if (positionals.length > expected && !command.argumentIsRepeated) {
    throw wrongUsage(
      `Unexpected '${argument ? more[0] : first}': ${name} takes ${argument ? `one <${argument}>` : 'options only'}`,
    );
  }
  if (argument && first === '' && !argumentIsOptional) throw missingArgument(name, argument);
  return first;
}

/** The error of a command whose argument may be missing in some cases, in all others. */
export function missingArgument(name: string, argument: string): LearnError {
  return wrongUsage(`Expected a <${argument}>: npx torch-incremental ${name} <${argument}>`);
}

/** Flags of other training programs, and what there is here instead. */
const elsewhere: Readonly<Record<string, string>> = {
  '--workers': 'samples are made ready by the threads of --threads',
};

function unknownFlag({ name }: Command, flag: string, known: readonly string[]): LearnError {
  if (known.includes('--lr') && Object.hasOwn(elsewhere, flag))
    return wrongUsage(`Unknown option ${flag} of ${name}: ${elsewhere[flag]}`);
  const suggestion = nearest(flag, known);
  return wrongUsage(`Unknown option ${flag} of ${name}${suggestion ? `; did you mean ${suggestion}?` : ''}`);
}

export function wrongUsage(message: string): LearnError {
  return new LearnError('ERR_INVALID_OPTION', message);
}
