// Decides which values Python can use as dict keys and set items, and which of them it treats as equal: 1, 1.0 and True,
// bytes of equal content, tuples of equal items. For resolve.ts and pickle/write-tree.ts.
import { ByteArray, Float, Tuple, type Value } from './values';

export class Hasher {
  readonly #frozen = new Set<Value>();
  /** Keys of bytes and tuples, by object. */
  readonly #known = new Map<Value, object | undefined>();
  readonly #byContent = new Map<string, object>();
  /** A short number for each item of a tuple, so that tuples which share a long text stay cheap. */
  readonly #words = new Map<unknown, number>();
  readonly #numberWords = new Map<unknown, number>();

  /** Marks a set as a frozenset, which can be hashed. */
  addFrozen(set: Set<Value>): void {
    this.#frozen.add(set);
  }

  /** Returns a Map key that is equal whenever Python's values are; undefined for mutable values, which Python refuses. */
  keyOf(value: Value): unknown {
    if (typeof value === 'boolean') return Number(value);
    if (value instanceof Float) return integral(value.value);
    if (Number.isNaN(value)) return {}; // equal to nothing
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Map || value instanceof ByteArray || (value instanceof Set && !this.#frozen.has(value)))
      return undefined;
    if (!(value instanceof Uint8Array) && !Array.isArray(value)) return value;
    if (!this.#known.has(value)) this.#known.set(value, this.#contentKey(value));
    return this.#known.get(value);
  }

  #contentKey(value: Uint8Array | Value[]): object | undefined {
    if (value instanceof Uint8Array) return this.#interned(`b${Buffer.from(value).toString('latin1')}`);
    if (!(value instanceof Tuple)) return undefined;
    const keys = value.map((item) => this.keyOf(item));
    return keys.includes(undefined)
      ? undefined
      : this.#interned(`t${Array.from(keys, (key) => this.#wordOf(key)).join()}`);
  }

  #wordOf(key: unknown): number {
    // Numbers are looked up as text, so that a file cannot choose them for their hash. A text keeps its hash.
    const isNumber = typeof key === 'number' || typeof key === 'bigint';
    const words: Map<unknown, number> = isNumber ? this.#numberWords : this.#words;
    const by = isNumber ? String(key) : key;
    const known = words.get(by) ?? this.#words.size + this.#numberWords.size;
    words.set(by, known);
    return known;
  }

  #interned(content: string): object {
    const known = this.#byContent.get(content) ?? {};
    this.#byContent.set(content, known);
    return known;
  }
}

/** Returns the integer that is equal to `value`, as Python compares them, or `value` itself. */
function integral(value: number): number | bigint {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
}
