// Files of remembered predictions: written in the background, and read when a record is no longer in memory.
import fs from 'node:fs';
import path from 'node:path';
import { TimeSlice } from '../../core/time-slice';
import { close, open, readAll, writeAll } from '../../files/descriptors';
import type { FolderGuard } from '../storage/journal-writer';
import { type Chunks, recordIn } from './chunks';
import { type SavedCounts, writeCounts } from './counts';
import { encodeHeader, readHeader } from './form';
import { encodeJoined, isWhole, joinedName, pendingName, type Remembered, rememberedIn, sealRecord } from './format';
import type { Segment } from './segment';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants;
/** Neither overwrites an existing file nor follows a link. */
const creating = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY;

export class PendingFiles {
  readonly #folder: string;
  readonly #guard: FolderGuard;
  readonly #chunks: Chunks;
  /** The file that is being written, and whether it has its header. */
  #output: { segment: Segment; descriptor: number; isBegun: boolean } | undefined;
  /** Files that are being read. */
  readonly #inputs = new Map<Segment, { descriptor: Promise<number>; readers: number }>();

  /** Nothing is written or removed after the path of `folder` leads elsewhere, where other files have the same names. */
  constructor(folder: string, guard: FolderGuard, chunks: Chunks) {
    this.#folder = folder;
    this.#guard = guard;
    this.#chunks = chunks;
  }

  /** Writes all unwritten records. One call at a time. After a failure, the next call tries again. */
  async flush(): Promise<void> {
    if (this.#chunks.isWritten) return;
    await this.#guard.check();
    const slice = new TimeSlice();
    for (let chunk = this.#chunks.firstUnwritten; chunk; chunk = this.#chunks.firstUnwritten) {
      const { segment, written, count, first, bytes } = chunk;
      for (let index = first + written; index < first + count; index++) {
        sealRecord(recordIn(chunk, index));
        if (slice.isOver) await slice.rest();
      }
      const descriptor = await this.#outputOf(segment);
      const records = bytes.subarray(written * segment.stride, count * segment.stride);
      await writeAll(descriptor, [records], segment.headerBytes + (first + written) * segment.stride);
      this.#chunks.wrote(chunk, count);
    }
  }

  async #outputOf(segment: Segment): Promise<number> {
    const { number, token, form } = segment;
    if (this.#output?.segment !== segment) {
      await this.#closeOutput();
      const file = path.join(this.#folder, pendingName(number));
      await this.#guard.check();
      this.#output = { segment, descriptor: await open(file, creating), isBegun: false };
    }
    const output = this.#output;
    if (!output.isBegun) await writeAll(output.descriptor, [encodeHeader(number, token, form)], 0);
    output.isBegun = true;
    return output.descriptor;
  }

  async #closeOutput(): Promise<void> {
    const output = this.#output;
    this.#output = undefined;
    if (output) await close(output.descriptor);
  }

  /** Reads a sample and its prediction; undefined: they cannot be read. */
  async read(segment: Segment, index: number): Promise<Remembered | undefined> {
    const held = this.#chunks.find(segment, index);
    if (held) return rememberedIn(held, segment.form);
    const record = Buffer.allocUnsafe(segment.stride);
    try {
      const at = segment.headerBytes + index * segment.stride;
      await this.#reading(segment, (descriptor) => readAll(descriptor, record, at));
    } catch {
      return undefined;
    }
    return isWhole(record, index) ? rememberedIn(record, segment.form) : undefined;
  }

  /** Opens a file once for all concurrent readers. */
  async #reading<Result>(segment: Segment, use: (descriptor: number) => Promise<Result>): Promise<Result> {
    const file = path.join(this.#folder, pendingName(segment.number));
    const input = this.#inputs.get(segment) ?? { descriptor: openOwn(file, segment), readers: 0 };
    this.#inputs.set(segment, input);
    input.readers++;
    try {
      return await use(await input.descriptor);
    } finally {
      if (--input.readers === 0) {
        this.#inputs.delete(segment);
        await input.descriptor.then(close, () => {});
      }
    }
  }

  /** Notes which samples have their labels. */
  async noteJoined({ number }: Segment, indices: readonly number[]): Promise<void> {
    const file = path.join(this.#folder, joinedName(number));
    await this.#guard.check();
    const descriptor = await open(file, O_WRONLY | O_APPEND | O_NOFOLLOW).catch((cause) => {
      if (cause.code !== 'ENOENT') throw cause;
      return open(file, creating | O_APPEND);
    });
    try {
      await writeAll(descriptor, [encodeJoined(number, indices)]);
    } finally {
      await close(descriptor);
    }
  }

  /** Saves the counts of segments whose files are to be removed. */
  async writeCounts(saved: SavedCounts): Promise<void> {
    await this.#guard.check();
    await writeCounts(this.#folder, saved);
  }

  /** Removes a segment from memory and disk. Not during flush(). */
  async remove(segment: Segment): Promise<void> {
    this.#chunks.dropSegment(segment);
    if (this.#output?.segment === segment) await this.#closeOutput();
    await this.#guard.check();
    await removeFiles(this.#folder, segment.number);
  }

  async close(): Promise<void> {
    await this.#closeOutput();
  }
}

/** Opens the file of a segment for reading. Rejects if another file has its name. */
async function openOwn(file: string, { number, token, form, headerBytes }: Segment): Promise<number> {
  const descriptor = await open(file, O_RDONLY | O_NOFOLLOW);
  try {
    const header = await readHeader(descriptor, headerBytes, number, form);
    if (header.token === token) return descriptor;
    throw new Error(`${file} is another file now`);
  } catch (cause) {
    await close(descriptor);
    throw cause;
  }
}

export async function removeFiles(folder: string, number: number): Promise<void> {
  for (const name of [pendingName(number), joinedName(number)]) {
    await fs.promises.rm(path.join(folder, name), { force: true });
  }
}
