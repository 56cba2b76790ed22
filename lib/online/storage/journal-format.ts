// The bytes of a journal: files of records, each record a header and its payload. docs/online.md has the layout.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError } from '../../core/errors';
import { native } from '../../native/native';

/** A file's begins with its kind, a record's with its length; both end in a checksum of what is before it. */
export const headerBytes = 24;
const checkedBytes = 20;
const magic = Buffer.from('TIJOURN1');

/** A place between two records. */
export interface Position {
  /** Number of the record before it; records count from 1, over all files. */
  sequence: number;
  /**
   * Checksum of the headers of all records up to there, begun with a number drawn by lot. What goes on from here says it too:
   * a file of another learner, or of the same one at another time, does not.
   */
  chain: number;
}

export interface JournalRecord extends Position {
  kind: number;
  payload: Buffer;
  /** Where it stands. */
  path: string;
  offset: number;
}

export interface JournalFile {
  path: string;
  /** Number of its first record. */
  first: number;
}

export const journalName = (first: number) => `journal-${String(first).padStart(15, '0')}.log`;

/** The files of a folder, in order. */
export function journalFiles(folder: string): JournalFile[] {
  return fs
    .readdirSync(folder)
    .map((name) => ({ name, match: /^journal-(\d{15})\.log$/.exec(name) }))
    .filter(({ match }) => match)
    .map(({ name, match }) => ({ path: path.join(folder, name), first: Number(match![1]) }))
    .sort((a, b) => a.first - b.first);
}

/** What a file begins with whose first record is the one behind `position`. */
export function fileHeader({ sequence, chain }: Position): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeBigUInt64LE(BigInt(sequence + 1), 8);
  header.writeUInt32LE(chain, 16);
  return sealed(header);
}

export function recordHeader({ sequence }: Position, kind: number, parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(
    parts.reduce((sum, part) => sum + part.byteLength, 0),
    0,
  );
  header.writeUInt32LE(native().crc32c(parts), 4);
  header.writeBigUInt64LE(BigInt(sequence + 1), 8);
  header.writeUInt32LE(kind, 16);
  return sealed(header);
}

function sealed(header: Buffer): Buffer {
  header.writeUInt32LE(checksumOf(header), checkedBytes);
  return header;
}

function checksumOf(header: Buffer): number {
  return native().crc32c([header.subarray(0, checkedBytes)]);
}

/** Whether a header is what it was when it was written. */
export function isSound(header: Buffer): boolean {
  return header.length === headerBytes && header.readUInt32LE(checkedBytes) === checksumOf(header);
}

/** What a sound header of a record says. */
export function readRecordHeader(header: Buffer) {
  return {
    length: header.readUInt32LE(0),
    checksum: header.readUInt32LE(4),
    sequence: Number(header.readBigUInt64LE(8)),
    kind: header.readUInt32LE(16),
  };
}

/** The place behind a record. */
export function behind({ sequence, chain }: Position, header: Buffer): Position {
  const before = Buffer.alloc(4);
  before.writeUInt32LE(chain);
  // Without the header's checksum: over that, any checksum is the same for all headers.
  return { sequence: sequence + 1, chain: native().crc32c([before, header.subarray(0, checkedBytes)]) };
}

/** Why a file that begins with `header` cannot hold what is behind `position`, and at which byte that shows. */
export function objectionTo(header: Buffer, { first }: JournalFile, position: Position) {
  if (!header.subarray(0, magic.length).equals(magic)) {
    return { at: 0, reason: 'it does not begin as a journal of this version does' };
  }
  if (!isSound(header)) return { at: 0, reason: 'its header has another checksum' };
  const stated = Number(header.readBigUInt64LE(8));
  if (stated !== first) return { at: 8, reason: `it begins with record ${stated}, but its name says ${first}` };
  if (header.readUInt32LE(16) === position.chain) return undefined;
  const reason = `it does not follow record ${position.sequence} of this learner: it is of another one, or of another time`;
  return { at: 16, reason };
}

/** The place before a file's first record, as its header says it. Throws ERR_JOURNAL where that is damaged. */
export function positionBefore(bytes: Buffer, file: JournalFile): Position {
  const header = bytes.subarray(0, headerBytes);
  const position = { sequence: file.first - 1, chain: header.length < headerBytes ? 0 : header.readUInt32LE(16) };
  const objection = objectionTo(header, file, position);
  if (objection) throw new LearnError('ERR_JOURNAL', `${file.path}: ${objection.reason}`);
  return position;
}
