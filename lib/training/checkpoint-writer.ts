// Writes the snapshots of a training run to its checkpoint, one at a time. While one is being written, the newest of the
// others waits and the rest are dropped.
import { type NativeSnapshot, native } from '../native/native';

export class CheckpointWriter {
  readonly #write: (snapshot: NativeSnapshot) => Promise<void>;
  readonly #onFailure: (cause: unknown) => void;
  #waiting: NativeSnapshot | undefined;
  #writing: Promise<void> | undefined;
  #failure: { cause: unknown } | undefined;

  /** `onFailure` is called at once, to stop a run whose progress can no longer be kept. */
  constructor(write: (snapshot: NativeSnapshot) => Promise<void>, onFailure: (cause: unknown) => void) {
    this.#write = write;
    this.#onFailure = onFailure;
  }

  /** Takes ownership of the snapshot: its memory is freed when it is written, or when a newer one replaces it. */
  offer(snapshot: NativeSnapshot): void {
    if (this.#waiting) free(this.#waiting);
    this.#waiting = snapshot;
    this.#writing ??= this.#writeAll();
  }

  /** Waits until the last snapshot is on the disk. Throws the error of a failed write. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure.cause;
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#take(); next; next = this.#take()) {
      try {
        // Nothing is written after a failure: the file stays as it was reported to the caller.
        if (!this.#failure) await this.#write(next);
      } catch (cause) {
        this.#failure = { cause };
        this.#onFailure(cause);
      } finally {
        free(next);
      }
    }
    this.#writing = undefined;
  }

  #take(): NativeSnapshot | undefined {
    const next = this.#waiting;
    this.#waiting = undefined;
    return next;
  }
}

function free({ model, rest, average, best }: NativeSnapshot): void {
  for (const handle of [model, rest, average, best]) if (handle) native().disposeState(handle);
}
