// Finds the directory of a zip file from the records at the end of the file:
//
//   50 4b 06 06 | size of the rest … count, count, bytes and start of the directory, 64 bits each    ZIP64 only
//   50 4b 06 07 | part, offset of the record above (64 bits), number of parts                        ZIP64 only
//   50 4b 05 06 | part numbers, count, count, bytes and start of the directory, comment length | comment
//
// Every reader searches for these from the end of the file in its own way. A file on which two readers could find different
// end records is refused. For zip.ts.
import { formatError } from '../errors';
import type { CheckpointFile } from './file';

export interface DirectoryPlace {
  count: number;
  start: number;
  bytes: number;
}

const endBytes = 22;
const maxCommentBytes = 0xffff;
const locatorBytes = 20;
const end64Bytes = 56;
const endMark = Buffer.from('PK\x05\x06', 'latin1');
const end64Mark = 0x06064b50;
const locatorMark = 0x07064b50;
/** Value of a 32-bit or 16-bit field whose real value is in the ZIP64 fields. */
export const elsewhere32 = 0xffffffff;
const elsewhere16 = 0xffff;

export async function findDirectory(file: CheckpointFile): Promise<DirectoryPlace> {
  const tailBytes = Math.min(file.size, maxCommentBytes + endBytes + locatorBytes + end64Bytes);
  const tailStart = file.size - tailBytes;
  const tail = await file.read(tailStart, tailBytes);
  const at = findEnd(tail);
  const narrow = {
    count: tail.readUInt16LE(at + 10),
    bytes: tail.readUInt32LE(at + 12),
    start: tail.readUInt32LE(at + 16),
  };
  if (tail.readUInt32LE(at + 4) !== 0 || tail.readUInt16LE(at + 8) !== narrow.count)
    throw formatError('the zip file is one of several parts');
  const wide = readEnd64(tail, tailStart, at);
  if (wide && !agree(narrow, wide)) throw formatError('its two zip end records disagree');
  const place = wide ?? narrow;
  if (place.start + place.bytes !== (wide?.end ?? tailStart + at)) {
    throw formatError('its zip directory does not end where its end record starts: the file is cut or damaged');
  }
  return place;
}

/** Finds the last end record. Only its comment may follow it, and the comment may not contain another end record. */
function findEnd(tail: Buffer): number {
  const closes = (at: number) =>
    at >= 0 && at + endBytes <= tail.length && at + endBytes + tail.readUInt16LE(at + 20) === tail.length;
  const last = tail.lastIndexOf(endMark);
  if (closes(last)) return last;
  for (let at = last; at > 0; ) {
    at = tail.lastIndexOf(endMark, at - 1);
    if (closes(at))
      throw formatError(
        'its comment holds another end record, so readers would disagree about what is in the zip file',
      );
  }
  throw formatError(
    'the zip file has no directory at its end: it is cut, or was not downloaded to its end. Fetch it again',
  );
}

/** Reads the ZIP64 end record that precedes the end record at `at`; undefined if none exists. */
function readEnd64(tail: Buffer, tailStart: number, at: number): (DirectoryPlace & { end: number }) | undefined {
  const locator = at - locatorBytes;
  if (locator < 0 || tail.readUInt32LE(locator) !== locatorMark) return undefined;
  const end64 = locator - end64Bytes;
  if (
    end64 < 0 ||
    tail.readUInt32LE(end64) !== end64Mark ||
    readUint64(tail, end64 + 4) !== end64Bytes - 12 ||
    readUint64(tail, locator + 8) !== tailStart + end64
  ) {
    throw formatError('its zip directory is damaged: the ZIP64 end record is not where it should be');
  }
  const isSplit = tail.readUInt32LE(locator + 4) !== 0 || tail.readUInt32LE(locator + 16) !== 1;
  if (isSplit || readUint64(tail, end64 + 16) !== 0) throw formatError('the zip file is one of several parts');
  const count = readUint64(tail, end64 + 32);
  if (readUint64(tail, end64 + 24) !== count) throw formatError('its two zip end records disagree');
  return { count, bytes: readUint64(tail, end64 + 40), start: readUint64(tail, end64 + 48), end: tailStart + end64 };
}

/** Checks that each field of the narrow record holds the same value, or its largest one if that does not fit. */
function agree(narrow: DirectoryPlace, wide: DirectoryPlace): boolean {
  return (
    narrow.count === Math.min(wide.count, elsewhere16) &&
    narrow.bytes === Math.min(wide.bytes, elsewhere32) &&
    narrow.start === Math.min(wide.start, elsewhere32)
  );
}

/** Returns an exact number, or Infinity, which is larger than any file. */
export function readUint64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.POSITIVE_INFINITY;
}
