// Records of remembered predictions in memory: all that are not on the disk yet, and the newest others as far as there is room.
import { putRecord, type Remembered } from './format';
import type { Segment } from './segment';

const chunkBytes = 256 * 2 ** 10;

/** Neighbouring records of a segment. */
export interface Chunk {
  segment: Segment;
  /** Index of the first. */
  first: number;
  bytes: Buffer;
  count: number;
  /** Of these, on the disk. */
  written: number;
}

export class Chunks {
  readonly #memoryBytes: number;
  /** Oldest first; they are written in this order. */
  readonly #chunks: Chunk[] = [];
  readonly #byPlace = new Map<string, Chunk>();
  /** Bytes of all chunks, and of the records in them that are not on the disk. */
  #held = 0;
  #unwritten = 0;
  /** Buffer of the last dropped chunk: allocating and freeing such large ones all the time costs pauses. */
  #spare: Buffer | undefined;

  constructor(memoryBytes: number) {
    this.#memoryBytes = memoryBytes;
  }

  /** Whether too much is unwritten. */
  get isFull(): boolean {
    return this.#unwritten > this.#memoryBytes;
  }

  get isWritten(): boolean {
    return this.#unwritten === 0;
  }

  /** Copies the segment's last sample, number `index`. */
  append(segment: Segment, index: number, time: number, remembered: Remembered): void {
    let chunk = this.#byPlace.get(placeOf(segment, index));
    if (!chunk) {
      const size = Math.max(chunkBytes, segment.stride);
      const bytes = this.#spare?.length === size ? this.#spare : Buffer.allocUnsafeSlow(size);
      this.#spare = undefined;
      chunk = { segment, first: index, bytes, count: 0, written: 0 };
      this.#chunks.push(chunk);
      this.#byPlace.set(placeOf(segment, index), chunk);
      this.#held += bytes.length;
      this.#dropWritten();
    }
    putRecord(recordIn(chunk, index), index, time, remembered);
    chunk.count++;
    this.#unwritten += segment.stride;
  }

  /** The record of a sample, if it is in memory. */
  find(segment: Segment, index: number): Buffer | undefined {
    const chunk = this.#byPlace.get(placeOf(segment, index));
    const isThere = chunk && index >= chunk.first && index < chunk.first + chunk.count;
    return isThere ? recordIn(chunk, index) : undefined;
  }

  get firstUnwritten(): Chunk | undefined {
    return this.#chunks[this.#chunks.findLastIndex(({ written, count }) => written === count) + 1];
  }

  /** The first records of a chunk, up to `written`, are on the disk. */
  wrote(chunk: Chunk, written: number): void {
    this.#unwritten -= (written - chunk.written) * chunk.segment.stride;
    chunk.written = written;
    this.#dropWritten();
  }

  /** Drops the oldest unwritten records until there is room, or all of them, and returns them. */
  dropUnwritten(all = false): { segment: Segment; first: number; end: number }[] {
    const dropped = [];
    while (all ? !this.isWritten : this.isFull) {
      const chunk = this.firstUnwritten!;
      const { segment, first, written, count } = chunk;
      this.#drop(chunk);
      dropped.push({ segment, first: first + written, end: first + count });
    }
    return dropped;
  }

  dropSegment(segment: Segment): void {
    for (const chunk of this.#chunks.filter((one) => one.segment === segment)) this.#drop(chunk);
  }

  /** The last one is being filled. */
  #dropWritten(): void {
    while (this.#held > this.#memoryBytes && this.#chunks.length > 1) {
      const oldest = this.#chunks[0]!;
      if (oldest.written < oldest.count) return;
      this.#drop(oldest);
    }
  }

  #drop(chunk: Chunk): void {
    const { segment, first, bytes, written, count } = chunk;
    this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
    this.#byPlace.delete(placeOf(segment, first));
    this.#held -= bytes.length;
    this.#spare = bytes;
    this.#unwritten -= (count - written) * segment.stride;
  }
}

export function recordIn({ bytes, first, segment: { stride } }: Chunk, index: number): Buffer {
  return bytes.subarray((index - first) * stride, (index - first + 1) * stride);
}

const perChunk = ({ stride }: Segment) => Math.max(1, Math.floor(chunkBytes / stride));

function placeOf(segment: Segment, index: number): string {
  return `${segment.number} ${Math.floor(index / perChunk(segment))}`;
}
