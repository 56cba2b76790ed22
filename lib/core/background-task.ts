// Work that is done a little later by itself, one pass at a time, and tried again where it failed.

const retryDelayMs = 1000;

export class BackgroundTask {
  readonly #steps: readonly (() => Promise<void>)[];
  readonly #onFailure: (cause: unknown, isFirst: boolean) => void;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;
  #pass: Promise<void> | undefined;
  #isFailing = false;
  #isClosed = false;

  /** Each pass goes through all steps. `onFailure` is told of each that failed, and whether the one before did not. */
  constructor(steps: readonly (() => Promise<void>)[], onFailure: (cause: unknown, isFirst: boolean) => void) {
    this.#steps = steps;
    this.#onFailure = onFailure;
  }

  /** Lets a pass begin in so many milliseconds at most; later where the last one failed. */
  soon(delayMs: number): void {
    const at = performance.now() + (this.#isFailing ? retryDelayMs : delayMs);
    if (this.#isClosed || at >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer = setTimeout(() => void this.#again(), at - performance.now());
    // What may fail for ever keeps no process alive.
    if (this.#isFailing) this.#timer.unref();
  }

  /** The pass that goes on may be past what is new. */
  async #again(): Promise<void> {
    this.#wakesAt = Infinity;
    await this.#pass;
    if (!this.#isClosed) await this.now();
  }

  /** Resolves when a pass is over: the one that goes on, else a new one. Never rejects. */
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

  /** Ends with a last pass, before which `last` is called. */
  async close(last: () => void): Promise<void> {
    while (this.#pass) await this.#pass;
    this.#isClosed = true;
    last();
    await this.now();
  }
}
