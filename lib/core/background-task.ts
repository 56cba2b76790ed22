// Work that runs in the background, one pass at a time, and is retried after a failure.

const retryDelayMs = 1000;

export class BackgroundTask {
  readonly #steps: readonly (() => Promise<void>)[];
  readonly #onFailure: (cause: unknown, isFirst: boolean) => void;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;
  #pass: Promise<void> | undefined;
  #isFailing = false;
  #isClosed = false;

  /** Each pass runs all steps. `onFailure` is called for a failed pass; `isFirst`: the previous pass did not fail. */
  constructor(steps: readonly (() => Promise<void>)[], onFailure: (cause: unknown, isFirst: boolean) => void) {
    this.#steps = steps;
    this.#onFailure = onFailure;
  }

  /** Starts a pass within `delayMs`; later if the last one failed. */
  soon(delayMs: number): void {
    const at = performance.now() + (this.#isFailing ? retryDelayMs : delayMs);
    if (this.#isClosed || at >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer = setTimeout(() => void this.#again(), at - performance.now());
    // A task that may fail forever does not keep the process alive.
    if (this.#isFailing) this.#timer.unref();
  }

  /** A running pass may already be past the new work, so another one follows it. */
  async #again(): Promise<void> {
    this.#wakesAt = Infinity;
    await this.#pass;
    if (!this.#isClosed) await this.now();
  }

  /** Resolves after the running pass, or after a new one if none is running. Never rejects. */
  now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#wakesAt = Infinity;
    this.#pass ??= this.#go().finally(() => {
      this.#pass = undefined;
    });
    return this.#pass;
  }

  async #go(): Promise<void> {
    let failure: { cause: unknown } | undefined;
    for (const step of this.#steps) {
      await step().catch((cause) => {
        failure ??= { cause };
      });
    }
    const wasFailing = this.#isFailing;
    this.#isFailing = failure !== undefined;
    if (failure) this.#onFailure(failure.cause, !wasFailing);
  }

  /** Calls `last`, then runs the last pass. */
  async close(last: () => void): Promise<void> {
    while (this.#pass) await this.#pass;
    this.#isClosed = true;
    last();
    await this.now();
  }
}
