// Predictions that wait for their labels: found by their ids in bounded memory and disk, written behind whoever predicts, and still
// there when the process was killed.
import { randomBytes } from 'node:crypto';
import { Upkeep } from '../../core/background-task';
import { messageOf } from '../../core/errors';
import { Pace } from '../../core/time-slice';
import type { Place } from '../storage/journal-writer';
import { Chunks } from './chunks';
import type { SavedCounts } from './counts';
import { PendingFiles } from './files';
import { fileHeaderBytes, joinedBytes, type Remembered, type SampleForm, strideOf } from './format';
import { type Scan, scanPending, warn } from './scan';
import { Segment } from './segment';

export interface Limits {
  ttlMs: number;
  maxBytes: number;
  memoryBytes: number;
}

/** What became of all predictions that were ever remembered, each counted once. */
export interface FeedbackMetrics {
  /** They wait for their labels, or are being learned. */
  pending: number;
  /** Their labels came. */
  joined: number;
  /** They waited too long, or for too many others. */
  expired: number;
  /** They could not be kept, or not be read again. */
  lost: number;
}

/** A sample whose label came. */
export interface Taken {
  segment: Segment;
  index: number;
}

const largestSegment = 64 * 2 ** 20;
const longestSegmentMs = 24 * 60 * 60 * 1000;
/** Writing begins so long after a prediction, with all that came meanwhile. */
const writeDelayMs = 5;
/** Until what was joined is noted with its file, the learner itself knows the ids. */
const noteDelayMs = 100;

export class PendingStore {
  readonly #folder: string;
  readonly #form: SampleForm;
  readonly #limits: Limits;
  readonly #perSegment: number;
  readonly #chunks: Chunks;
  readonly #files: PendingFiles;
  /** Oldest first. */
  #segments: Segment[];
  readonly #byToken: Map<string, Segment>;
  /** Takes what is remembered next. */
  #current: Segment | undefined;
  #last: number;
  readonly #saved: SavedCounts;
  readonly #unread: number;
  /** Counted in `#saved`; their files are to be removed. */
  #gone: Segment[] = [];
  /** On the disk, of all segments that are not doomed. */
  #bytes: number;
  /** By their segments, labels that are not noted on the disk. */
  readonly #joined = new Map<Segment, number[]>();
  #notedAt = -Infinity;
  readonly #upkeep = new Upkeep(
    [() => this.#files.flush(), () => this.#noteJoined(), () => this.#removeDone()],
    (cause, isFirst) => this.#answerFailure(cause, isFirst),
  );
  readonly #sweeper: NodeJS.Timeout;

  private constructor(folder: string, place: Place, form: SampleForm, limits: Limits, scan: Scan) {
    const { saved, segments, last, unread } = scan;
    this.#folder = folder;
    this.#form = form;
    this.#limits = limits;
    const segmentBytes = Math.min(largestSegment, limits.maxBytes / 16);
    this.#perSegment = Math.max(1, Math.floor((segmentBytes - fileHeaderBytes) / strideOf(form)));
    this.#chunks = new Chunks(limits.memoryBytes);
    this.#files = new PendingFiles(folder, place, this.#chunks);
    this.#segments = segments;
    this.#byToken = new Map(segments.map((segment) => [segment.token, segment]));
    this.#last = last;
    this.#saved = saved;
    this.#unread = unread;
    this.#bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#sweep();
    const sweepMs = Math.min(Math.max(limits.ttlMs / 8, 1000), 60_000);
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Resumes with what the folder, `place`, holds. `knows`: whether the sample of an id was learned. */
  static async open(
    folder: string,
    form: SampleForm,
    limits: Limits,
    knows: (id: string) => boolean,
    place: Place,
  ): Promise<PendingStore> {
    const scan = await scanPending(folder, form, knows);
    return new PendingStore(folder, place, form, limits, scan);
  }

  get counts(): FeedbackMetrics {
    this.#sweep();
    const { joined, expired, lost } = this.#saved;
    const sums = { pending: 0, joined, expired, lost: lost + this.#unread };
    for (const { counts } of this.#segments) {
      for (const kind of Object.keys(sums) as (keyof FeedbackMetrics)[]) sums[kind] += counts[kind];
    }
    return sums;
  }

  /**
   * Remembers samples, [sample, …] row by row, and resolves with an id for each. Waits for the disk only where more than
   * `memoryBytes` are to be written.
   */
  async remember(inputs: Remembered['input'], logits: Float32Array): Promise<string[]> {
    const { values, classes } = this.#form;
    const ids: string[] = [];
    const pace = new Pace();
    for (let i = 0; i < logits.length / classes; i++) {
      while (this.#chunks.isFull) await this.#upkeep.now();
      const time = Date.now();
      const segment = this.#segmentFor(time);
      const index = segment.add(time);
      this.#chunks.append(segment, index, time, {
        input: inputs.subarray(i * values, (i + 1) * values),
        logits: logits.subarray(i * classes, (i + 1) * classes),
      });
      this.#bytes += segment.stride;
      ids.push(segment.idOf(index));
      this.#upkeep.soon(writeDelayMs);
      if (pace.isOver) await pace.rest();
    }
    this.#evict();
    return ids;
  }

  #segmentFor(time: number): Segment {
    const current = this.#current;
    if (current && current.count < this.#perSegment && !this.#isOld(current, time)) return current;
    const segment = new Segment(++this.#last, randomBytes(8).toString('hex'), this.#form);
    this.#segments.push(segment);
    this.#byToken.set(segment.token, segment);
    this.#bytes += fileHeaderBytes;
    this.#current = segment;
    this.#evict();
    return segment;
  }

  /** Few samples, too, leave the disk soon after they expired. */
  #isOld({ start }: Segment, time: number): boolean {
    return time - start > Math.min(Math.max(this.#limits.ttlMs / 8, 1000), longestSegmentMs);
  }

  /** The sample of an id that waits for its label; undefined where there is none. Whoever takes it settles or releases it. */
  take(id: string): Taken | undefined {
    const found = this.#find(id);
    found?.segment.take(found.index);
    return found;
  }

  /** Reads what is remembered of a sample that waits for its label, and goes on to; undefined where none does. */
  look(id: string): (() => Promise<Remembered | undefined>) | undefined {
    const found = this.#find(id);
    return found && (() => this.#files.read(found.segment, found.index));
  }

  #find(id: string): Taken | undefined {
    const segment = this.#byToken.get(id.slice(0, 16));
    const index = Number(id.slice(17));
    if (!segment || segment.idOf(index) !== id) return undefined;
    segment.expire(Date.now() - this.#limits.ttlMs);
    return segment.isPending(index) ? { segment, index } : undefined;
  }

  /** What is remembered of it; undefined where that is lost, which settles it. */
  async read({ segment, index }: Taken): Promise<Remembered | undefined> {
    const remembered = await this.#files.read(segment, index);
    if (remembered) return remembered;
    segment.settle(index, 'lost');
    warn(`Prediction ${segment.idOf(index)} can get no label any more: its record cannot be read`);
    return undefined;
  }

  /** Its sample was durably learned. */
  settle({ segment, index }: Taken): void {
    segment.settle(index, 'joined');
    if (!segment.isDoomed) this.#bytes += joinedBytes;
    const indices = this.#joined.get(segment);
    if (indices) indices.push(index);
    else this.#joined.set(segment, [index]);
    this.#upkeep.soon(noteDelayMs);
  }

  release({ segment, index }: Taken): void {
    segment.release(index);
    this.#upkeep.soon(noteDelayMs);
  }

  /** Lets go of samples that waited too long. */
  #sweep(): void {
    const now = Date.now();
    for (const segment of this.#segments) if (!segment.isDoomed) segment.expire(now - this.#limits.ttlMs);
    if (this.#current?.isDone && this.#isOld(this.#current, now)) this.#current = undefined;
    this.#evict();
    if (this.#segments.some((segment) => this.#isOver(segment))) this.#upkeep.soon(writeDelayMs);
  }

  #isOver(segment: Segment): boolean {
    return segment.isDone && segment !== this.#current;
  }

  /** Lets go of the oldest samples, until the others fit. */
  #evict(): void {
    for (const segment of this.#segments) {
      if (this.#bytes <= this.#limits.maxBytes) return;
      if (segment === this.#current || segment.isDoomed) continue;
      segment.expireAll();
      this.#doom(segment);
    }
  }

  #doom(segment: Segment): void {
    if (!segment.isDoomed) this.#bytes -= segment.bytes;
    segment.isDoomed = true;
  }

  #answerFailure(cause: unknown, isFirst: boolean): void {
    if (isFirst) {
      const fate = 'They are kept in memory as far as memoryBytes goes, and tried again each second';
      warn(`Predictions that wait for labels cannot be written to ${this.#folder}: ${messageOf(cause)}. ${fate}`);
    }
    this.#drop();
    this.#upkeep.soon(0);
  }

  /** Counts as lost what cannot be kept in memory any longer, or all that is only there. */
  #drop(all = false): void {
    for (const { segment, first, end } of this.#chunks.dropUnwritten(all)) {
      for (let index = first; index < end; index++) if (segment.isPending(index)) segment.settle(index, 'lost');
    }
  }

  async #noteJoined(): Promise<void> {
    if (performance.now() < this.#notedAt + noteDelayMs) {
      if (this.#joined.size > 0) this.#upkeep.soon(noteDelayMs);
      return;
    }
    this.#notedAt = performance.now();
    for (const [segment, indices] of [...this.#joined]) {
      this.#joined.delete(segment);
      try {
        await this.#files.noteJoined(segment, indices);
      } catch (cause) {
        this.#joined.set(segment, [...indices, ...(this.#joined.get(segment) ?? [])]);
        throw cause;
      }
    }
  }

  async #removeDone(): Promise<void> {
    const done = this.#segments.filter((segment) => this.#isOver(segment));
    for (const segment of done) {
      this.#doom(segment);
      this.#byToken.delete(segment.token);
      for (const kind of ['joined', 'expired', 'lost'] as const) this.#saved[kind] += segment.counts[kind];
    }
    this.#segments = this.#segments.filter((segment) => !done.includes(segment));
    this.#gone.push(...done);
    if (this.#gone.length === 0) return;
    this.#saved.removing = this.#gone.map(({ number }) => number);
    await this.#files.writeCounts(this.#saved);
    for (let segment = this.#gone[0]; segment; segment = this.#gone[0]) {
      this.#joined.delete(segment);
      await this.#files.remove(segment);
      this.#gone.shift();
    }
  }

  /** Resolves when the disk is up to date. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#upkeep.close(() => {
      this.#current = undefined;
      this.#notedAt = -Infinity;
    });
    this.#drop(true);
    // What was written is written.
    await this.#files.close().catch(() => {});
  }
}
