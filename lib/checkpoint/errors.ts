// Errors of the parsers. They know what is wrong and where in the file; which file it is, naming() adds for all of them.
import { LearnError } from '../errors';

/** The file is not what it should be. */
export function formatError(message: string): LearnError {
  return new LearnError('ERR_STATE_FORMAT', message);
}

/** The file asks for code to be run. */
export function unsafeError(message: string): LearnError {
  return new LearnError('ERR_STATE_UNSAFE', message);
}

/** A tensor that is sound, but of a kind that is not read: an error only where its values are wanted. */
export class UnsupportedTensor extends LearnError {
  constructor(message: string) {
    super('ERR_STATE_FORMAT', message);
  }
}

/** A pickle that goes on behind the bytes that are there. */
export class CutPickle extends LearnError {
  constructor(message: string) {
    super('ERR_STATE_FORMAT', message);
  }
}

/** A pickle that is put together as torch.save never does: with values left over, or other instructions. */
export class ForeignPickle extends LearnError {
  constructor(message: string) {
    super('ERR_STATE_FORMAT', message);
  }
}

/** Runs `parse`, whose errors then begin with the file's name. */
export async function naming<T>(path: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (cause) {
    if (!(cause instanceof LearnError)) throw cause;
    throw new LearnError(cause.code, `Cannot load ${path}: ${printable(cause.message)}`, { cause });
  }
}

const longestMessage = 2000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\x00-\x1f\x7f-\x9f]/g;

/** Names come from the file: a terminal must not obey what is in them, and a person must be able to read the rest. */
function printable(message: string): string {
  const short = message.length > longestMessage ? `${message.slice(0, longestMessage)} …` : message;
  return short.replace(controls, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
