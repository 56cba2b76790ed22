// Errors of the parsers. They know what is wrong and where in the file; which file it is, naming() adds for all of them.
import { LearnError } from '../core/errors';
import { shortened } from '../core/printable';

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
    throw new LearnError(cause.code, `Cannot load ${path}: ${shortened(cause.message, longestMessage)}`, { cause });
  }
}

/** Names come from the file. */
const longestMessage = 2000;
