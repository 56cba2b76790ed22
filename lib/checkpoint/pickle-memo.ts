// The values that a pickle keeps by number, to use them again. For unpickle.ts.
import type { PickleValue } from './pickle-values';

export class PickleMemo {
  readonly #values = new Map<number, PickleValue>();
  readonly #most: number;
  readonly #error: (problem: string) => Error;

  /** `most`: bytes of the pickle. A higher number is none that a pickler gives, but one that was chosen for its hash. */
  constructor(most: number, error: (problem: string) => Error) {
    this.#most = most;
    this.#error = error;
  }

  put(index: number, value: PickleValue): void {
    if (index > this.#most) throw this.#error(`value ${index} cannot have that number`);
    this.#values.set(index, value);
  }

  /** Under the next number. */
  add(value: PickleValue): void {
    this.#values.set(this.#values.size, value);
  }

  get(index: number): PickleValue {
    const value = this.#values.get(index);
    if (value === undefined) throw this.#error(`value ${index} is used before it is there`);
    return value;
  }
}
