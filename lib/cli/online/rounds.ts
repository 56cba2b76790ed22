// Rounds: shares turns of the event loop among peers. One line of a peer is read, then one of the next, so that a peer waits for at
// most one line of each other.

/** Bytes of lines that are read in one turn of the event loop, unless a single line has more. */
const bytesPerTurn = 64 * 1024;
/** The least cost of a line. */
const bytesPerLine = 512;

export class Rounds {
  readonly #waiting: { cost: number; resolve: () => void }[] = [];
  #spent = 0;
  #isScheduled = false;

  /** Resolves when a line of this size may be read. */
  turn(bytes: number): Promise<void> | undefined {
    const cost = bytes + bytesPerLine;
    if (this.#waiting.length === 0 && this.#spent < bytesPerTurn) {
      this.#spend(cost);
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push({ cost, resolve }));
  }

  #spend(cost: number): void {
    this.#spent += cost;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Once all other events of this turn are handled.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#spent = 0;
      while (this.#waiting.length > 0 && this.#spent < bytesPerTurn) {
        const { cost, resolve } = this.#waiting.shift()!;
        this.#spend(cost);
        resolve();
      }
    });
  }
}
