// Reads a file from front to back through a small window, and skips the bytes that are not needed. For pickled-batch.ts.
import { LearnError } from '../../core/errors';
import type { OpenFile } from '../../files/open-file';

const windowBytes = 1 << 17;
/** More than any one instruction needs in the window. */
const reserveBytes = 1 << 10;
const maxTextBytes = 255;
const maxLineBytes = 255;

export class ByteCursor {
  readonly file: string;
  readonly size: number;
  readonly #file: OpenFile;
  readonly #window = Buffer.alloc(windowBytes);
  #start = 0; // of the window, in the file
  #end = 0; // of what is valid, in the window
  #at = 0; // in the window; past its end after a long step

  constructor(file: OpenFile) {
    this.file = file.path;
    this.size = file.size;
    this.#file = file;
  }

  /** Reads the next bytes into the window. Throws at the end of the file. */
  async fill(): Promise<void> {
    this.#start += this.#at;
    this.#at = 0;
    this.#end = await this.#file.read(this.#window, 0, windowBytes, this.#start);
    if (this.#end === 0) throw this.#short();
  }

  /** Whether the next instruction is whole in the window, or the file ends within it. */
  isReady(): boolean {
    const left = this.#end - this.#at;
    return left >= reserveBytes || (left > 0 && this.#start + this.#end >= this.size);
  }

  byte(): number {
    return this.#window[this.#take(1)]!;
  }

  uint16(): number {
    return this.#window.readUInt16LE(this.#take(2));
  }

  int32(): number {
    return this.#window.readInt32LE(this.#take(4));
  }

  uint32(): number {
    return this.#window.readUInt32LE(this.#take(4));
  }

  uint64(): number {
    return Number(this.#window.readBigUInt64LE(this.#take(8)));
  }

  /** Up to the next line feed. */
  line(): string {
    const found = this.#window.subarray(this.#at, Math.min(this.#end, this.#at + maxLineBytes)).indexOf(10);
    if (found < 0) throw this.#short();
    const text = this.#window.toString('latin1', this.#at, this.#at + found);
    this.#at += found + 1;
    return text;
  }

  /** Steps over `length` bytes and returns their place; short runs are also read. */
  run(length: number): { offset: number; length: number; text: string | undefined } {
    const offset = this.#start + this.#at;
    if (length > this.size - offset) throw this.#short();
    const text = length <= maxTextBytes ? this.#window.toString('latin1', this.#at, this.#at + length) : undefined;
    this.#at += length;
    return { offset, length, text };
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) throw this.#short();
    this.#at += count;
    return at;
  }

  #short(): LearnError {
    return new LearnError('ERR_DATA_FORMAT', `${this.file} ends too early, at byte ${this.size}: it is cut or damaged`);
  }
}
