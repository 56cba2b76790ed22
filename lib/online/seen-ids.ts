// Ids of samples that were seen before: the last ones, as digests, in memory that does not grow with the stream.
import { hash } from 'node:crypto';
import { invalid } from '../core/checks';

const wordsPerDigest = 4;
const fewestSlots = 1024;

/** A set of digests, in the order of insertion. */
class Digests {
  #count = 0;
  /** The digests, one after the other. */
  #words = new Uint32Array((fewestSlots / 2) * wordsPerDigest);
  /** Hash table with linear probing: the position of a digest, from 1; 0: free. */
  #slots = new Uint32Array(fewestSlots);

  get count(): number {
    return this.#count;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.#count * wordsPerDigest * 4);
  }

  has(digest: Uint32Array): boolean {
    return this.#slots[this.#find(digest)] !== 0;
  }

  add(digest: Uint32Array): void {
    if (2 * (this.#count + 1) > this.#slots.length) this.#grow();
    this.#words.set(digest, this.#count++ * wordsPerDigest);
    this.#slots[this.#find(digest)] = this.#count;
  }

  addAll(bytes: Uint8Array): void {
    // A copy, since typed arrays of four-byte numbers need aligned memory.
    const words = new Uint32Array(Uint8Array.from(bytes).buffer);
    for (let i = 0; i < words.length; i += wordsPerDigest) this.add(words.subarray(i, i + wordsPerDigest));
  }

  /** The slot that holds the digest, or the free one where it belongs. */
  #find(digest: Uint32Array): number {
    const mask = this.#slots.length - 1;
    let slot = digest[0]! & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      const at = (entry - 1) * wordsPerDigest;
      if (digest.every((word, i) => word === this.#words[at + i])) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const old = this.#words;
    const count = this.#count;
    this.#words = new Uint32Array(old.length * 2);
    this.#slots = new Uint32Array(this.#slots.length * 2);
    this.#count = 0;
    for (let i = 0; i < count; i++) this.add(old.subarray(i * wordsPerDigest, (i + 1) * wordsPerDigest));
  }
}

/** The digests of an IdWindow, 16 bytes each. */
export interface IdBytes {
  previous: Uint8Array;
  current: Uint8Array;
}

/** The id of a sample: ids that print alike are equal. */
export type SampleId = string | number | bigint;

/** Bytes of an id, as UTF-8. */
const mostIdBytes = 1024;
/** A bigint of more bits has more digits than that. */
const mostIdBits = Math.floor(mostIdBytes * Math.log2(10));

/** An id as it is recorded; null: no id. Throws ERR_INVALID_OPTION unless it is a string, safe integer or bigint of that size. */
export function idOf(value: unknown, name: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'bigint' && BigInt.asIntN(mostIdBits, value) === value) return String(value);
  if (typeof value === 'string' && isId(value)) return value;
  const kinds = `a string or a bigint of at most ${mostIdBytes} bytes, an integer of at most 2^53, undefined or null`;
  // Printing a long bigint is slow.
  throw invalid(kinds, name, typeof value === 'bigint' ? 'a larger bigint' : value);
}

/** Whether a string is not too long and well-formed: strings with lone surrogates may be equal in UTF-8. */
export function isId(text: string): boolean {
  return text.length <= mostIdBytes && !/\p{Surrogate}/u.test(text) && Buffer.byteLength(text) <= mostIdBytes;
}

/** Remembers at least the last `limit` ids, and at most twice as many. Two ids that print alike are one. */
export class IdWindow {
  readonly #limit: number;
  #current = new Digests();
  #previous = new Digests();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(id: SampleId): boolean {
    const digest = digestOf(id);
    return this.#current.has(digest) || this.#previous.has(digest);
  }

  add(id: SampleId): void {
    if (this.#current.count >= this.#limit) {
      this.#previous = this.#current;
      this.#current = new Digests();
    }
    this.#current.add(digestOf(id));
  }

  /** Views for a snapshot, valid until the next id is added. */
  get bytes(): IdBytes {
    return { previous: this.#previous.bytes, current: this.#current.bytes };
  }

  static from(limit: number, { previous, current }: IdBytes): IdWindow {
    const window = new IdWindow(limit);
    window.#previous.addAll(previous);
    window.#current.addAll(current);
    return window;
  }
}

/** The first 128 bits of SHA-256: among a billion ids, the probability of a collision is 10^-21. */
function digestOf(id: SampleId): Uint32Array {
  const bytes = Uint8Array.from(hash('sha256', String(id), 'buffer'));
  return new Uint32Array(bytes.buffer, 0, wordsPerDigest);
}
