// Labels whose samples were learned and that are not yet noted on the disk, beside the file of their predictions.
import type { PendingFiles } from './files';
import type { Segment } from './segment';

/** Until labels are noted, the learner itself knows their ids. */
export const noteDelayMs = 100;

export class JoinedLabels {
  readonly #files: PendingFiles;
  /** Indices of samples, by their segments. */
  readonly #joined = new Map<Segment, number[]>();
  #notedAt = -Infinity;

  constructor(files: PendingFiles) {
    this.#files = files;
  }

  add(segment: Segment, index: number): void {
    const indices = this.#joined.get(segment);
    if (indices) indices.push(index);
    else this.#joined.set(segment, [index]);
  }

  /** Forgets a segment whose files are removed. */
  forget(segment: Segment): void {
    this.#joined.delete(segment);
  }

  /** Writes all of them, at most once in `noteDelayMs`. Returns whether they must wait. */
  async write(): Promise<boolean> {
    if (performance.now() < this.#notedAt + noteDelayMs) return this.#joined.size > 0;
    this.#notedAt = performance.now();
    for (const [segment, indices] of [...this.#joined]) {
      this.#joined.delete(segment);
      try {
        await this.#files.noteJoined(segment, indices);
      } catch (cause) {
        this.#joined.set(segment, [...indices, ...(this.#joined.get(segment) ?? [])]);
        throw cause;
      }
    }
    return false;
  }

  /** Lets the next write() go at once. */
  hurry(): void {
    this.#notedAt = -Infinity;
  }
}
