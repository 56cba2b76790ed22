// Where a command writes: results on standard output, everything else on standard error, colours only for a person.
import { createColors } from 'picocolors';
import { printableLines } from '../core/printable';

export type Colors = ReturnType<typeof createColors>;

export interface Terminal {
  /** A person reads standard output as it comes. */
  interactive: boolean;
  /** Standard output takes nothing more: what reads it has closed it, or its disk is full. */
  readonly readerGone: boolean;
  /** Characters a line, where interactive. */
  readonly columns: number;
  /** For standard output. */
  colors: Colors;
  /** A line of what the command is for. */
  print(line: string): void;
  /** A line about the work. On a terminal the two are one. */
  note(line: string): void;
}

const { stdout, stderr, env } = process;
const isDumb = env.TERM === 'dumb';

/** `onReaderGone` is called once when our output is taken no more, as by `| head`: that is EPIPE. */
export function openTerminal(onReaderGone: (error: NodeJS.ErrnoException) => void): Terminal {
  let readerGone = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (readerGone) return;
    readerGone = true;
    onReaderGone(error);
  });
  // Nobody left to tell, which is no reason to stop.
  stderr.on('error', () => {});
  const interactive = Boolean(stdout.isTTY) && !isDumb;
  return {
    interactive,
    get readerGone() {
      return readerGone;
    },
    get columns() {
      return stdout.columns || 80;
    },
    colors: createColors(interactive && !env.NO_COLOR),
    print: (line) => void stdout.write(`${shown(line, interactive)}\n`),
    note: (line) => void stderr.write(`${shown(line, isForPeople(stderr))}\n`),
  };
}

/** For what is written to standard error. */
export function errorColors(): Colors {
  return createColors(isForPeople(stderr) && !env.NO_COLOR);
}

function isForPeople(stream: NodeJS.WriteStream): boolean {
  return Boolean(stream.isTTY) && !isDumb;
}

/** Those of picocolors that are used here. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ownColors = /(\x1b\[(?:[0127]|2[12347]|3[0-79]|9[0-7])m)/;

/**
 * What a line says, as text but for our own colours. Names and messages come from files and other processes; callers that put them
 * between colours make them printable themselves.
 */
function shown(line: string, isColored: boolean): string {
  if (!isColored) return printableLines(line);
  return line
    .split(ownColors)
    .map((part, i) => (i % 2 === 1 ? part : printableLines(part)))
    .join('');
}
