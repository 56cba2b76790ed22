// Queues the events of a run for a reader that may be slower. For trainEvents().
import type { TrainEvent } from '../loggers/events';

/** Events that a slow reader has not taken yet: all but steps that a newer event replaced. */
export class EventQueue {
  #events: TrainEvent[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  push(event: TrainEvent): void {
    if (this.#events.at(-1)?.type === 'step') this.#events.pop();
    this.#events.push(event);
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async next(): Promise<TrainEvent | undefined> {
    while (this.#events.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#events.shift();
  }
}
