// Output of a command: results on standard output, everything else on standard error, colours only on a terminal.
import { createColors } from 'picocolors';
import { printableLines } from '../core/printable';

export type Colors = ReturnType<typeof createColors>;

export interface Terminal {
  /** Standard output is a terminal. */
  interactive: boolean;
  /** Standard output accepts nothing more: its reader has closed it, or its disk is full. */
  readonly readerGone: boolean;
  /** Characters per line, if interactive. */
  readonly columns: number;
  /** For standard output. */
  colors: Colors;
  /** Prints a line of the result. */
  print(line: string): void;
  /** Prints a line about the work, to standard error. */
  note(line: string): void;
}

const { stdout, stderr, env } = process;
const isDumb = env.TERM === 'dumb';

/** `onReaderGone` is called once when output is no longer accepted, as after `| head`, which is EPIPE. */
export function openTerminal(onReaderGone: (error: NodeJS.ErrnoException) => void): Terminal {
  let readerGone = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (readerGone) return;
    readerGone = true;
    onReaderGone(error);
  });
  // If standard error is closed, notes are lost, which is no reason to stop.
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
    print: (line) => void stdout.write(`${safeLine(line, interactive)}\n`),
    note: (line) => void stderr.write(`${safeLine(line, isTerminal(stderr))}\n`),
  };
}

/** Colours for standard error. */
export function errorColors(): Colors {
  return createColors(isTerminal(stderr) && !env.NO_COLOR);
}

function isTerminal(stream: NodeJS.WriteStream): boolean {
  return Boolean(stream.isTTY) && !isDumb;
}

/** The colours of picocolors that are used here. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are searched for
const ownColors = /(\x1b\[(?:[0127]|2[12347]|3[0-79]|9[0-7])m)/;

/**
 * Makes a line printable, except for our own colours. Names and messages come from files and other processes; callers that put
 * them between colours make them printable themselves.
 */
function safeLine(line: string, isColored: boolean): string {
  if (!isColored) return printableLines(line);
  return line
    .split(ownColors)
    .map((part, i) => (i % 2 === 1 ? part : printableLines(part)))
    .join('');
}
