// Reads a file from front to back in pieces. No piece blocks other work for long, and a large file takes no more memory than a
// small one.
import fs from 'node:fs/promises';
import { LearnError } from '../core/errors';

export const pieceBytes = 2 ** 16;

export class SequentialReader {
  readonly size: number;
  readonly #file: string;
  readonly #handle: fs.FileHandle;
  /** Bytes that were read but not yet skipped. */
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

  /** Returns the next `count` bytes, or all that are left. Later reads do not change them. */
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

  /** Whether only zeros are left. Reads up to the first other byte. */
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
