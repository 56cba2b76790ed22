// A file from front to back, in pieces: nothing else waits long for one, and a large file takes no more memory than a small one.
import fs from 'node:fs/promises';
import { LearnError } from '../core/errors';

export const pieceBytes = 2 ** 16;

export class SequentialReader {
  readonly size: number;
  readonly #file: string;
  readonly #handle: fs.FileHandle;
  /** What was read of what comes next. */
  #window = Buffer.alloc(0);
  #offset = 0;

  static async open(file: string): Promise<SequentialReader> {
    const handle = await fs.open(file);
    return new SequentialReader(file, handle, (await handle.stat()).size);
  }

  private constructor(file: string, handle: fs.FileHandle, size: number) {
    this.#file = file;
    this.#handle = handle;
    this.size = size;
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return Math.max(0, this.size - this.#offset);
  }

  /** The next `count` bytes, or all that are left. They stay as they are when more is read. */
  async peek(count: number): Promise<Buffer> {
    const wanted = Math.min(count, this.left);
    if (this.#window.length < wanted) {
      const window = Buffer.allocUnsafeSlow(Math.min(this.left, Math.max(wanted, pieceBytes)));
      let filled = this.#window.copy(window);
      while (filled < window.length) {
        const { bytesRead } = await this.#handle.read(window, filled, window.length - filled, this.#offset + filled);
        if (bytesRead === 0) throw new LearnError('ERR_FILE', `${this.#file} became shorter while it was being read`);
        filled += bytesRead;
      }
      this.#window = window;
    }
    return this.#window.subarray(0, wanted);
  }

  skip(count: number): void {
    this.#window = this.#window.subarray(count);
    this.#offset += count;
  }

  /** Whether nothing but zeros is left. Reads as far as that takes. */
  async isZero(): Promise<boolean> {
    while (this.left > 0) {
      const piece = await this.peek(pieceBytes);
      if (piece.some((byte) => byte !== 0)) return false;
      this.skip(piece.length);
    }
    return true;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
