// Reads the directory of a zip file, which zip-end.ts has found and through which zip.ts reads records. The layout:
//
//   50 4b 03 04 | version flags method time date | crc32 stored size | name length, extra length | name | extra | bytes
//     … the local header and the bytes of each record, from byte 0 on
//   50 4b 01 02 | … crc32 stored size … attributes, offset of the local header | name | extra | comment
//     … the directory: one entry of 46 bytes and its names for each record
//
// Two readers of one zip file can disagree about its content, and then a scanner sees another checkpoint than PyTorch. So
// nothing is read where they could:
//
//  1. Local header, directory entry, ZIP64 field and data descriptor of a record agree on name, method, sizes and checksum.
//  2. Records do not overlap, and the first starts at byte 0. The directory holds nothing but its entries.
//  3. Every record is in one top folder, as torch.save writes them, and is a regular file, stored or deflated, unencrypted.
//     Where the caller allows it, an archive whose first record is in no folder has none.
//  4. No two records have the same name, also not in another case, encoding or "Unicode path" field (zip-names.ts).
//  5. Counts and sizes are compared with the file before memory is allocated for them.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatError } from '../errors';
import { maxDirectoryBytes, maxRecords } from '../limits';
import type { CheckpointFile } from './file';
import { elsewhere32, findDirectory, readUint64 } from './zip-end';
import { checkedName, checkNoTwins, checkSpelling, fieldOf, isMarkedAsUtf8 } from './zip-names';

/** A file inside the zip. */
export interface ZipRecord {
  /** Offset of its local header. */
  readonly header: number;
  /** Its name, including the top folder. */
  readonly path: string;
  readonly flags: number;
  readonly bytes: number;
  /** Bytes that it occupies in the file: fewer than `bytes` if it is deflated. */
  readonly stored: number;
  readonly isDeflated: boolean;
  readonly crc32: number;
  /** Offset at which the next record or the directory starts. */
  limit: number;
}

export interface ZipDirectory {
  /** The one folder that contains every record; empty if no such folder exists. */
  readonly archive: string;
  /** By their name inside that folder. */
  readonly records: ReadonlyMap<string, ZipRecord>;
  /** No record has a checksum, as after torch.serialization.set_crc32_options(False). */
  readonly isUnchecked: boolean;
}

const entryBytes = 46;
const localBytes = 30;
const storedMethod = 0;
const deflatedMethod = 8;
/** Flags for: encrypted, patched, strongly encrypted, encrypted directory. */
const secretFlags = 0x2061;
/** Flag for: sizes and checksum follow the bytes, in a data descriptor. */
const describedFlag = 8;
/** DOS attribute of a folder, from which PyTorch reads no bytes. */
const folderAttribute = 0x10;
/** File type in a Unix mode, and its value for a regular file. Tools that record no Unix mode leave it 0. */
const modeOfKind = 0xf000;
const modeOfFile = 0x8000;
/** Entries parsed per turn of the event loop: about a millisecond. */
const entriesPerTurn = 1000;

/** `mayBeFlat`: the records may be in no folder. */
export async function readZipDirectory(
  file: CheckpointFile,
  signal?: AbortSignal,
  mayBeFlat = false,
): Promise<ZipDirectory> {
  const { count, start, bytes } = await findDirectory(file);
  // Checked before anything is allocated: an entry has at least `entryBytes`.
  if (count > maxRecords || bytes > maxDirectoryBytes)
    throw formatError(`its directory of ${count} records is too large`);
  if (count * entryBytes > bytes)
    throw formatError(`its directory of ${bytes} bytes is too small for ${count} records`);
  const entries = new DirectoryEntries(await file.read(start, bytes), count, mayBeFlat);
  while (!entries.parse(entriesPerTurn)) {
    await nextTurn();
    signal?.throwIfAborted();
  }
  const { all, archive, records } = entries;
  if (all.length === 0) throw formatError('the zip file is empty');
  checkNoTwins(records);
  setLimits(all, start);
  return { archive, records, isUnchecked: all.every(({ crc32 }) => crc32 === 0) };
}

class DirectoryEntries {
  readonly all: ZipRecord[] = [];
  readonly records = new Map<string, ZipRecord>();
  archive = '';
  readonly #bytes: Buffer;
  readonly #count: number;
  readonly #mayBeFlat: boolean;
  #at = 0;
  /** Whether the names beyond ASCII so far are marked as UTF-8; undefined before the first of them. */
  #isMarked: boolean | undefined;

  constructor(bytes: Buffer, count: number, mayBeFlat: boolean) {
    this.#bytes = bytes;
    this.#count = count;
    this.#mayBeFlat = mayBeFlat;
  }

  /** Parses up to `count` entries. Returns true after the last one. */
  parse(count: number): boolean {
    const end = Math.min(this.#count, this.all.length + count);
    while (this.all.length < end) this.#add(this.#next(this.all.length));
    if (end < this.#count) return false;
    if (this.#at !== this.#bytes.length) throw formatError('its zip directory holds more than its records');
    return true;
  }

  #next(index: number): ZipRecord {
    const [bytes, at] = [this.#bytes, this.#at];
    if (at + entryBytes > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) {
      throw formatError(`entry ${index} of its zip directory is damaged`);
    }
    const nameEnd = at + entryBytes + bytes.readUInt16LE(at + 28);
    const extraEnd = nameEnd + bytes.readUInt16LE(at + 30);
    this.#at = extraEnd + bytes.readUInt16LE(at + 32);
    if (this.#at > bytes.length) throw formatError(`entry ${index} of its zip directory is cut`);
    const name = bytes.subarray(at + entryBytes, nameEnd);
    const extra = bytes.subarray(nameEnd, extraEnd);
    const path = checkedName(name, index);
    this.#checkEncoding(isMarkedAsUtf8(path, name, bytes.readUInt16LE(at + 8), extra), path);
    return parseEntry(bytes.subarray(at, at + entryBytes), path, extra);
  }

  #checkEncoding(isMarked: boolean | undefined, path: string): void {
    if (isMarked === undefined) return;
    this.#isMarked ??= isMarked;
    if (isMarked !== this.#isMarked) throw formatError(`record ${path} is named in another encoding than others`);
  }

  #add(record: ZipRecord): void {
    const { path, bytes } = record;
    this.all.push(record);
    if (this.all.length === 1) this.archive = path.slice(0, Math.max(0, path.indexOf('/')));
    const isFlat = this.archive === '' && this.#mayBeFlat;
    if (!isFlat && (this.archive === '' || !path.startsWith(`${this.archive}/`))) {
      throw formatError(`record ${path} is not in the one top folder that torch.save makes`);
    }
    const name = isFlat ? path : path.slice(this.archive.length + 1);
    if (name === '' || name.endsWith('/')) {
      // Zip tools add entries for folders.
      if (bytes > 0) throw formatError(`record ${path} is a folder but has ${bytes} bytes`);
      return;
    }
    checkSpelling(name, path);
    if (this.records.has(name)) throw formatError(`record ${path} occurs twice`);
    this.records.set(name, record);
  }
}

function parseEntry(entry: Buffer, path: string, extra: Buffer): ZipRecord {
  const flags = entry.readUInt16LE(8);
  const method = entry.readUInt16LE(10);
  if (flags & secretFlags) throw formatError(`record ${path} is encrypted`);
  if (method !== storedMethod && method !== deflatedMethod) {
    const advice = 'torch.save stores records uncompressed; unpack the file and zip it again with: zip -0 -r';
    throw formatError(`record ${path} is compressed (method ${method}); ${advice}`);
  }
  if (entry.readUInt16LE(34) !== 0) throw formatError(`record ${path} is in another part of the zip file`);
  checkIsFile(entry.readUInt32LE(38), path);
  const narrow = [entry.readUInt32LE(24), entry.readUInt32LE(20), entry.readUInt32LE(42)] as const;
  const [bytes, stored, header] = wideValues(narrow, fieldOf(extra, zip64Kind, path), path);
  const isDeflated = method === deflatedMethod;
  if (stored !== bytes && (!isDeflated || stored === 0))
    throw formatError(`record ${path} is stored in ${stored} bytes but has ${bytes}`);
  return {
    path,
    flags,
    header: header!,
    bytes: bytes!,
    stored: stored!,
    isDeflated,
    crc32: entry.readUInt32LE(16),
    limit: 0,
  };
}

/** A record that is marked as a folder or a link is empty to one reader and a file with content to another. */
function checkIsFile(attributes: number, path: string): void {
  const kind = (attributes >>> 16) & modeOfKind;
  const isFile = (attributes & folderAttribute) === 0 && (kind === 0 || kind === modeOfFile);
  if (!isFile && !path.endsWith('/')) throw formatError(`record ${path} is marked as a folder or a link`);
}

const zip64Kind = 1;

/**
 * Returns size, stored size and offset. The ZIP64 field holds those that do not fit into 32 bits, in this order. Some tools
 * also repeat there the values that do fit: then they must be equal, and at the place where a reader that counts from the
 * front of the field finds them.
 */
function wideValues(narrow: readonly number[], field: Buffer | undefined, path: string): readonly number[] {
  const isElsewhere = narrow.map((value) => value === elsewhere32);
  const needed = isElsewhere.filter(Boolean).length;
  if (!field) {
    if (needed > 0) throw formatError('its zip directory is missing a 64-bit size');
    return narrow;
  }
  const held = Math.floor(field.length / 8);
  if (held < needed) throw formatError('its zip directory is missing a 64-bit size');
  if (held === needed && field.length === 8 * held) {
    let next = 0;
    return narrow.map((value, i) => (isElsewhere[i] ? readUint64(field, 8 * next++) : value));
  }
  const values = narrow.map((value, i) => (i < held ? readUint64(field, 8 * i) : value));
  const agrees = narrow.every((value, i) => (isElsewhere[i] ? i < needed : value === values[i]));
  // All three may be followed by the number of the zip file's part.
  const rest = field.length - 8 * held;
  const isWhole = held <= 3 && (rest === 0 || (held === 3 && rest === 4 && field.readUInt32LE(24) === 0));
  if (agrees && isWhole) return values;
  throw formatError(`record ${path} has a ZIP64 field that contradicts its entry of the zip directory`);
}

/** Checks that no two records claim the same bytes: each ends no later than the next starts. The first starts the file. */
function setLimits(records: ZipRecord[], end: number): void {
  const isBefore = (record: ZipRecord, i: number) => i === 0 || records[i - 1]!.header < record.header;
  const sorted = records.every(isBefore) ? records : [...records].sort((a, b) => a.header - b.header);
  sorted.forEach((record, i) => {
    record.limit = sorted[i + 1]?.header ?? end;
    if (record.header + localBytes + record.stored > record.limit)
      throw formatError(`record ${record.path} overlaps another or lies outside the file: it is cut or damaged`);
  });
  if (sorted[0]!.header !== 0) throw formatError('the zip file starts with a record that its directory does not list');
}

/** Returns the offset of the record's bytes. Its local header must agree with the directory, or leave a value open. */
export async function locate(file: CheckpointFile, record: ZipRecord, isUnchecked: boolean): Promise<number> {
  const name = Buffer.from(record.path, 'utf8');
  const local = await file.peek(record.header, localBytes + name.length);
  const data = record.header + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  const flags = local.readUInt16LE(6);
  const agrees =
    local.readUInt32LE(0) === 0x04034b50 &&
    (flags & secretFlags) === 0 &&
    local.readUInt16LE(8) === (record.isDeflated ? deflatedMethod : storedMethod) &&
    local.readUInt16LE(26) === name.length &&
    local.subarray(localBytes).equals(name) &&
    factsAgree(record, isUnchecked, (flags & describedFlag) !== 0, {
      crc32: local.readUInt32LE(14),
      stored: local.readUInt32LE(18),
      bytes: local.readUInt32LE(22),
    });
  if (!agrees) throw formatError(`the header of record ${record.path} does not agree with the zip directory`);
  if (data + record.stored > record.limit) throw formatError(`record ${record.path} overlaps what follows it`);
  if (local.readUInt32LE(18) === elsewhere32 || local.readUInt32LE(22) === elsewhere32)
    await checkLocalSizes(file, record, data - local.readUInt16LE(28), data);
  if (flags & describedFlag) await checkDescriptor(file, record, data + record.stored, isUnchecked);
  return data;
}

interface LocalFacts {
  crc32: number;
  stored: number;
  bytes: number;
}

/** Compares a local header with the directory. If a data descriptor follows the bytes, the header may hold 0. */
function factsAgree(record: ZipRecord, isUnchecked: boolean, isDescribed: boolean, local: LocalFacts): boolean {
  const isOpen = (value: number) => isDescribed && value === 0;
  const sizeAgrees = (here: number, there: number) => here === there || here === elsewhere32 || isOpen(here);
  const crcAgrees = isUnchecked || local.crc32 === record.crc32 || isOpen(local.crc32);
  return crcAgrees && sizeAgrees(local.stored, record.stored) && sizeAgrees(local.bytes, record.bytes);
}

/** Checks the ZIP64 field of a local header that refers to it for its sizes. */
async function checkLocalSizes(file: CheckpointFile, record: ZipRecord, start: number, end: number): Promise<void> {
  const field = fieldOf(await file.peek(start, end - start), zip64Kind, record.path);
  const agrees =
    field && field.length >= 16 && readUint64(field, 0) === record.bytes && readUint64(field, 8) === record.stored;
  if (!agrees) throw formatError(`the header of record ${record.path} does not agree with the zip directory`);
}

/** Checks the data descriptor that follows the bytes of a record, if there is one: streaming readers rely on it. */
async function checkDescriptor(file: CheckpointFile, record: ZipRecord, at: number, isUnchecked: boolean) {
  const room = record.limit - at;
  if (room < 16) return;
  const found = await file.peek(at, Math.min(room, 24));
  if (found.readUInt32LE(0) !== 0x08074b50) return;
  const crcAgrees = isUnchecked || found.readUInt32LE(4) === record.crc32;
  const isNarrow = found.readUInt32LE(8) === record.stored && found.readUInt32LE(12) === record.bytes;
  const isWide = found.length >= 24 && readUint64(found, 8) === record.stored && readUint64(found, 16) === record.bytes;
  if (!crcAgrees || !(isNarrow || isWide))
    throw formatError(`the descriptor of record ${record.path} does not agree with the zip directory`);
}
