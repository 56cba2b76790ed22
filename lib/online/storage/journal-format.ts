// Format of the journal; docs/online.md has it too. Rules:
//
// 1. Records have numbers from 1, over all files. A file holds records without gaps; its name and header have the number of the first.
// 2. Every header ends in a checksum of the bytes before it, and a record's header has the checksum of its payload: any other byte
//    is damage, and is found. Numbers are little-endian, checksums CRC-32C.
// 3. A chain runs through all records: it starts with a random number, and each record changes it to the checksum of the old value
//    and of bytes 0-19 of the record's header. Files and snapshots state the chain, so that a file of another learner, or of the
//    same one at another time, does not fit.
//
// journal-000000000000001.log, with one record of 14 bytes:
//
//     54 49 4a 4f 55 52 4e 31  01 00 00 00 00 00 00 00    TIJOURN1, number of the first record
//     xx xx xx xx  xx xx xx xx                            chain before it, checksum of bytes 0-19
//     0e 00 00 00  xx xx xx xx                            record 1: length and checksum of the payload,
//     01 00 00 00 00 00 00 00  04 00 00 00  xx xx xx xx   number, kind (4: rollback), checksum of bytes 0-19
//     7b 22 76 65 72 73 69 6f 6e 22 3a 20 32 7d           {"version": 2}
import fs from 'node:fs';
import path from 'node:path';
import { LearnError } from '../../core/errors';
import { native } from '../../native/native';

/** Of a file's header and of a record's. */
export const headerBytes = 24;
const checkedBytes = 20;
const magic = Buffer.from('TIJOURN1');

/** A position between two records. */
export interface JournalPosition {
  /** Number of the record before it. */
  sequence: number;
  /** See rule 3. */
  chain: number;
}

export interface JournalRecord extends JournalPosition {
  kind: number;
  payload: Buffer;
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

/** The header of a file that starts at `position`. */
export function fileHeader({ sequence, chain }: JournalPosition): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeBigUInt64LE(BigInt(sequence + 1), 8);
  header.writeUInt32LE(chain, 16);
  return sealed(header);
}

export function recordHeader({ sequence }: JournalPosition, kind: number, parts: readonly Uint8Array[]): Buffer {
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

/** Whether a header is undamaged. */
export function isSound(header: Buffer): boolean {
  return header.length === headerBytes && header.readUInt32LE(checkedBytes) === checksumOf(header);
}

/** Decodes a sound header of a record. */
export function readRecordHeader(header: Buffer) {
  return {
    length: header.readUInt32LE(0),
    checksum: header.readUInt32LE(4),
    sequence: Number(header.readBigUInt64LE(8)),
    kind: header.readUInt32LE(16),
  };
}

/** The position after a record. */
export function positionAfter({ sequence, chain }: JournalPosition, header: Buffer): JournalPosition {
  const before = Buffer.alloc(4);
  before.writeUInt32LE(chain);
  // Without the header's own checksum: including it, the result would be the same for all headers.
  return { sequence: sequence + 1, chain: native().crc32c([before, header.subarray(0, checkedBytes)]) };
}

/** The reason why a file with this header cannot hold the records after `position`, and the byte that shows it. */
export function mismatchOf(header: Buffer, { first }: JournalFile, position: JournalPosition) {
  if (!header.subarray(0, magic.length).equals(magic)) {
    return { at: 0, reason: 'it does not begin as a journal of this version does' };
  }
  if (!isSound(header)) return { at: 0, reason: 'its header has a wrong checksum' };
  const stated = Number(header.readBigUInt64LE(8));
  if (stated !== first) return { at: 8, reason: `it begins with record ${stated}, but its name says ${first}` };
  if (header.readUInt32LE(16) === position.chain) return undefined;
  const reason = `it does not follow record ${position.sequence} of this learner: it is from another one, or from another time`;
  return { at: 16, reason };
}

/** The position before a file's first record, from its header. Throws ERR_JOURNAL if that is damaged. */
export function positionBefore(bytes: Buffer, file: JournalFile): JournalPosition {
  const header = bytes.subarray(0, headerBytes);
  const position = { sequence: file.first - 1, chain: header.length < headerBytes ? 0 : header.readUInt32LE(16) };
  const mismatch = mismatchOf(header, file, position);
  if (mismatch) throw new LearnError('ERR_JOURNAL', `${file.path}: ${mismatch.reason}`);
  return position;
}
