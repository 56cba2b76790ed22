// Finds records after the damage to a journal, to report what is lost with it.
import fs from 'node:fs/promises';
import path from 'node:path';
import { pieceBytes, SequentialReader } from '../../files/sequential-reader';
import { native } from '../../native/native';
import { headerBytes, isSound, type JournalRecord, journalFiles, readRecordHeader } from '../storage/journal-format';
import type { Damage } from '../storage/journal-reader';
import { decode } from '../storage/records';
import type { JournalLoss } from './report';

interface Recognised {
  /** Records with correct checksums. */
  records: number;
  /** The number of the last one. */
  last: number | null;
  /** New samples in them. */
  samples: number;
}

/** Looks for records in a file, starting at a byte. */
async function recognise(file: string, offset: number): Promise<Recognised> {
  const found: Recognised = { records: 0, last: null, samples: 0 };
  const reader = await SequentialReader.open(file);
  try {
    reader.skip(offset);
    while (reader.left >= headerBytes) {
      const header = await reader.peek(headerBytes);
      const { length, checksum, sequence, kind } = readRecordHeader(header);
      if (!isSound(header) || length > reader.left - headerBytes) {
        await toNextHeader(reader);
        continue;
      }
      const payload = (await reader.peek(headerBytes + length)).subarray(headerBytes);
      if (checksum === native().crc32c([payload])) {
        found.records++;
        found.last = Math.max(sequence, found.last ?? 0);
        found.samples += samplesIn({ sequence, chain: 0, kind, payload, path: file, offset: reader.offset });
      }
      reader.skip(headerBytes + length);
    }
    return found;
  } finally {
    await reader.close();
  }
}

/** Skips to the next bytes that may be a header, or to the end. */
async function toNextHeader(reader: SequentialReader): Promise<void> {
  reader.skip(1);
  while (reader.left >= headerBytes) {
    const piece = await reader.peek(pieceBytes);
    const end = piece.length - headerBytes;
    for (let at = 0; at <= end; at++) {
      if (mayBeHeader(piece, at, reader.left) && isSound(piece.subarray(at, at + headerBytes))) return reader.skip(at);
    }
    reader.skip(end + 1);
  }
}

/** Whether the record's number and length are possible. Fast, since it is called for every byte. */
function mayBeHeader(bytes: Buffer, at: number, left: number): boolean {
  const high = bytes.readUInt32LE(at + 12);
  return high < 2 ** 21 && bytes.readUInt32LE(at) < left && (high > 0 || bytes.readUInt32LE(at + 8) > 0);
}

function samplesIn(record: JournalRecord): number {
  try {
    const decoded = decode(record);
    return decoded.kind === 'batch' && decoded.fresh ? decoded.ids.length : 0;
  } catch {
    return 0;
  }
}

export async function lossOf(folder: string, { path: damaged, offset, reason, record }: Damage): Promise<JournalLoss> {
  const file = path.basename(damaged);
  const laterFiles = journalFiles(folder)
    .map((later) => path.basename(later.path))
    .filter((name) => name > file);
  const loss: JournalLoss = {
    file,
    offset,
    reason,
    firstRecord: record,
    lastRecord: null,
    records: 0,
    samples: 0,
    laterFiles,
    bytes: 0,
  };
  for (const name of [file, ...laterFiles]) {
    // A file with a wrong header is lost completely.
    const from = name === file && offset >= headerBytes ? offset : 0;
    const size = await fileSize(path.join(folder, name));
    loss.bytes += Math.max(0, size - from);
    if (size === 0) continue;
    const { records, last, samples } = await recognise(path.join(folder, name), Math.max(from, headerBytes));
    loss.records += records;
    loss.samples += samples;
    if (last !== null) loss.lastRecord = Math.max(last, loss.lastRecord ?? 0);
  }
  return loss;
}

/** 0 if the file is missing. */
export async function fileSize(file: string): Promise<number> {
  try {
    return (await fs.stat(file)).size;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw cause;
  }
}
