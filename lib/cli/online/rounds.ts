// Shares turns of the event loop among peers: one line of a peer is read, then one of the next. However many lines the others
// send, a peer waits for one line of each.

/** Bytes of lines that are read in one turn of the event loop, unless a single line has more. */
const bytesPerTurn = 64 * 1024;
/** What a line costs however short it is. */
const bytesPerLine = 512;

export class Rounds {
  readonly #waiting: { cost: number; resolve: () => void }[] = [];
  #spent = 0;
  #isScheduled = false;

  /** Resolves when a line of so many bytes may be read. */
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
