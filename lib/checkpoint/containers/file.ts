// A checkpoint file that is being parsed. Reads return exactly the bytes asked for, or throw.
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError } from '../../core/errors';
import { OpenFile } from '../../files/open-file';
import { formatError } from '../errors';

const windowBytes = 2 ** 16;

export class CheckpointFile {
  readonly #file: OpenFile;
  /** Where its bytes start in the file on disk: 0, unless it is a record of an archive. */
  readonly #start: number;
  readonly size: number;
  /** The bytes that peek() read last, and their offset. */
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  /** Opens `file` while `use` runs, and throws if its content changed in the meantime. */
  static with<T>(file: string, use: (opened: CheckpointFile) => Promise<T>): Promise<T> {
    return OpenFile.with(file, 'a checkpoint file', (opened) => use(new CheckpointFile(opened)), folderError);
  }

  private constructor(file: OpenFile, start = 0, size = file.size) {
    this.#file = file;
    this.#start = start;
    this.size = size;
  }

  /** The `size` bytes from `offset` as a file of their own: a checkpoint that is a record of an archive. */
  part(offset: number, size: number): CheckpointFile {
    if (offset < 0 || size < 0 || offset + size > this.size) throw this.#cut(size, offset);
    return new CheckpointFile(this.#file, this.#start + offset, size);
  }

  get path(): string {
    return this.#file.path;
  }

  get descriptor(): number {
    return this.#file.descriptor;
  }

  checkUnchanged(): Promise<void> {
    return this.#file.checkUnchanged();
  }

  /** Reads exactly `length` bytes. Throws if the file ends before them. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || length < 0 || offset + length > this.size) throw this.#cut(length, offset);
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const count = await this.#file.read(bytes, at, length - at, this.#start + offset + at);
      if (count === 0) throw new LearnError('ERR_FILE', 'it became shorter while it was being read');
      at += count;
    }
    return bytes;
  }

  /** As read(), for small pieces that lie close together, such as headers: most calls need no system call. */
  async peek(offset: number, length: number): Promise<Buffer> {
    if (offset < this.#windowStart || offset + length > this.#windowStart + this.#window.length) {
      const available = Math.max(0, this.size - offset);
      this.#window = await this.read(offset, Math.max(length, Math.min(windowBytes, available)));
      this.#windowStart = offset;
    }
    return this.#window.subarray(offset - this.#windowStart, offset - this.#windowStart + length);
  }

  #cut(length: number, offset: number): LearnError {
    return formatError(
      `${length} bytes from byte ${offset} are wanted, but the file has ${this.size}: it is cut or damaged`,
    );
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
