// Repeatable random numbers: everything that the fuzzers draw depends only on a seed.

/** sfc32 (Chris Doty-Humphrey, PractRand), filled from a seed by its counter. */
export class Random {
  #a;
  #b = 0;
  #c = 0;
  #counter = 1;

  constructor(seed) {
    this.#a = seed | 0;
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 bits. */
  bits() {
    const result = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** An integer from 0 to `count` - 1. */
  below(count) {
    return this.bits() % count;
  }

  /** True once in `times`. */
  once(times) {
    return this.below(times) === 0;
  }

  pick(items) {
    return items[this.below(items.length)];
  }

  /** Mostly small, never more than `most`. */
  small(most) {
    return Math.min(most, Math.floor(Math.abs(Math.log2((this.bits() + 1) / 2 ** 32))) + this.below(2));
  }

  bytes(length) {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** Numbers that are critical for readers: signs, widths, products that overflow. */
const borders = [0n, 1n, 2n, 4n, 16n, 63n, 64n, 127n, 128n, 255n, 256n].concat(
  [15n, 16n, 31n, 32n, 33n, 52n, 53n, 61n, 62n, 63n, 64n].flatMap((power) => [
    2n ** power - 1n,
    2n ** power,
    2n ** power + 1n,
  ]),
);

/** As bigints, because not all are exact as numbers. */
export function interesting(random) {
  const value = random.once(3) ? BigInt(random.below(20)) : random.pick(borders);
  return random.once(4) ? -value : value;
}
