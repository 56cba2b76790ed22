// Python's random.Random(seed), as far as its sample() goes: with it, KSWIN draws what it draws in River. The Mersenne Twister
// MT19937 of Matsumoto & Nishimura 1998, seeded by their init_by_array as CPython does (Modules/_randommodule.c, Lib/random.py).

const size = 624;
const shift = 397;

export interface SavedRandom {
  words: number[];
  next: number;
}

export class PythonRandom {
  readonly #words: Uint32Array;
  /** Which word comes next; `size`: new ones must be made. */
  #next: number;

  private constructor(words: Uint32Array, next: number) {
    this.#words = words;
    this.#next = next;
  }

  /** `seed`: a safe integer of at least 0. */
  static seeded(seed: number): PythonRandom {
    const high = Math.floor(seed / 2 ** 32);
    return new PythonRandom(initByArray(high > 0 ? [seed >>> 0, high] : [seed >>> 0]), size);
  }

  static from({ words, next }: SavedRandom): PythonRandom {
    return new PythonRandom(Uint32Array.from(words), next);
  }

  toJSON(): SavedRandom {
    return { words: [...this.#words], next: this.#next };
  }

  /** `random.sample(range(population), count)`: different numbers, in the order in which they are drawn. */
  sample(population: number, count: number): number[] {
    // As in Lib/random.py: a set of what was drawn takes less than a list of the population where that is larger than this.
    let setSize = 21;
    if (count > 5) setSize += powerOf4From(count * 3);
    return population <= setSize ? this.#fromPool(population, count) : this.#distinct(population, count);
  }

  #fromPool(population: number, count: number): number[] {
    const pool = Array.from({ length: population }, (_, i) => i);
    return Array.from({ length: count }, (_, i) => {
      const at = this.#below(population - i);
      const drawn = pool[at]!;
      pool[at] = pool[population - i - 1]!;
      return drawn;
    });
  }

  #distinct(population: number, count: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < count) drawn.add(this.#below(population));
    return [...drawn];
  }

  /** From 0 to below `limit`, which is below 2^32, each as likely: draws again what is too large. */
  #below(limit: number): number {
    const unused = Math.clz32(limit);
    let drawn = this.#word() >>> unused;
    while (drawn >= limit) drawn = this.#word() >>> unused;
    return drawn;
  }

  #word(): number {
    if (this.#next >= size) {
      twist(this.#words);
      this.#next = 0;
    }
    let word = this.#words[this.#next++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }
}

function powerOf4From(least: number): number {
  let power = 1;
  while (power < least) power *= 4;
  return power;
}

function twist(words: Uint32Array): void {
  for (let i = 0; i < size; i++) {
    const joined = (words[i]! & 0x80000000) | (words[(i + 1) % size]! & 0x7fffffff);
    words[i] = words[(i + shift) % size]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
  }
}

function initByArray(key: readonly number[]): Uint32Array {
  const words = new Uint32Array(size);
  words[0] = 19650218;
  const mixed = (i: number) => words[i - 1]! ^ (words[i - 1]! >>> 30);
  for (let i = 1; i < size; i++) words[i] = Math.imul(mixed(i), 1812433253) + i;
  let at = 1;
  const step = (value: (at: number) => number) => {
    words[at] = value(at);
    if (++at < size) return;
    words[0] = words[size - 1]!;
    at = 1;
  };
  for (let k = 0; k < size; k++) {
    const j = k % key.length;
    step((i) => (words[i]! ^ Math.imul(mixed(i), 1664525)) + key[j]! + j);
  }
  for (let k = 1; k < size; k++) step((i) => (words[i]! ^ Math.imul(mixed(i), 1566083941)) - i);
  words[0] = 0x80000000;
  return words;
}
