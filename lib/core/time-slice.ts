// Long loops in short pieces, so that nothing else of this thread waits for them.
import { setImmediate as turn } from 'node:timers/promises';

const pieceMs = 0.5;

export class TimeSlice {
  #since = performance.now();

  /** Whether it is time to rest(). */
  get isOver(): boolean {
    return performance.now() - this.#since > pieceMs;
  }

  /** Lets everything else run that is due. */
  async rest(): Promise<void> {
    await turn();
    this.#since = performance.now();
  }
}
