// A regular file that is open for reading. The parsers and the addon read through one descriptor: a file that is replaced in
// the meantime is read as it was when it was opened, and a file that is written to is detected.
import { type BigIntStats, constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError, messageOf } from '../core/errors';

/** Opening a pipe does not block, and a terminal does not become the controlling terminal of this process. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export class OpenFile {
  readonly path: string;
  readonly size: number;
  readonly #handle: fs.FileHandle;
  readonly #opened: BigIntStats;

  /**
   * Opens `path` while `use` runs, and throws ERR_FILE if its content changed in the meantime. `what` names the expected file
   * in messages: 'a checkpoint file'. `folderError` makes the error for a folder of this name.
   */
  static async with<T>(
    path: string,
    what: string,
    use: (file: OpenFile) => Promise<T>,
    folderError: (path: string) => Promise<LearnError> = async () =>
      new LearnError('ERR_FILE', `Expected ${what} but ${path} is a folder`),
  ): Promise<T> {
    const handle = await fs.open(path, flags).catch((cause) => {
      throw new LearnError('ERR_FILE', `Cannot open ${path}: ${messageOf(cause)}${relativeTo(path, cause)}`, { cause });
    });
    try {
      const stat = await handle.stat({ bigint: true });
      if (stat.isDirectory()) throw await folderError(path);
      if (!stat.isFile()) {
        const kind = stat.isFIFO() ? 'a named pipe' : 'a device';
        throw new LearnError('ERR_FILE', `Expected ${what} but ${path} is ${kind}; copy what it gives into a file`);
      }
      return await new OpenFile(path, stat, handle).#usedBy(use);
    } finally {
      await handle.close();
    }
  }

  private constructor(path: string, opened: BigIntStats, handle: fs.FileHandle) {
    this.path = path;
    this.size = Number(opened.size);
    this.#opened = opened;
    this.#handle = handle;
  }

  /** For the addon, which duplicates it. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Reads up to `length` bytes at `position` of the file into `bytes` at `start`. Returns their number. */
  async read(bytes: Buffer, start: number, length: number, position: number): Promise<number> {
    try {
      return (await this.#handle.read(bytes, start, length, position)).bytesRead;
    } catch (cause) {
      throw new LearnError('ERR_FILE', `Cannot read ${this.path}: ${messageOf(cause)}`, { cause });
    }
  }

  async #usedBy<T>(use: (file: OpenFile) => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await use(this);
    } catch (cause) {
      // Apparent damage may be the result of another process that is writing the file.
      if (cause instanceof LearnError) await this.checkUnchanged();
      throw cause;
    }
    await this.checkUnchanged();
    return result;
  }

  /**
   * Throws if the file was written to since it was opened. If only its links changed, as when another file takes its name, the
   * content is still intact: that changes only the time of its status.
   */
  async checkUnchanged(): Promise<void> {
    const [then, now] = [this.#opened, await this.#handle.stat({ bigint: true })];
    const isSame =
      now.dev === then.dev &&
      now.ino === then.ino &&
      now.size === then.size &&
      now.mtimeNs === then.mtimeNs &&
      (now.ctimeNs === then.ctimeNs || now.nlink !== then.nlink);
    if (isSame) return;
    throw new LearnError(
      'ERR_FILE',
      `${this.path} changed while it was being read; load it again once nothing writes to it. Writers that make a new file and ` +
        'rename it, as saveState does, never disturb a reader',
    );
  }
}

/** Where a relative path was looked for, if nothing was found there. */
function relativeTo(file: string, cause: NodeJS.ErrnoException): string {
  if (cause.code !== 'ENOENT' || path.isAbsolute(file)) return '';
  try {
    return `, in the current folder, ${process.cwd()}`;
  } catch {
    return ', and the current folder is gone';
  }
}
