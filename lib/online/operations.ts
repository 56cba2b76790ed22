// Operations of a learner, one after the other, until one fails in a way that it cannot recover from.
import { LearnError } from '../core/errors';
import type { Serving } from './versions/serving';

export class Operations {
  readonly #serving: Serving;
  /** The operation that was requested last; the next one starts when it has ended. */
  #last: Promise<unknown> = Promise.resolve();
  #failure: { cause: unknown } | undefined;
  #isClosed = false;

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  /** A failure after which nothing runs. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#failure;
  }

  /** Records a failure, unless there was one before. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
    this.#serving.freeze();
  }

  /** Runs `work` after all operations before it. If it fails, nothing runs after it. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.inTurn(() => this.guard(work));
  }

  /** Runs `work` after all operations before it, and others after it even if it rejects. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new LearnError('ERR_DISPOSED', 'This learner was closed; open it again'));
    const result = this.#last.then(() => {
      if (this.#failure) throw this.#failure.cause;
      return this.#serving.during(work);
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** The part of an operation whose failure is one of the learner. */
  async guard<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      this.fail(cause);
      throw cause;
    }
  }

  /** Runs nothing more after the operations so far. */
  close(): void {
    this.#isClosed = true;
  }
}
