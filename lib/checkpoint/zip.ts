// The directory of a zip file, as strictly as torch.save writes it: nothing is read from where two readers could
// disagree. pth.ts reads records through it.
import { formatError } from './errors';
import type { CheckpointFile } from './file';
import { maxDirectoryBytes, maxRecordNameBytes, maxRecords } from './limits';

/** A file inside the zip. */
export interface ZipRecord {
  /** Where its local header starts. */
  readonly header: number;
  /** With the top folder. */
  readonly path: string;
  readonly bytes: number;
  /** Bytes that it takes in the file: fewer if it is deflated. */
  readonly stored: number;
  readonly isDeflated: boolean;
  readonly crc32: number;
  /** Where the next record or the directory starts. */
  readonly limit: number;
}

export interface ZipDirectory {
  /** The one folder that everything is in. */
  readonly archive: string;
  /** By name inside that folder. */
  readonly records: ReadonlyMap<string, ZipRecord>;
  /** No checksum was recorded for anything, as with torch.serialization.set_crc32_options(False). */
  readonly isUnchecked: boolean;
}

const endBytes = 22;
const maxCommentBytes = 0xffff;
const locatorBytes = 20;
const end64Bytes = 56;
const entryBytes = 46;
const localBytes = 30;
const storedMethod = 0;
const deflatedMethod = 8;
/** In a 32-bit or 16-bit field: the value is in the ZIP64 fields. */
const elsewhere32 = 0xffffffff;
const elsewhere16 = 0xffff;

export async function readZipDirectory(file: CheckpointFile): Promise<ZipDirectory> {
  const { count, start, bytes } = await findDirectory(file);
  // Before anything is allocated: a directory of so many records cannot be smaller than this.
  if (count > maxRecords || bytes > maxDirectoryBytes)
    throw formatError(`its directory of ${count} records is too large`);
  if (count * entryBytes > bytes)
    throw formatError(`its directory of ${bytes} bytes is too small for ${count} records`);
  const records = parseEntries(await file.read(start, bytes), count, start);
  if (records.length === 0) throw formatError('the zip file is empty');
  const archive = records[0]!.path.slice(0, records[0]!.path.indexOf('/'));
  const isUnchecked = records.every(({ crc32 }) => crc32 === 0);
  return { archive, records: byName(records, archive), isUnchecked };
}

interface DirectoryPlace {
  count: number;
  start: number;
  bytes: number;
}

async function findDirectory(file: CheckpointFile): Promise<DirectoryPlace> {
  const tailBytes = Math.min(file.size, maxCommentBytes + endBytes + locatorBytes + end64Bytes);
  const tailStart = file.size - tailBytes;
  const tail = await file.read(tailStart, tailBytes);
  const at = findEnd(tail);
  const disks = tail.readUInt32LE(at + 4);
  const count = tail.readUInt16LE(at + 10);
  const place = { count, bytes: tail.readUInt32LE(at + 12), start: tail.readUInt32LE(at + 16) };
  if (disks !== 0 || tail.readUInt16LE(at + 8) !== count) throw formatError('the zip file is one of several parts');

  let end = tailStart + at;
  const locator = at - locatorBytes;
  if (locator >= 0 && tail.readUInt32LE(locator) === 0x07064b50) {
    const end64 = locator - end64Bytes;
    if (end64 < 0 || tail.readUInt32LE(end64) !== 0x06064b50 || readUint64(tail, locator + 8) !== tailStart + end64) {
      throw formatError('its zip directory is damaged: the ZIP64 end record is not where it should be');
    }
    if (
      tail.readUInt32LE(locator + 4) !== 0 ||
      tail.readUInt32LE(locator + 16) !== 1 ||
      readUint64(tail, end64 + 16) !== 0
    ) {
      throw formatError('the zip file is one of several parts');
    }
    end = tailStart + end64;
    const wide = {
      count: readUint64(tail, end64 + 32),
      bytes: readUint64(tail, end64 + 40),
      start: readUint64(tail, end64 + 48),
    };
    for (const key of ['count', 'bytes', 'start'] as const) {
      const limit = key === 'count' ? elsewhere16 : elsewhere32;
      if (place[key] !== Math.min(wide[key], limit)) throw formatError('its two zip end records disagree');
      place[key] = wide[key];
    }
  }
  if (place.start + place.bytes !== end) {
    throw formatError('its zip directory does not end where its end record starts: the file is cut or damaged');
  }
  return place;
}

/** The end record closes the file; only its comment may follow. */
function findEnd(tail: Buffer): number {
  for (let at = tail.length - endBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) === 0x06054b50 && at + endBytes + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  throw formatError(
    'the zip file has no directory at its end: it is cut, or was not downloaded to its end. Fetch it again',
  );
}

function parseEntries(directory: Buffer, count: number, start: number): ZipRecord[] {
  const records: Entry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + entryBytes > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      throw formatError(`entry ${i} of its zip directory is damaged`);
    }
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const next = at + entryBytes + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
    if (next > directory.length) throw formatError(`entry ${i} of its zip directory is cut`);
    const name = directory.subarray(at + entryBytes, at + entryBytes + nameBytes);
    const extra = directory.subarray(at + entryBytes + nameBytes, at + entryBytes + nameBytes + extraBytes);
    records.push(parseEntry(directory.subarray(at, at + entryBytes), checkedName(name, i), extra));
    at = next;
  }
  if (at !== directory.length) throw formatError('its zip directory holds more than its records');
  return withLimits(records, start);
}

type Entry = Omit<ZipRecord, 'limit'>;

function parseEntry(entry: Buffer, path: string, extra: Buffer): Entry {
  const flags = entry.readUInt16LE(8);
  const method = entry.readUInt16LE(10);
  if (flags & 0x2041) throw formatError(`record ${path} is encrypted`);
  if (method !== storedMethod && method !== deflatedMethod) {
    const advice = 'torch.save stores records uncompressed; unpack the file and zip it again with: zip -0 -r';
    throw formatError(`record ${path} is compressed (method ${method}); ${advice}`);
  }
  const wide = zip64Values(extra);
  const pick = (narrow: number) => (narrow === elsewhere32 ? wide() : narrow);
  const bytes = pick(entry.readUInt32LE(24));
  const stored = pick(entry.readUInt32LE(20));
  const header = pick(entry.readUInt32LE(42));
  if (entry.readUInt16LE(34) !== 0) throw formatError(`record ${path} is in another part of the zip file`);
  const isDeflated = method === deflatedMethod;
  if (stored !== bytes && !isDeflated)
    throw formatError(`record ${path} is stored in ${stored} bytes but has ${bytes}`);
  return { path, header, bytes, stored, isDeflated, crc32: entry.readUInt32LE(16) };
}

/** The values of the ZIP64 field, one a call: it holds only those that did not fit, in a fixed order. */
function zip64Values(extra: Buffer): () => number {
  let at = 0;
  let values = extra.subarray(0, 0);
  while (at + 4 <= extra.length) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) throw formatError('a field of its zip directory is cut');
    if (extra.readUInt16LE(at) === 1) values = extra.subarray(at + 4, end);
    at = end;
  }
  return () => {
    if (values.length < 8) throw formatError('its zip directory lacks a 64-bit size');
    const value = readUint64(values, 0);
    values = values.subarray(8);
    return value;
  };
}

function checkedName(bytes: Buffer, index: number): string {
  const name = bytes.toString('utf8');
  const isPlain = bytes.length > 0 && bytes.length <= maxRecordNameBytes && Buffer.from(name, 'utf8').equals(bytes);
  const isSafe =
    !name.includes('\0') && !name.includes('\\') && !name.startsWith('/') && !name.split('/').includes('..');
  if (!isPlain || !isSafe)
    throw formatError(`record ${index} has the unsafe name ${JSON.stringify(name.slice(0, 100))}`);
  return name;
}

/** No two records may claim the same bytes, so each ends where the next starts, at the latest. Keeps the order. */
function withLimits(records: readonly Entry[], end: number): ZipRecord[] {
  const headers = records.map(({ header }) => header).sort((a, b) => b - a);
  // From the back: of two records at one place the first is met last, and has no room.
  const limits = new Map(headers.map((header, i) => [header, headers[i - 1] ?? end]));
  return records.map((record) => {
    const limit = limits.get(record.header)!;
    if (record.header + localBytes + record.stored > limit) {
      throw formatError(`record ${record.path} overlaps another or lies outside the file: it is cut or damaged`);
    }
    return { ...record, limit };
  });
}

function byName(records: readonly ZipRecord[], archive: string): Map<string, ZipRecord> {
  const found = new Map<string, ZipRecord>();
  for (const record of records) {
    if (archive === '' || !record.path.startsWith(`${archive}/`)) {
      throw formatError(`record ${record.path} is not in the one top folder that torch.save makes`);
    }
    const name = record.path.slice(archive.length + 1);
    if (name === '' || name.endsWith('/')) continue; // a folder, as zip tools add them
    if (found.has(name)) throw formatError(`record ${record.path} is there twice`);
    found.set(name, record);
  }
  return found;
}

/** Where the record's bytes start. Only the lengths of its local header are used, and those are checked. */
export async function locate(file: CheckpointFile, record: ZipRecord): Promise<number> {
  const name = Buffer.from(record.path, 'utf8');
  const local = await file.peek(record.header, localBytes + name.length);
  const data = record.header + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  const agrees =
    local.readUInt32LE(0) === 0x04034b50 &&
    (local.readUInt16LE(6) & 0x2041) === 0 &&
    local.readUInt16LE(8) === (record.isDeflated ? deflatedMethod : storedMethod) &&
    local.readUInt16LE(26) === name.length &&
    local.subarray(localBytes).equals(name);
  if (!agrees) throw formatError(`the header of record ${record.path} does not agree with the zip directory`);
  if (data + record.stored > record.limit) throw formatError(`record ${record.path} overlaps what follows it`);
  return data;
}

/** As a number that is exact, or larger than any file. */
function readUint64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.POSITIVE_INFINITY;
}
