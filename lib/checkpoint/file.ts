// A file that is being parsed: opened once, known to be a regular file, read in exact pieces.
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError, messageOf } from '../errors';
import { formatError } from './errors';

const windowBytes = 2 ** 16;

export class CheckpointFile {
  readonly path: string;
  readonly size: number;
  readonly #handle: fs.FileHandle;
  /** What peek() read last, and from where. */
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  /** Opens `file` for as long as `use` runs. */
  static async with<T>(file: string, use: (opened: CheckpointFile) => Promise<T>): Promise<T> {
    const handle = await open(file);
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw await folderError(file);
      if (!stat.isFile()) {
        const kind = stat.isFIFO() ? 'a named pipe' : 'a device';
        throw new LearnError(
          'ERR_FILE',
          `Expected a checkpoint file but ${file} is ${kind}; copy what it gives into a file`,
        );
      }
      return await use(new CheckpointFile(file, stat.size, handle));
    } finally {
      await handle.close();
    }
  }

  private constructor(file: string, size: number, handle: fs.FileHandle) {
    this.path = file;
    this.size = size;
    this.#handle = handle;
  }

  /** Exactly `length` bytes. They must be in the file. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw formatError(
        `${length} bytes from byte ${offset} are wanted, but the file has ${this.size}: it is cut or damaged`,
      );
    }
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, at, length - at, offset + at);
      if (bytesRead === 0) throw new LearnError('ERR_FILE', 'it became shorter while it was being read');
      at += bytesRead;
    }
    return bytes;
  }

  /** The same for small pieces that lie close together, such as headers: most of them cost no call of the system. */
  async peek(offset: number, length: number): Promise<Buffer> {
    if (offset < this.#windowStart || offset + length > this.#windowStart + this.#window.length) {
      const available = Math.max(0, this.size - offset);
      this.#window = await this.read(offset, Math.max(length, Math.min(windowBytes, available)));
      this.#windowStart = offset;
    }
    return this.#window.subarray(offset - this.#windowStart, offset - this.#windowStart + length);
  }
}

async function open(file: string): Promise<fs.FileHandle> {
  try {
    // Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
    return await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new LearnError('ERR_FILE', `Cannot open ${file}: ${messageOf(cause)}`, { cause });
  }
}

async function folderError(folder: string): Promise<LearnError> {
  const distributed = await fs.stat(path.join(folder, '.metadata')).then(
    () => true,
    () => false,
  );
  const advice = distributed
    ? 'it holds a distributed checkpoint; turn it into one file with ' +
      `python -m torch.distributed.checkpoint.format_utils dcp_to_torch ${folder} out.pth`
    : 'name a file in it';
  return new LearnError('ERR_FILE', `Expected a checkpoint file but ${folder} is a folder; ${advice}`);
}
