// Reads the directory of a zip archive as torch.save writes it: stored records under one top folder. Strict: what other
// readers overlook (two records of one name, bytes after the end, names that disagree) hides one file in another.
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { formatError } from './detect';
import { maxDirectoryBytes, maxNameBytes, maxRecords } from './limits';

/** A record; its bytes follow a local header of which only the two lengths are not known from the directory. */
export interface ZipRecord {
  /** Name with the top folder. */
  readonly path: string;
  /** Where the local header begins. */
  readonly header: number;
  readonly bytes: number;
  readonly crc: number;
  /** Where the next record or the directory begins: the record ends there at the latest. */
  readonly limit: number;
}

export interface ZipArchive {
  /** Records by name without the top folder. */
  readonly records: ReadonlyMap<string, ZipRecord>;
}

const endBytes = 22;
const locatorBytes = 20;
const end64Bytes = 56;
const entryBytes = 46;
const localBytes = 30;

/** An open file of known size. */
export interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly size: number;
}

export async function readZip(file: OpenFile): Promise<ZipArchive> {
  const { count, offset, bytes } = await findDirectory(file);
  if (count > maxRecords || bytes > maxDirectoryBytes || count * entryBytes > bytes) {
    throw formatError(file.path, `its zip directory claims ${count} records in ${bytes} bytes`);
  }
  const directory = await readBytes(file, offset, bytes);
  const entries: Omit<ZipRecord, 'limit'>[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const { entry, next } = readEntry(file, directory, at, offset);
    entries.push(entry);
    at = next;
  }
  if (at !== bytes) throw formatError(file.path, 'its zip directory has bytes behind the last record');
  return { records: named(file, limited(file, entries, offset)) };
}

/** The bytes of one record, checked against its local header and its checksum. */
export async function readRecord(file: OpenFile, record: ZipRecord): Promise<Buffer> {
  const name = Buffer.from(record.path);
  const local = await readBytes(file, record.header, localBytes + name.length);
  const start = record.header + local.length + local.readUInt16LE(28);
  const agrees =
    local.readUInt32LE(0) === 0x04034b50 &&
    local.readUInt16LE(8) === 0 &&
    local.readUInt16LE(26) === name.length &&
    local.subarray(localBytes).equals(name);
  if (!agrees || start + record.bytes > record.limit)
    throw formatError(file.path, `the header of "${record.path}" disagrees with the zip directory`);
  const bytes = await readBytes(file, start, record.bytes);
  // Writers that were told not to compute checksums leave 0.
  if (record.crc !== 0 && crc32(bytes) !== record.crc)
    throw formatError(file.path, `"${record.path}" is damaged: its checksum is wrong`);
  return bytes;
}

async function findDirectory(file: OpenFile): Promise<{ count: number; offset: number; bytes: number }> {
  const tailBytes = Math.min(file.size, endBytes + 0xffff + locatorBytes + end64Bytes);
  const tail = await readBytes(file, file.size - tailBytes, tailBytes);
  let end = tailBytes - endBytes;
  while (
    end >= 0 &&
    !(tail.readUInt32LE(end) === 0x06054b50 && tail.readUInt16LE(end + 20) === tailBytes - end - endBytes)
  )
    end--;
  if (end < 0)
    throw formatError(file.path, 'the zip archive has no end: the file is cut short, or something follows it');

  const small = {
    count: tail.readUInt16LE(end + 10),
    bytes: tail.readUInt32LE(end + 12),
    offset: tail.readUInt32LE(end + 16),
  };
  if (
    tail.readUInt16LE(end + 4) !== 0 ||
    tail.readUInt16LE(end + 6) !== 0 ||
    tail.readUInt16LE(end + 8) !== small.count
  ) {
    throw formatError(file.path, 'it is one part of a zip archive of several');
  }
  const locator = end - locatorBytes;
  if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) return within(file, small, file.size - tailBytes + end);

  const end64 = locator - end64Bytes;
  const place = file.size - tailBytes + end64;
  if (end64 < 0 || tail.readUInt32LE(end64) !== 0x06064b50 || wide(file, tail, locator + 8) !== place) {
    throw formatError(file.path, 'its zip64 end record is not where it is said to be');
  }
  const large = {
    count: wide(file, tail, end64 + 32),
    bytes: wide(file, tail, end64 + 40),
    offset: wide(file, tail, end64 + 48),
  };
  for (const [key, limit] of [
    ['count', 0xffff],
    ['bytes', 0xffffffff],
    ['offset', 0xffffffff],
  ] as const) {
    if (small[key] !== limit && small[key] !== large[key])
      throw formatError(file.path, 'its two zip end records disagree');
  }
  return within(file, large, place);
}

function within<T extends { offset: number; bytes: number }>(file: OpenFile, directory: T, end: number): T {
  if (directory.offset + directory.bytes !== end)
    throw formatError(file.path, 'its zip directory does not end where the end record begins');
  return directory;
}

function readEntry(file: OpenFile, directory: Buffer, at: number, limit: number) {
  if (at + entryBytes > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
    throw formatError(file.path, 'its zip directory is cut short or damaged');
  }
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ];
  const next = at + entryBytes + nameBytes + extraBytes + commentBytes;
  if (next > directory.length || nameBytes > maxNameBytes)
    throw formatError(file.path, 'its zip directory is cut short or damaged');
  const path = readName(file, directory.subarray(at + entryBytes, at + entryBytes + nameBytes));
  const extra = directory.subarray(at + entryBytes + nameBytes, next - commentBytes);
  const wideFields = zip64Fields(file, extra);
  const field = (offset: number) => {
    const value = directory.readUInt32LE(at + offset);
    return value === 0xffffffff ? wideFields() : value;
  };
  const [bytes, stored, header] = [field(24), field(20), field(42)];
  const flags = directory.readUInt16LE(at + 8);
  if (flags & 1) throw formatError(file.path, `"${path}" is encrypted`);
  if (directory.readUInt16LE(at + 10) !== 0)
    throw formatError(file.path, `"${path}" is compressed, which torch.save never does; save it again in Python`);
  if (directory.readUInt16LE(at + 34) !== 0 || bytes !== stored || header + localBytes + nameBytes + bytes > limit) {
    throw formatError(file.path, `"${path}" lies outside the file`);
  }
  return { entry: { path, header, bytes, crc: directory.readUInt32LE(at + 16) }, next };
}

function readName(file: OpenFile, bytes: Buffer): string {
  const name = bytes.toString('utf8');
  const valid =
    Buffer.from(name).equals(bytes) && !/[\0\\]/.test(name) && !name.startsWith('/') && !name.split('/').includes('..');
  if (!valid) throw formatError(file.path, 'a record has a name that no checkpoint has');
  return name;
}

/** Reads the 64-bit values of an entry one after the other, in the order in which its 32-bit fields were full. */
function zip64Fields(file: OpenFile, extra: Buffer): () => number {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) at += 4 + extra.readUInt16LE(at + 2);
  const end = at + 4 <= extra.length ? Math.min(extra.length, at + 4 + extra.readUInt16LE(at + 2)) : 0;
  at += 4;
  return () => {
    if (at + 8 > end) throw formatError(file.path, 'its zip directory is cut short or damaged');
    at += 8;
    return wide(file, extra, at - 8);
  };
}

function wide(file: OpenFile, bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw formatError(file.path, 'its zip directory holds sizes that no file has');
  return value;
}

/** Gives every record the beginning of what follows it, and refuses records that overlap. */
function limited(file: OpenFile, entries: readonly Omit<ZipRecord, 'limit'>[], directory: number): ZipRecord[] {
  const sorted = [...entries].sort((a, b) => a.header - b.header);
  return sorted.map((entry, index) => {
    const limit = sorted[index + 1]?.header ?? directory;
    if (entry.header + localBytes + Buffer.byteLength(entry.path) + entry.bytes > limit)
      throw formatError(file.path, `"${entry.path}" overlaps another record`);
    return { ...entry, limit };
  });
}

function named(file: OpenFile, records: readonly ZipRecord[]): Map<string, ZipRecord> {
  const result = new Map<string, ZipRecord>();
  const top = records[0]?.path.split('/', 1)[0];
  for (const record of records) {
    const slash = record.path.indexOf('/');
    if (slash < 0 || record.path.slice(0, slash) !== top)
      throw formatError(file.path, `"${record.path}" does not lie in the folder "${top}"`);
    const name = record.path.slice(slash + 1);
    if (result.has(name)) throw formatError(file.path, `it holds "${name}" twice`);
    result.set(name, record);
  }
  return result;
}

async function readBytes(file: OpenFile, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.handle.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) throw formatError(file.path, `it ends at byte ${offset + filled}, before what it should hold`);
    filled += bytesRead;
  }
  return buffer;
}
