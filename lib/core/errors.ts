// The one error class, its codes, and how errors of the addon become it. Used by every other file of lib/.

/** Stable codes. Each has a line in docs/api.md and a test; match on these, never on text. */
export const errorCodes = [
  'ERR_INVALID_OPTION',
  'ERR_FILE',
  'ERR_STATE_FORMAT',
  'ERR_STATE_UNSAFE',
  'ERR_STATE_MISMATCH',
  'ERR_MODEL_UNKNOWN',
  'ERR_DATA_FORMAT',
  'ERR_DOWNLOAD',
  'ERR_SHAPE',
  'ERR_DEVICE',
  'ERR_OUT_OF_MEMORY',
  'ERR_NOT_FINITE',
  'ERR_BUSY',
  'ERR_DISPOSED',
  'ERR_JOURNAL',
  'ERR_LIBTORCH_NOT_FOUND',
  'ERR_LIBTORCH_VERSION',
  'ERR_LIBTORCH_LOAD',
  'ERR_UNSUPPORTED_PLATFORM',
  'ERR_BUILD',
  'ERR_TORCH',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Every failure of this library but an abort (which rejects with `signal.reason`). */
export class LearnError extends Error {
  override readonly name = 'LearnError';
  /** What went wrong, as one of {@link errorCodes}. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Awaits work of the addon and gives its errors this library's class and the caller's stack: work that ended on another
 * thread has no JavaScript frames of its own.
 */
export async function fromNative<T>(work: Promise<T> | (() => T | Promise<T>)): Promise<T> {
  const place = new Error();
  try {
    return await (typeof work === 'function' ? work() : work);
  } catch (cause) {
    throw asLearnError(cause, place);
  }
}

/** The same for a call that answers at once. */
export function fromNativeSync<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw asLearnError(cause, new Error());
  }
}

function asLearnError(cause: unknown, place: Error): unknown {
  const code = (cause as { code?: unknown } | null)?.code;
  if (cause instanceof LearnError || !errorCodes.includes(code as ErrorCode)) return cause;
  const error = new LearnError(code as ErrorCode, (cause as Error).message);
  const frames = place.stack?.split('\n').slice(2).join('\n');
  if (frames) error.stack = `${error.name}: ${error.message}\n${frames}`;
  return error;
}

/** The message of anything that was thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
