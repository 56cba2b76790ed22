// The files of remembered predictions: written behind whoever predicts, and read where a record is not in memory any more.
import fs from 'node:fs';
import path from 'node:path';
import { close, open, readAll, writeAll } from './descriptors';
import { Pace } from './pace';
import { type Chunks, recordIn } from './pending-chunks';
import {
  encodeHeader,
  encodeJoined,
  fileHeaderBytes,
  isWhole,
  joinedName,
  pendingName,
  type Remembered,
  rememberedIn,
  sealRecord,
} from './pending-format';
import type { Segment } from './pending-segment';

const { O_APPEND, O_CREAT, O_RDONLY, O_WRONLY } = fs.constants;

export class PendingFiles {
  readonly #folder: string;
  readonly #chunks: Chunks;
  /** The file that is written to. */
  #output: { segment: Segment; descriptor: number } | undefined;
  /** Files that are being read. */
  readonly #inputs = new Map<Segment, { descriptor: Promise<number>; readers: number }>();

  constructor(folder: string, chunks: Chunks) {
    this.#folder = folder;
    this.#chunks = chunks;
  }

  /** Writes all that is only in memory. One call at a time. After a failure, another call tries the same again. */
  async flush(): Promise<void> {
    const pace = new Pace();
    for (let chunk = this.#chunks.firstUnwritten; chunk; chunk = this.#chunks.firstUnwritten) {
      const { segment, written, count, first, bytes } = chunk;
      for (let index = first + written; index < first + count; index++) {
        sealRecord(recordIn(chunk, index));
        if (pace.isOver) await pace.rest();
      }
      const descriptor = await this.#outputOf(segment);
      const records = bytes.subarray(written * segment.stride, count * segment.stride);
      await writeAll(descriptor, [records], fileHeaderBytes + (first + written) * segment.stride);
      this.#chunks.wrote(chunk, count);
    }
  }

  async #outputOf(segment: Segment): Promise<number> {
    if (this.#output?.segment === segment) return this.#output.descriptor;
    await this.#closeOutput();
    const { number, token, form } = segment;
    const descriptor = await open(path.join(this.#folder, pendingName(number)), O_CREAT | O_WRONLY);
    this.#output = { segment, descriptor };
    try {
      await writeAll(descriptor, [encodeHeader(number, token, form)], 0);
    } catch (cause) {
      await this.#closeOutput();
      throw cause;
    }
    return descriptor;
  }

  async #closeOutput(): Promise<void> {
    const output = this.#output;
    this.#output = undefined;
    if (output) await close(output.descriptor);
  }

  /** What is remembered of a sample; undefined where it cannot be read. */
  async read(segment: Segment, index: number): Promise<Remembered | undefined> {
    const held = this.#chunks.find(segment, index);
    if (held) return rememberedIn(held, segment.form);
    const record = Buffer.allocUnsafe(segment.stride);
    try {
      const at = fileHeaderBytes + index * segment.stride;
      await this.#reading(segment, (descriptor) => readAll(descriptor, record, at));
    } catch {
      return undefined;
    }
    return isWhole(record, index) ? rememberedIn(record, segment.form) : undefined;
  }

  /** With one open file for all that read it at a time. */
  async #reading<Result>(segment: Segment, use: (descriptor: number) => Promise<Result>): Promise<Result> {
    const file = path.join(this.#folder, pendingName(segment.number));
    const input = this.#inputs.get(segment) ?? { descriptor: open(file, O_RDONLY), readers: 0 };
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

  /** Notes which samples got their labels. */
  async noteJoined({ number }: Segment, indices: readonly number[]): Promise<void> {
    const descriptor = await open(path.join(this.#folder, joinedName(number)), O_CREAT | O_WRONLY | O_APPEND);
    try {
      await writeAll(descriptor, [encodeJoined(number, indices)]);
    } finally {
      await close(descriptor);
    }
  }

  /** Removes all that there is of a segment. Not while flush() writes. */
  async remove(segment: Segment): Promise<void> {
    this.#chunks.dropSegment(segment);
    if (this.#output?.segment === segment) await this.#closeOutput();
    await removeFiles(this.#folder, segment.number);
  }

  async close(): Promise<void> {
    await this.#closeOutput();
  }
}

export async function removeFiles(folder: string, number: number): Promise<void> {
  for (const name of [pendingName(number), joinedName(number)]) {
    await fs.promises.rm(path.join(folder, name), { force: true });
  }
}
