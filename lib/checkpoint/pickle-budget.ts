// How much a pickle may ask for. Counted while it runs: an instruction of two bytes can ask for the same megabyte again, and
// what is small in the file must not become large, or slow, in memory. For unpickle.ts.
import {
  maxPickleCalls,
  maxPickleContainers,
  maxPickleDicts,
  maxPickleInstructions,
  maxRepeatedBytes,
  maxSparseKeys,
} from './limits';
import { PickleTuple, type PickleValue } from './pickle-values';
import { Float } from './values';

export class PickleBudget {
  readonly #counts = new Map<string, number>();
  readonly #error: (problem: string) => Error;

  constructor(error: (problem: string) => Error) {
    this.#error = error;
  }

  instructions(count: number): void {
    this.#spend('instructions', maxPickleInstructions, count);
  }

  /** A list, tuple, dict or call; or items that are put into one from another. */
  containers(count: number): void {
    this.#spend('lists, tuples and dicts', maxPickleContainers, count);
  }

  /** A dict that gets its first item. */
  dict(): void {
    this.#spend('dicts', maxPickleDicts, 1);
  }

  call(args: PickleValue): void {
    this.#spend('calls', maxPickleCalls, 1);
    this.uses(args);
  }

  /** What a call or a state is made of is copied for each, though the pickle may hold it once. */
  uses(value: PickleValue): void {
    const items = value instanceof PickleTuple ? value.items : [];
    for (let i = 0; i < Math.min(items.length, 8); i++) {
      const item = items[i];
      if (typeof item === 'string' || item instanceof Uint8Array)
        this.#spend('bytes in the arguments of calls', maxRepeatedBytes, item.length);
    }
  }

  /** V8's hashes of numbers can be foreseen, and a Map whose keys all have one hash takes quadratic time. */
  key(key: PickleValue): void {
    if (isSparse(key)) this.#spend('numbers beyond a million as keys', maxSparseKeys, 1);
  }

  #spend(what: string, most: number, count: number): void {
    const spent = (this.#counts.get(what) ?? 0) + count;
    this.#counts.set(what, spent);
    if (spent > most) throw this.#error(`it has more than ${most} ${what}`);
  }
}

const maxDenseKey = 2 ** 20;

/** A number of which a file can choose many that have one hash. */
export function isSparse(value: unknown): boolean {
  if (typeof value === 'number') return !(Number.isInteger(value) && value >= 0 && value < maxDenseKey);
  return typeof value === 'bigint' || value instanceof Float;
}
