// Reads the bytes of a pickle from front to back. No length in them is used before it is compared with the bytes that are
// left. For unpickle.ts.
import type { LearnError } from '../../core/errors';
import { CutPickle, ForeignPickle, formatError } from '../errors';
import { maxGlobalBytes, maxIntegerBytes, maxStringBytes } from '../limits';
import { ByteArray, Float } from '../values';
import { op } from './opcodes';
import { decoded, isUnicode } from './wtf8';

/** Most names are short ASCII, for which calling the UTF-8 decoder costs more than decoding by hand. */
function isShortAscii(bytes: Buffer): boolean {
  if (bytes.length > 64) return false;
  for (const byte of bytes) if (byte > 0x7f) return false;
  return true;
}

export class PickleBytes {
  /** Offset at which the current instruction starts. */
  begun = 0;
  readonly #bytes: Buffer;
  readonly #place: string;
  #at = 0;
  #frameEnd = 0;

  /** `place` names the bytes in messages: 'data.pkl'. */
  constructor(bytes: Buffer, place: string) {
    this.#bytes = bytes;
    this.#place = place;
  }

  /** Bytes read so far. */
  get passed(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Reads the code of the next instruction. */
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

  /** Reads an integer in two's complement of any width. */
  long(width: number): number | bigint {
    if (width > maxIntegerBytes) throw this.error(`an integer of ${width} bytes is too long`);
    if (width === 0) return 0;
    if (width <= 6) return this.#bytes.readIntLE(this.#take(width), width);
    const digits = Buffer.from(this.#slice(width)).reverse().toString('hex');
    const value = BigInt.asIntN(8 * width, BigInt(`0x${digits}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Reads bytes into a copy: a value that is kept must not keep the whole pickle in memory. */
  block(length: number): Uint8Array {
    return Uint8Array.from(this.#slice(length));
  }

  text(length: number): string {
    const bytes = this.#string(length);
    if (isShortAscii(bytes)) return bytes.toString('latin1');
    const text = decoded(bytes);
    if (text === undefined)
      throw this.error(
        'a string is not valid UTF-8, or has a surrogate pair as two characters, which no text here can hold',
      );
    return text;
  }

  /** Reads a string of Python 2, which may be text in some encoding or arbitrary bytes. */
  oldText(length: number): string {
    const bytes = this.#string(length);
    const text = decoded(bytes);
    return text !== undefined && isUnicode(text) ? text : bytes.toString('latin1');
  }

  /** Reads a length of eight bytes, and compares it with the bytes that are left before it becomes a number. */
  length64(): number {
    const length = this.uint64();
    if (length > BigInt(this.left)) throw this.cut();
    return Number(length);
  }

  /** Begins a frame. It only says how much to read ahead, but Python refuses an instruction that crosses the end of a frame. */
  frame(): void {
    if (this.#at < this.#frameEnd) throw this.error('a frame begins in another');
    const length = this.uint64();
    if (length > BigInt(this.left)) throw this.cut('a frame is longer than what is left');
    this.#frameEnd = this.#at + Number(length);
  }

  /** Reads the value that is part of an instruction; undefined for an instruction without one. */
  literal(code: number): null | boolean | number | bigint | string | Uint8Array | Float | undefined {
    switch (code) {
      case op.NONE:
        return null;
      case op.NEWTRUE:
        return true;
      case op.NEWFALSE:
        return false;
      case op.BININT:
        return this.int32();
      case op.BININT1:
        return this.byte();
      case op.BININT2:
        return this.uint16();
      case op.LONG1:
        return this.long(this.byte());
      case op.LONG4:
        return this.long(this.uint32());
      case op.BINFLOAT:
        return this.#float();
      case op.BINUNICODE:
        return this.text(this.uint32());
      case op.BINUNICODE8:
        return this.text(this.length64());
      case op.SHORT_BINUNICODE:
        return this.text(this.byte());
      case op.SHORT_BINSTRING:
        return this.oldText(this.byte());
      case op.BINSTRING:
        return this.oldText(this.uint32());
      case op.SHORT_BINBYTES:
        return this.block(this.byte());
      case op.BINBYTES:
        return this.block(this.uint32());
      case op.BINBYTES8:
        return this.block(this.length64());
      case op.BYTEARRAY8:
        return ByteArray.from(this.block(this.length64()));
      default:
        return undefined;
    }
  }

  /** Reads up to the next line feed: one half of a global's name. */
  line(): string {
    const length = this.#bytes.subarray(this.#at, this.#at + maxGlobalBytes).indexOf(0x0a);
    if (length < 0 && this.left < maxGlobalBytes) throw this.cut('the name of a global does not end');
    if (length < 0) throw this.error('the name of a global does not end');
    const text = this.text(length);
    if (!isUnicode(text)) throw this.error('the name of a global is not valid UTF-8');
    this.#take(1);
    return text;
  }

  error(problem: string): LearnError {
    return formatError(this.#located(problem));
  }

  /** As error(), for a pickle that torch.save cannot have written. */
  foreign(problem: string): LearnError {
    return new ForeignPickle(this.#located(problem));
  }

  /** As error(), for a pickle that may continue past the bytes read so far. */
  cut(problem = 'it is cut'): LearnError {
    return new CutPickle(this.#located(problem));
  }

  #located(problem: string): string {
    return `its pickle is damaged: ${problem} (at byte ${this.begun} of ${this.#place})`;
  }

  #float(): number | Float {
    const value = this.#bytes.readDoubleBE(this.#take(8));
    return Number.isInteger(value) ? new Float(value) : value;
  }

  #string(length: number): Buffer {
    if (length > maxStringBytes) throw this.error(`a string of ${length} bytes is too long`);
    return this.#slice(length);
  }

  #slice(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Advances by `count` bytes and returns the offset at which they start. */
  #take(count: number): number {
    if (count > this.left) throw this.cut();
    if (this.#at < this.#frameEnd && this.#at + count > this.#frameEnd)
      throw this.error('it reaches over the end of a frame');
    this.#at += count;
    return this.#at - count;
  }
}
