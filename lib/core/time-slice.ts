// Divides long loops into short slices, so that nothing else on this thread has to wait for them.
import { setImmediate as turn } from 'node:timers/promises';

const pieceMs = 0.5;

export class TimeSlice {
  #since = performance.now();

  /** Whether the slice is over and rest() is due. */
  get isOver(): boolean {
    return performance.now() - this.#since > pieceMs;
  }

  /** Lets other work of the event loop run, then begins a new slice. */
  async rest(): Promise<void> {
    await turn();
    this.#since = performance.now();
  }
}
