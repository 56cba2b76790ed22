// Errors of the parsers. A parser's message says what is wrong and where in the file; naming() adds the file's name.
import { LearnError } from '../core/errors';
import { shortened } from '../core/printable';

/** The file is damaged or of another format. */
export function formatError(message: string): LearnError {
  return new LearnError('ERR_STATE_FORMAT', message);
}

/** Loading the file as Python does would run code. */
export function unsafeError(message: string): LearnError {
  return new LearnError('ERR_STATE_UNSAFE', message);
}

/** A valid tensor of a kind that is not supported: an error only if its values are needed. */
export class UnsupportedTensor extends LearnError {
  constructor(message: string) {
    super('ERR_STATE_FORMAT', message);
  }
}

/** A pickle that continues past the end of the available bytes. */
export class CutPickle extends LearnError {
  constructor(message: string) {
    super('ERR_STATE_FORMAT', message);
  }
}

/** A pickle that torch.save cannot have written: it leaves values over, or uses other instructions. */
export class ForeignPickle extends LearnError {
  constructor(message: string) {
    super('ERR_STATE_FORMAT', message);
  }
}

/** Runs `parse` and puts the file's name in front of the messages of its errors. */
export async function naming<T>(path: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (cause) {
    if (!(cause instanceof LearnError)) throw cause;
    throw new LearnError(cause.code, `Cannot load ${path}: ${shortened(cause.message, longestMessage)}`, { cause });
  }
}

/** Messages contain names from the file, which can be long. */
const longestMessage = 2000;
