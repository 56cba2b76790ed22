// Unpacks parts of a zip archive into a folder. The archive is not trusted: names that lead out of the folder, links, files
// that occur twice, and files larger than the directory says are refused. Called by lib/install/install-libtorch.ts.
import { createWriteStream } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entry, ZipFile } from 'yauzl';

/** Far more than any build of libtorch has. */
const maxEntries = 200_000;
/** Files unpacked at once. Other threads inflate: several files keep two cores busy, and small ones do not wait for the disk. */
const parallel = 4;
/** Files of at least this size are synced: after a power failure the libraries must be complete, unlike headers. */
const syncFrom = 1 << 20;

/** Returns the path of an entry relative to the folder, or null to skip it. */
export type Choose = (name: string) => string | null;

export class Zip {
  readonly #file: ZipFile;
  readonly #entries: readonly Entry[];

  private constructor(file: ZipFile, entries: readonly Entry[]) {
    this.#file = file;
    this.#entries = entries;
  }

  /** Reads the directory of an open file, which the caller closes. Rejects with a plain error if it cannot be read. */
  static async open(handle: FileHandle): Promise<Zip> {
    const zip = await openReader(handle);
    if (zip.entryCount > maxEntries) throw new Error(`it claims to have ${zip.entryCount} files`);
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) entries.push(entry);
    return new Zip(zip, entries);
  }

  get names(): string[] {
    return this.#entries.map(({ fileName }) => fileName);
  }

  /** Unpacked size of the chosen entries. */
  bytes(choose: Choose): number {
    return this.#chosen(choose).reduce((sum, [entry]) => sum + entry.uncompressedSize, 0);
  }

  /** Unpacks into `folder`, which must not contain any of these files. `onBytes` receives the size of each unpacked piece. */
  async extract(
    choose: Choose,
    folder: string,
    { signal, onBytes }: { signal?: AbortSignal | undefined; onBytes?: ((bytes: number) => void) | undefined } = {},
  ): Promise<void> {
    const failed = new AbortController();
    const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    const waiting = this.#chosen(choose).reverse();
    const work = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        stop.throwIfAborted();
        const [entry, name] = next;
        await this.#extractOne(entry, inside(folder, name), stop, onBytes).catch((cause) => {
          if (!['EEXIST', 'ENOTDIR'].includes(cause.code)) throw cause;
          throw new Error(`${entry.fileName} in it occurs twice, or as a file and as a folder`);
        });
      }
    };
    const workers = Array.from({ length: parallel }, () =>
      work().catch((cause) => {
        failed.abort(cause);
        throw cause;
      }),
    );
    // Waits for all of them, so that the caller can clean up afterwards.
    await Promise.allSettled(workers);
    signal?.throwIfAborted();
    failed.signal.throwIfAborted();
  }

  #chosen(choose: Choose): [Entry, string][] {
    return this.#entries.flatMap((entry) => {
      const name = choose(entry.fileName);
      return name === null ? [] : [[entry, name] as [Entry, string]];
    });
  }

  async #extractOne(
    entry: Entry,
    target: string,
    signal: AbortSignal,
    onBytes: ((bytes: number) => void) | undefined,
  ): Promise<void> {
    const kind = (entry.externalFileAttributes >>> 16) & 0o170_000;
    if (kind !== 0 && kind !== 0o100_000) throw new Error(`${entry.fileName} in it is not a regular file`);
    if (entry.isEncrypted()) throw new Error(`${entry.fileName} in it is encrypted`);
    await fs.mkdir(path.dirname(target), { recursive: true });
    const stream = await this.#file.openReadStreamPromise(entry);
    const flush = entry.uncompressedSize >= syncFrom;
    const counted = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        onBytes?.(chunk.length);
        yield chunk;
      }
    };
    await pipeline(stream, counted, createWriteStream(target, { flags: 'wx', flush }), { signal });
  }
}

/** Size of one read. */
const blockBytes = 1 << 18;

/** Opens yauzl with our own reader: its streams crash the process if one is destroyed while it waits for its turn. */
async function openReader(handle: FileHandle): Promise<ZipFile> {
  const { fromRandomAccessReaderPromise, RandomAccessReader } = await import('yauzl');
  class HandleReader extends RandomAccessReader {
    override _readStreamForRange(start: number, end: number): Readable {
      return Readable.from(blocks(handle, start, end), { objectMode: false });
    }

    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null, bytesRead?: number) => void,
    ): void {
      handle.read(buffer, offset, length, position).then(
        ({ bytesRead }) => callback(null, bytesRead),
        (cause) => callback(cause),
      );
    }
  }
  const { size } = await handle.stat();
  // validateEntrySizes: an entry whose content does not have the size in the directory is an error.
  const options = { autoClose: false, strictFileNames: true, validateEntrySizes: true };
  return fromRandomAccessReaderPromise(new HandleReader(), size, options);
}

async function* blocks(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const length = Math.min(blockBytes, end - at);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Throws if `name` leads out of `folder`. yauzl refuses such names too; this does not rely on it. */
function inside(folder: string, name: string): string {
  const target = path.resolve(folder, name);
  if (!target.startsWith(path.resolve(folder) + path.sep)) throw new Error(`${name} in it leads out of the folder`);
  return target;
}
