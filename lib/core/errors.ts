// The library's error class, its codes, and the conversion of the addon's errors.

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
  'ERR_REFUSED',
  'ERR_LIBTORCH_NOT_FOUND',
  'ERR_LIBTORCH_VERSION',
  'ERR_LIBTORCH_LOAD',
  'ERR_UNSUPPORTED_PLATFORM',
  'ERR_BUILD',
  'ERR_TORCH',
] as const;

/** One of {@link errorCodes}: the stable name of a kind of failure. */
export type ErrorCode = (typeof errorCodes)[number];

/**
 * The error of every failure except an abort, which rejects with `signal.reason`.
 *
 * @example
 * ```ts
 * try {
 *   await loadState('missing.pth');
 * } catch (error) {
 *   if (error instanceof LearnError && error.code === 'ERR_FILE') console.log('no such file');
 *   else throw error;
 * }
 * ```
 */
export class LearnError extends Error {
  override readonly name = 'LearnError';
  /** The kind of failure, one of {@link errorCodes}. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Awaits work of the addon and converts its errors to LearnError with the caller's stack: work on another thread has no
 * JavaScript frames.
 */
export async function fromNative<T>(work: Promise<T> | (() => T | Promise<T>)): Promise<T> {
  const place = new Error();
  try {
    return await (typeof work === 'function' ? work() : work);
  } catch (cause) {
    throw learnErrorOf(cause, place);
  }
}

/** As fromNative(), for a synchronous call. */
export function fromNativeSync<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw learnErrorOf(cause, new Error());
  }
}

/** Converts an error of the addon to a LearnError, with the stack of `place`; returns other errors as they are. */
export function learnErrorOf(cause: unknown, place?: Error): unknown {
  const code = (cause as { code?: unknown } | null)?.code;
  if (cause instanceof LearnError || !errorCodes.includes(code as ErrorCode)) return cause;
  const error = new LearnError(code as ErrorCode, (cause as Error).message);
  const frames = place?.stack?.split('\n').slice(2).join('\n');
  if (frames) error.stack = `${error.name}: ${error.message}\n${frames}`;
  return error;
}

/** Returns the message of any thrown value. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
