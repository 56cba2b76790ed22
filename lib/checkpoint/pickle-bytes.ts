// The bytes of a pickle, read from front to back; no length in them is believed before it is compared with what is left.
// For unpickle.ts.
import type { LearnError } from '../errors';
import { formatError } from './errors';
import { maxGlobalBytes, maxStringBytes } from './limits';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class PickleBytes {
  /** Where the instruction in hand starts. */
  begun = 0;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The code of the next instruction. */
  instruction(): number {
    this.begun = this.#at;
    return this.byte();
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** An integer in two's complement of any width. */
  long(width: number): number | bigint {
    if (width === 0) return 0;
    const digits = Buffer.from(this.#slice(width)).reverse().toString('hex');
    const value = BigInt.asIntN(8 * width, BigInt(`0x${digits}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  block(length: number): Uint8Array {
    if (length > maxStringBytes) throw this.error(`a string of ${length} bytes is too long`);
    return this.#slice(length);
  }

  text(length: number): string {
    const bytes = this.block(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.error('a string is not valid UTF-8');
    }
  }

  /** Up to the next line feed: one half of a global's name. */
  line(): string {
    const length = this.#bytes.subarray(this.#at, this.#at + maxGlobalBytes).indexOf(0x0a);
    if (length < 0) throw this.error('the name of a global does not end');
    const text = this.text(length);
    this.#take(1);
    return text;
  }

  error(problem: string): LearnError {
    return formatError(`its pickle is damaged: ${problem} (at byte ${this.begun} of data.pkl)`);
  }

  #slice(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Where `count` bytes start, which are passed. */
  #take(count: number): number {
    if (count > this.left) throw this.error('it is cut');
    this.#at += count;
    return this.#at - count;
  }
}
