// Keeps the values that a pickle remembers by index, to use them again. For unpickle.ts.
import type { PickleValue } from './values';

export class PickleMemo {
  /** Picklers count from 0. For a file that does not, V8 turns the sparse array into a table with unpredictable hashes. */
  readonly #values: (PickleValue | undefined)[] = [];
  readonly #most: number;
  readonly #error: (problem: string) => Error;
  #count = 0;

  /** `most`: size of the pickle in bytes. No pickler uses a larger index. */
  constructor(most: number, error: (problem: string) => Error) {
    this.#most = most;
    this.#error = error;
  }

  /** Returns how many indices were skipped, because a sparse array takes more memory. */
  put(index: number, value: PickleValue): number {
    if (index > this.#most) throw this.#error(`value ${index} cannot have that number`);
    const skipped = Math.max(0, index - this.#values.length);
    if (this.#values[index] === undefined) this.#count++;
    this.#values[index] = value;
    return skipped;
  }

  /** Remembers a value under the next index. */
  add(value: PickleValue): number {
    return this.put(this.#count, value);
  }

  get(index: number): PickleValue {
    const value = this.#values[index];
    if (value === undefined) throw this.#error(`value ${index} is used before it is remembered`);
    return value;
  }
}
