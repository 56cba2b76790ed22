// Store of predictions that wait for their labels. Rules:
//
// 1. Memory and disk are bounded: the newest predictions are in memory, all are on the disk, and the oldest expire when there are
//    too many. About four bytes each stay in memory.
// 2. predict() does not wait for the disk unless more than `memoryBytes` are unwritten. Writing follows within milliseconds, so that
//    predictions survive a killed process.
// 3. Every prediction is counted exactly once: pending, joined, expired or lost. The counts of a file are saved before it is removed.
// 4. No damage and no full disk stops the learner: what cannot be kept or read is counted as lost, with a warning.
import { randomBytes } from 'node:crypto';
import { BackgroundTask } from '../../core/background-task';
import { messageOf } from '../../core/errors';
import { part } from '../../core/sample-values';
import { TimeSlice } from '../../core/time-slice';
import type { FeedbackOptions } from '../options';
import type { FolderGuard } from '../storage/journal-writer';
import { Chunks } from './chunks';
import type { SavedCounts } from './counts';
import { PendingFiles } from './files';
import { headerBytesOf, type RecordForm } from './form';
import { joinedBytes, type Remembered, strideOf } from './format';
import { JoinedLabels, noteDelayMs } from './joined-labels';
import { type Scan, scanPending, warn } from './scan';
import { Segment } from './segment';

type Limits = Required<FeedbackOptions>;

/** All predictions that were ever remembered, each counted once. */
export interface FeedbackMetrics {
  /** They wait for their labels, or are being learned. */
  pending: number;
  /** Their labels arrived. */
  joined: number;
  /** They waited too long, or for too many others. */
  expired: number;
  /** They could not be kept, or not be read again. */
  lost: number;
}

/** A sample whose label arrived. */
export interface Taken {
  segment: Segment;
  index: number;
}

const largestSegment = 64 * 2 ** 20;
const longestSegmentMs = 24 * 60 * 60 * 1000;
/** Delay of a write after a prediction; later predictions are written with it. */
const writeDelayMs = 5;

export class PendingStore {
  readonly #folder: string;
  readonly #form: RecordForm;
  readonly #limits: Limits;
  readonly #perSegment: number;
  readonly #chunks: Chunks;
  readonly #files: PendingFiles;
  readonly #joined: JoinedLabels;
  /** Oldest first. */
  #segments: Segment[];
  readonly #byToken: Map<string, Segment>;
  /** The segment of the next predictions. */
  #current: Segment | undefined;
  #last: number;
  readonly #saved: SavedCounts;
  readonly #unread: number;
  /** Segments that are counted in `#saved`, and whose files are to be removed. */
  #gone: Segment[] = [];
  /** On the disk, of all segments that are not doomed. */
  #bytes: number;
  readonly #disk = new BackgroundTask(
    [() => this.#files.flush(), () => this.#noteJoined(), () => this.#removeDone()],
    (cause, isFirst) => this.#answerFailure(cause, isFirst),
  );
  readonly #sweeper: NodeJS.Timeout;

  private constructor(folder: string, guard: FolderGuard, form: RecordForm, limits: Limits, scan: Scan) {
    const { saved, segments, last, unread } = scan;
    this.#folder = folder;
    this.#form = form;
    this.#limits = limits;
    const segmentBytes = Math.min(largestSegment, limits.maxBytes / 16);
    this.#perSegment = Math.max(1, Math.floor((segmentBytes - headerBytesOf(form)) / strideOf(form)));
    this.#chunks = new Chunks(limits.memoryBytes);
    this.#files = new PendingFiles(folder, guard, this.#chunks);
    this.#joined = new JoinedLabels(this.#files);
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

  /** Resumes with the predictions in the folder. `knows`: whether the sample of an id was learned. */
  static async open(
    folder: string,
    form: RecordForm,
    limits: Limits,
    knows: (id: string) => boolean,
    guard: FolderGuard,
  ): Promise<PendingStore> {
    const scan = await scanPending(folder, form, knows);
    return new PendingStore(folder, guard, form, limits, scan);
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
   * Remembers samples, each input and the logits [sample, …] row by row, and resolves with an id for each. Waits for the disk only if
   * more than `memoryBytes` are unwritten.
   */
  async remember(inputs: Remembered['inputs'], logits: Float32Array): Promise<string[]> {
    const { inputs: forms, outputs } = this.#form;
    const ids: string[] = [];
    const slice = new TimeSlice();
    for (let i = 0; i < logits.length / outputs; i++) {
      while (this.#chunks.isFull) await this.#disk.now();
      const time = Date.now();
      const segment = this.#segmentFor(time);
      const index = segment.add(time);
      this.#chunks.append(segment, index, time, {
        inputs: inputs.map((values, k) => part(values, i * forms[k]!.values, (i + 1) * forms[k]!.values)),
        logits: part(logits, i * outputs, (i + 1) * outputs),
      });
      this.#bytes += segment.stride;
      ids.push(segment.idOf(index));
      this.#disk.soon(writeDelayMs);
      if (slice.isOver) await slice.rest();
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
    this.#bytes += segment.headerBytes;
    this.#current = segment;
    this.#evict();
    return segment;
  }

  /** Bounds the age of a segment, so that the disk is freed soon after its samples expired, however few they are. */
  #isOld({ start }: Segment, time: number): boolean {
    return time - start > Math.min(Math.max(this.#limits.ttlMs / 8, 1000), longestSegmentMs);
  }

  /** Takes the sample of an id that waits for its label; undefined: none does. The caller settles or releases it. */
  take(id: string): Taken | undefined {
    const found = this.#find(id);
    found?.segment.take(found.index);
    return found;
  }

  /** Reads a sample that waits for its label, and leaves it waiting; undefined: none of this id waits. */
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

  /** Reads a taken sample; undefined: it is lost, and thereby settled. */
  async read({ segment, index }: Taken): Promise<Remembered | undefined> {
    const remembered = await this.#files.read(segment, index);
    if (remembered) return remembered;
    segment.settle(index, 'lost');
    warn(`Prediction ${segment.idOf(index)} can no longer get a label: its record cannot be read`);
    return undefined;
  }

  /** Its sample was durably learned. */
  settle({ segment, index }: Taken): void {
    segment.settle(index, 'joined');
    if (!segment.isDoomed) this.#bytes += joinedBytes;
    this.#joined.add(segment, index);
    this.#disk.soon(noteDelayMs);
  }

  release({ segment, index }: Taken): void {
    segment.release(index);
    this.#disk.soon(noteDelayMs);
  }

  /** Expires samples that waited too long. */
  #sweep(): void {
    const now = Date.now();
    for (const segment of this.#segments) if (!segment.isDoomed) segment.expire(now - this.#limits.ttlMs);
    if (this.#current?.isDone && this.#isOld(this.#current, now)) this.#current = undefined;
    this.#evict();
    if (this.#segments.some((segment) => this.#isOver(segment))) this.#disk.soon(writeDelayMs);
  }

  #isOver(segment: Segment): boolean {
    return segment.isDone && segment !== this.#current;
  }

  /** Expires the oldest samples until the others fit. */
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
    this.#disk.soon(0);
  }

  /** Counts unwritten predictions as lost: those that exceed the memory, or all. */
  #drop(all = false): void {
    for (const { segment, first, end } of this.#chunks.dropUnwritten(all)) {
      for (let index = first; index < end; index++) if (segment.isPending(index)) segment.settle(index, 'lost');
    }
  }

  async #noteJoined(): Promise<void> {
    if (await this.#joined.write()) this.#disk.soon(noteDelayMs);
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
      this.#joined.forget(segment);
      await this.#files.remove(segment);
      this.#gone.shift();
    }
  }

  /** Resolves when everything is on the disk. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#disk.close(() => {
      this.#current = undefined;
      this.#joined.hurry();
    });
    this.#drop(true);
    // Everything that could be written is written.
    await this.#files.close().catch(() => {});
  }
}
