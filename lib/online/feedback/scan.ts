// Scan of the predictions that an earlier process left. No damage makes it fail: predictions that cannot be read are counted as lost.
import fs, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../core/errors';
import { printable } from '../../core/printable';
import { TimeSlice } from '../../core/time-slice';
import { readAll } from '../../files/descriptors';
import { readCounts, type SavedCounts } from './counts';
import { removeFiles } from './files';
import { fits, headerBytesOf, type RecordForm, readHeader } from './form';
import { decodeJoined, fileNumbersIn, isWhole, joinedBytes, joinedName, pendingName, strideOf, timeOf } from './format';
import { Segment } from './segment';

const blockBytes = 256 * 2 ** 10;

export interface Scan {
  saved: SavedCounts;
  segments: Segment[];
  /** The highest number of a file. */
  last: number;
  /** Samples of files that could not be opened, and remain. */
  unread: number;
}

/** `knows`: whether the sample of an id was learned. Warns of damage. */
export async function scanPending(folder: string, form: RecordForm, knows: (id: string) => boolean): Promise<Scan> {
  const { saved, problem } = await readCounts(folder);
  // A file that cannot be removed is ignored.
  for (const number of saved.removing) await removeFiles(folder, number).catch(() => {});
  const { pending: numbers, joined } = fileNumbersIn(folder);
  // Two files never have the same number.
  const last = Math.max(0, ...saved.removing, ...numbers, ...joined);
  const scan: Scan = { saved, segments: [], last, unread: 0 };
  const problems = problem ? [problem] : [];
  for (const number of numbers.filter((one) => !saved.removing.includes(one))) {
    const file = path.join(folder, pendingName(number));
    try {
      const { segment, damaged, reason } = await scanFile(file, number, form);
      await settleJoined(path.join(folder, joinedName(number)), segment);
      for (const index of damaged) segment.settle(index, 'lost');
      await settleKnown(segment, knows);
      scan.segments.push(segment);
      const { lost } = segment.counts;
      if (lost > 0) problems.push(`${lost} of ${segment.count} in ${file}: ${reason}`);
    } catch (cause) {
      const stat = await fs.stat(file).catch(() => undefined);
      scan.unread += recordsIn(stat?.isFile() ? stat.size : 0, headerBytesOf(form), strideOf(form));
      problems.push(`all in ${file}: ${messageOf(cause)}`);
    }
  }
  if (problems.length > 0) warn(`Some predictions can no longer get labels: ${listed(problems)}`);
  return scan;
}

interface ScannedFile {
  segment: Segment;
  /** Samples that cannot be read, and the reason. */
  damaged: number[];
  reason: string;
}

async function scanFile(file: string, number: number, form: RecordForm): Promise<ScannedFile> {
  const handle = await fs.open(file);
  try {
    const { size } = await handle.stat();
    const header = await readHeader(handle.fd, size, number, form);
    const segment = new Segment(number, header.token, header.form, header.bytes);
    if (header.token === '') return allLost(segment, size, 'its header is damaged');
    if (!fits(header.form, form)) {
      return allLost(segment, size, 'the learner takes samples of another type or size now, or has other outputs');
    }
    return { segment, damaged: await scanRecords(handle, segment, size), reason: 'wrong checksums' };
  } finally {
    await handle.close();
  }
}

function allLost(segment: Segment, size: number, reason: string): ScannedFile {
  const damaged = Array.from({ length: recordsIn(size, segment.headerBytes, segment.stride) }, () => segment.add(0));
  return { segment, damaged, reason };
}

/** Whole records: the beginning of one that a crash left does not count. */
function recordsIn(size: number, headerBytes: number, stride: number): number {
  return Math.max(0, Math.floor((size - headerBytes) / stride));
}

/** Adds the samples of a file to its segment. Returns the damaged ones. */
async function scanRecords(handle: FileHandle, segment: Segment, size: number): Promise<number[]> {
  const { stride, headerBytes } = segment;
  const total = recordsIn(size, headerBytes, stride);
  const perBlock = Math.max(1, Math.floor(blockBytes / stride));
  const block = Buffer.alloc(perBlock * stride);
  const damaged: number[] = [];
  const slice = new TimeSlice();
  let time: number | undefined;
  for (let first = 0; first < total; first += perBlock) {
    const count = Math.min(perBlock, total - first);
    await readAll(handle.fd, block.subarray(0, count * stride), headerBytes + first * stride);
    for (let i = 0; i < count; i++) {
      const record = block.subarray(i * stride, (i + 1) * stride);
      if (isWhole(record, first + i)) time = timeOf(record);
      else damaged.push(first + i);
      // Unreadable samples before the first readable one count as equally old.
      while (time !== undefined && segment.count <= first + i) segment.add(time);
      if (slice.isOver) await slice.rest();
    }
  }
  while (segment.count < total) segment.add(0);
  return damaged;
}

/** Skips damaged entries, and finds those after them. */
async function settleJoined(file: string, segment: Segment): Promise<void> {
  const bytes = await fs.readFile(file).catch(() => Buffer.alloc(0));
  const slice = new TimeSlice();
  for (let at = 0; at + joinedBytes <= bytes.length; ) {
    const index = decodeJoined(segment.number, bytes, at);
    if (index !== undefined && index < segment.count) segment.settle(index, 'joined');
    at += index === undefined ? 1 : joinedBytes;
    if (slice.isOver) await slice.rest();
  }
}

/** Settles samples that were learned before that was noted on the disk. */
async function settleKnown(segment: Segment, knows: (id: string) => boolean): Promise<void> {
  const slice = new TimeSlice();
  for (let index = 0; index < segment.count; index++) {
    if (segment.isPending(index) && knows(segment.idOf(index))) segment.settle(index, 'joined');
    if (slice.isOver) await slice.rest();
  }
}

function listed(problems: readonly string[]): string {
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
  return problems.slice(0, 5).join('; ') + more;
}

export function warn(message: string): void {
  process.emitWarning(printable(message), { type: 'LearnWarning', code: 'WARN_FEEDBACK_LOST' });
}
