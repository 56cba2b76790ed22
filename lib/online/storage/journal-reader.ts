// Reads a journal, and distinguishes a torn end from damage. Rules:
//
// 1. Torn is only what a crash can leave of a write that was never acknowledged: in the last file, after the newest snapshot, an
//    incomplete last record, or zeros where it belongs; or an incomplete header of that file.
// 2. Everything else is damage, a wrong checksum of a complete last record too. The first damage ends the reading.
import path from 'node:path';
import { SequentialReader } from '../../files/sequential-reader';
import { native } from '../../native/native';
import {
  headerBytes,
  isSound,
  type JournalFile,
  type JournalPosition,
  type JournalRecord,
  journalFiles,
  journalName,
  mismatchOf,
  positionAfter,
  readRecordHeader,
} from './journal-format';

/** The first unreadable bytes of a journal. */
export interface Damage {
  path: string;
  offset: number;
  reason: string;
  /** The first record that cannot be read. */
  record: number;
  /** See rule 1. */
  torn: boolean;
}

/** The part of a file that may be torn: nothing, its last record, or its header too. */
type Unfinished = 'nothing' | 'record' | 'header';

/**
 * Reads the records of a folder after `position`, in order; `newest` is the last one that a snapshot includes. Stops at the first
 * torn or damaged one, and calls `onDamage`.
 */
export async function* readJournal(
  folder: string,
  position: JournalPosition,
  newest: number,
  onDamage: (damage: Damage) => void,
): AsyncGenerator<JournalRecord> {
  const files = journalFiles(folder).filter(({ first }) => first > position.sequence);
  let at = position;
  let damaged = false;
  const report = (damage: Damage) => {
    damaged = true;
    onDamage(damage);
  };
  for (const file of files) {
    const gap = gapBefore(file, at);
    if (gap) return report(gap);
    // A snapshot is written only when the file after it has its header, and all files before are on the disk.
    const isLast = file === files.at(-1) && file.first > newest;
    const unfinished = isLast ? (file.first > newest + 1 ? 'header' : 'record') : 'nothing';
    for await (const found of readFile(file, at, unfinished, report)) {
      at = { sequence: found.sequence, chain: found.chain };
      yield found;
    }
    if (damaged) return;
  }
  if ((files.at(-1)?.first ?? 0) > newest) return;
  const reason = `it is missing, though there is a snapshot of record ${newest}`;
  report({ path: path.join(folder, journalName(newest + 1)), offset: 0, reason, record: at.sequence + 1, torn: false });
}

function gapBefore({ path: file, first }: JournalFile, { sequence }: JournalPosition): Damage | undefined {
  const record = sequence + 1;
  if (first === record) return undefined;
  if (first < record) {
    const reason = `it begins with record ${first}, but the file before it ends with ${sequence}`;
    return { path: file, offset: 0, reason, record, torn: false };
  }
  const absent = path.join(path.dirname(file), journalName(record));
  return {
    path: absent,
    offset: 0,
    reason: `it is missing, with records ${record} to ${first - 1}`,
    record,
    torn: false,
  };
}

async function* readFile(
  file: JournalFile,
  position: JournalPosition,
  unfinished: Unfinished,
  onDamage: (damage: Damage) => void,
): AsyncGenerator<JournalRecord> {
  const reader = await SequentialReader.open(file.path);
  try {
    yield* recordsIn(reader, file, position, unfinished, onDamage);
  } finally {
    await reader.close();
  }
}

async function* recordsIn(
  reader: SequentialReader,
  file: JournalFile,
  position: JournalPosition,
  unfinished: Unfinished,
  onDamage: (damage: Damage) => void,
): AsyncGenerator<JournalRecord> {
  let at = position;
  const damage = (offset: number, reason: string, torn = false) =>
    onDamage({ path: file.path, offset, reason, record: at.sequence + 1, torn });
  const first = await reader.peek(headerBytes);
  const isWhole = first.length === headerBytes && !(reader.size === headerBytes && isZero(first));
  if (!isWhole) return damage(0, 'its header is incomplete', unfinished === 'header');
  const mismatch = mismatchOf(first, file, at);
  if (mismatch) return damage(mismatch.at, mismatch.reason);
  reader.skip(headerBytes);

  while (reader.left > 0) {
    const { offset, left } = reader;
    const number = at.sequence + 1;
    const header = await reader.peek(headerBytes);
    const torn = unfinished !== 'nothing';
    if (left < headerBytes) return damage(offset, `the header of record ${number} is incomplete`, torn);
    if (!isSound(header)) {
      // A file system may extend a file before it writes the data.
      if (isZero(header) && (await reader.isZero())) {
        return damage(offset, `there are ${left} zeros where record ${number} belongs`, torn);
      }
      return damage(offset, `the header of record ${number} has a wrong checksum`);
    }
    const { length, checksum, sequence, kind } = readRecordHeader(header);
    if (sequence !== number) return damage(offset, `it holds record ${sequence} where ${number} belongs`);
    if (left < headerBytes + length) {
      return damage(offset, `record ${number} has ${left - headerBytes} of ${length} bytes`, torn);
    }
    const payload = (await reader.peek(headerBytes + length)).subarray(headerBytes);
    if (checksum !== native().crc32c([payload])) return damage(offset, `record ${number} has a wrong checksum`);
    at = positionAfter(at, header);
    yield { ...at, kind, payload, path: file.path, offset };
    reader.skip(headerBytes + length);
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
