// An abort signal that fires when the server sends nothing for too long, or when the caller aborts. For fetch-file.ts.

export class SilenceTimer implements Disposable {
  readonly signal: AbortSignal;
  readonly #silence = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal ? AbortSignal.any([signal, this.#silence.signal]) : this.#silence.signal;
  }

  /** Restarts the timer: the next data must arrive within `ms`. */
  expectWithin(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silence.abort(new Error(`the server sent nothing for ${ms / 1000} s`)), ms);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
