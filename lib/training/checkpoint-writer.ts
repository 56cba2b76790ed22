// Writes the snapshots of a training run to its checkpoint, one at a time: what comes while one is being written waits,
// and only the newest does.
import { type NativeSnapshot, native } from '../native/native';

export class CheckpointWriter {
  readonly #write: (snapshot: NativeSnapshot) => Promise<void>;
  readonly #onFailure: (cause: unknown) => void;
  #waiting: NativeSnapshot | undefined;
  #writing: Promise<void> | undefined;
  #failure: { cause: unknown } | undefined;

  /** `onFailure` is told at once, to stop a run whose progress can no longer be kept. */
  constructor(write: (snapshot: NativeSnapshot) => Promise<void>, onFailure: (cause: unknown) => void) {
    this.#write = write;
    this.#onFailure = onFailure;
  }

  /** Takes the snapshot over: its memory is freed when it is written, or when a newer one takes its place. */
  offer(snapshot: NativeSnapshot): void {
    if (this.#waiting) free(this.#waiting);
    this.#waiting = snapshot;
    this.#writing ??= this.#writeAll();
  }

  /** Waits until the last one is on the disk. Throws what a write failed with. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure.cause;
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#take(); next; next = this.#take()) {
      try {
        // Nothing more is written behind a failure: the file is then what the caller was told it is.
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

function free({ model, rest }: NativeSnapshot): void {
  for (const handle of [model, rest]) native().disposeState(handle);
}
