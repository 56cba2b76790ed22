// Formats the help from the definitions of the commands.
import { type Command, type CommandGroup, flagOf, type Listed } from './command';

export function commandHelp(command: Command): string {
  const { name, argument, argumentIsOptional, insteadOfArgument: instead, description, options, examples } = command;
  const repeated = command.argumentIsRepeated ? '…' : '';
  const usage = [`${name}${argument ? (argumentIsOptional ? ` [${argument}]` : ` <${argument}>${repeated}`) : ''}`];
  if (instead) usage.push(`${name} ${flagOf(instead, options[instead]!)} <${options[instead]!.value}>`);
  const rows = Object.entries(options).map(([key, option]): [string, string] => [
    `${option.letter ? `-${option.letter}, ` : ''}${flagOf(key, option)}${option.value ? ` <${option.value}>` : ''}`,
    option.help,
  ]);
  return [
    ...usage.map((words, i) => `${i === 0 ? 'Usage:' : '      '} torch-incremental ${words} [options]`),
    '',
    description,
    '',
    'Options:',
    ...table([...rows, ['-h, --help', 'Show this help']]),
    '',
    'Examples:',
    ...examples.map((example) => `  torch-incremental ${example}`),
  ].join('\n');
}

export function groupHelp({ name, description, commands }: CommandGroup): string {
  return [
    `Usage: torch-incremental ${name} <command> [options]`,
    '',
    description,
    '',
    'Commands:',
    ...table(commands.map((listed) => [listed.name, listed.summary])),
    '',
    'Options:',
    ...table([['-h, --help', 'Show this help; after a command, its own']]),
  ].join('\n');
}

export function mainHelp(commands: readonly Listed[]): string {
  return [
    'Usage: torch-incremental <command> [options]',
    '',
    'Keeps a PyTorch model learning: loads a .pth, trains it on new data, saves a',
    '.pth that Python loads unchanged.',
    '',
    'Commands:',
    ...table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...table([
      ['-h, --help', 'Show this help; after a command, its own'],
      ['-v, --version', 'Show the version'],
    ]),
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.',
  ].join('\n');
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.flatMap(([left, right]) =>
    wrapped(right, 80 - width - 4).map((line, index) => `  ${(index === 0 ? left : '').padEnd(width)}  ${line}`),
  );
}

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (!line) lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
