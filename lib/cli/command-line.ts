// Formats a command with its options, ready to be pasted into a shell.
import { type Command, flagOf, type Options } from './command';

/** `given`: options as readArguments() returns them. Undefined ones are left out. */
export function commandLine<O extends Options>(
  { name, options }: Pick<Command<O>, 'name' | 'options'>,
  given: Readonly<Record<string, unknown>>,
): string {
  const words = Object.entries(given).flatMap(([option, value]) => {
    if (value === undefined) return [];
    const definition = options[option]!;
    const flag = flagOf(option, definition);
    if (definition.kind === 'switch') return [flag];
    // A value that looks like a flag needs the form with =.
    return String(value).startsWith('--') ? [`${flag}=${quoted(String(value))}`] : [flag, quoted(String(value))];
  });
  return ['npx', 'torch-incremental', name, ...words].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
