// Limits how much a pickle may ask for. Counted while it runs, because an instruction of two bytes can ask for the same
// megabyte again: a small file must not become large in memory, or slow to read. For builder.ts.
import { formatError } from '../errors';
import {
  maxGlobals,
  maxHeldBytes,
  maxLongIntegers,
  maxPickleCalls,
  maxPickleContainers,
  maxPickleDicts,
  maxPickleInstructions,
  maxRepeatedBytes,
  maxSparseKeys,
} from '../limits';
import { Float } from '../values';
import { PickleTuple, type PickleValue } from './values';

/** Bytes that V8 takes for each kind of value, including the slot that holds it. */
export const cost = {
  /** A slot in a list, tuple or set. */
  item: 16,
  float: 32,
  bigint: 64,
  /** Plus two bytes per character. */
  text: 48,
  /** Plus its bytes. */
  bytes: 512,
  container: 96,
  /** The first item of a list or a dict, which makes V8 reserve space for more. */
  room: 192,
  entry: 64,
  call: 128,
  reference: 48,
  global: 512,
  /** Values made by resolve.ts, and the copy that callers see. */
  resolved: { list: 192, item: 16, dict: 448, entry: 112, opaque: 640, tensor: 512, dimension: 64 },
} as const;

/**
 * Memory that reading a file may take besides its tensors' bytes. Estimated while values are made, because a few bytes of a
 * file can ask for any number of values.
 */
export class MemoryBudget {
  #left: number;

  constructor(left = maxHeldBytes) {
    this.#left = left;
  }

  get left(): number {
    return this.#left;
  }

  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0)
      throw formatError(
        `it holds too much: besides its tensors' bytes it would take more than ${maxHeldBytes} bytes of memory`,
      );
  }
}

export class PickleBudget {
  readonly #counts = new Map<string, number>();
  readonly #error: (problem: string) => Error;

  constructor(error: (problem: string) => Error) {
    this.#error = error;
  }

  instructions(count: number): void {
    this.#spend('instructions', maxPickleInstructions, count);
  }

  /** Counts lists, tuples, dicts and calls, and items that are copied from one into another. */
  containers(count: number): void {
    this.#spend('lists, tuples and dicts', maxPickleContainers, count);
  }

  global(): void {
    this.#spend('names of Python', maxGlobals, 1);
  }

  longInteger(): void {
    this.#spend('integers of more than eight bytes', maxLongIntegers, 1);
  }

  /** Counts a dict at its first item. */
  dict(): void {
    this.#spend('dicts', maxPickleDicts, 1);
  }

  call(args: PickleValue): void {
    this.#spend('calls', maxPickleCalls, 1);
    this.uses(args);
  }

  /** Counts texts and bytes in the arguments of a call or in a state: each use copies them, though the pickle holds them once. */
  uses(value: PickleValue): void {
    const items = value instanceof PickleTuple ? value.items : [];
    for (let i = 0; i < Math.min(items.length, 8); i++) {
      const item = items[i];
      if (typeof item === 'string' || item instanceof Uint8Array)
        this.#spend('bytes in the arguments of calls', maxRepeatedBytes, item.length);
    }
  }

  /** Counts numbers as keys: V8's hashes of numbers are predictable, and a Map whose keys share one hash takes quadratic time. */
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

/** Whether a file could choose many such numbers that share one hash. */
export function isSparse(value: unknown): boolean {
  if (typeof value === 'number') return !(Number.isInteger(value) && value >= 0 && value < maxDenseKey);
  return typeof value === 'bigint' || value instanceof Float;
}
