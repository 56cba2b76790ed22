// The values that a pickle keeps by number, to use them again. For unpickle.ts.
import type { PickleValue } from './values';

export class PickleMemo {
  /** Picklers count from 0. Where a file does not, V8 keeps what is far apart in a table whose hashes nobody can foresee. */
  readonly #values: (PickleValue | undefined)[] = [];
  readonly #most: number;
  readonly #error: (problem: string) => Error;
  #count = 0;

  /** `most`: bytes of the pickle. A higher number is none that a pickler gives. */
  constructor(most: number, error: (problem: string) => Error) {
    this.#most = most;
    this.#error = error;
  }

  /** Returns how many numbers it left out: what lies far apart takes more memory. */
  put(index: number, value: PickleValue): number {
    if (index > this.#most) throw this.#error(`value ${index} cannot have that number`);
    const skipped = Math.max(0, index - this.#values.length);
    if (this.#values[index] === undefined) this.#count++;
    this.#values[index] = value;
    return skipped;
  }

  /** Under the next number. */
  add(value: PickleValue): number {
    return this.put(this.#count, value);
  }

  get(index: number): PickleValue {
    const value = this.#values[index];
    if (value === undefined) throw this.#error(`value ${index} is used before it is there`);
    return value;
  }
}
