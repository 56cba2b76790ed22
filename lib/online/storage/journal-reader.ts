// Reads a journal, and tells apart what a crash leaves, a last record that is not whole, from all other damage.
import path from 'node:path';
import { Pieces } from '../../files/sequential-reader';
import { native } from '../../native/native';
import {
  behind,
  headerBytes,
  isSound,
  type JournalFile,
  type JournalRecord,
  journalFiles,
  journalName,
  objectionTo,
  type Position,
  readRecordHeader,
} from './journal-format';

/** Where a journal stops being readable, and why. */
export interface Damage {
  path: string;
  offset: number;
  reason: string;
  /** The first record that cannot be read. */
  record: number;
  /** Nothing but the end of a write that a crash interrupted: no record that was acknowledged. */
  torn: boolean;
}

/** What may be torn of a file: nothing, its last record, or the header that it begins with too. */
type Unfinished = 'nothing' | 'record' | 'header';

/**
 * Reads the records of a folder behind `position`, number after number; `newest` is the last one of which a snapshot knows. Stops
 * at the first that is not whole or not right; `onDamage` is told.
 */
export async function* readJournal(
  folder: string,
  position: Position,
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
    // A snapshot is written only when the file behind it has its header, and all files before are on the disk.
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

function gapBefore({ path: file, first }: JournalFile, { sequence }: Position): Damage | undefined {
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
  position: Position,
  unfinished: Unfinished,
  onDamage: (damage: Damage) => void,
): AsyncGenerator<JournalRecord> {
  const pieces = await Pieces.open(file.path);
  try {
    yield* recordsIn(pieces, file, position, unfinished, onDamage);
  } finally {
    await pieces.close();
  }
}

async function* recordsIn(
  pieces: Pieces,
  file: JournalFile,
  position: Position,
  unfinished: Unfinished,
  onDamage: (damage: Damage) => void,
): AsyncGenerator<JournalRecord> {
  let at = position;
  const damage = (offset: number, reason: string, torn = false) =>
    onDamage({ path: file.path, offset, reason, record: at.sequence + 1, torn });
  const begin = await pieces.peek(headerBytes);
  const isWhole = begin.length === headerBytes && !(pieces.size === headerBytes && isZero(begin));
  if (!isWhole) return damage(0, 'its header is not whole', unfinished === 'header');
  const objection = objectionTo(begin, file, at);
  if (objection) return damage(objection.at, objection.reason);
  pieces.skip(headerBytes);

  while (pieces.left > 0) {
    const { offset, left } = pieces;
    const number = at.sequence + 1;
    const header = await pieces.peek(headerBytes);
    const torn = unfinished !== 'nothing';
    if (left < headerBytes) return damage(offset, `the header of record ${number} is not whole`, torn);
    if (!isSound(header)) {
      // A file system may have made the file longer before it wrote what belongs there.
      if (isZero(header) && (await pieces.isZero())) {
        return damage(offset, `there are ${left} zeros where record ${number} belongs`, torn);
      }
      return damage(offset, `the header of record ${number} has another checksum`);
    }
    const { length, checksum, sequence, kind } = readRecordHeader(header);
    if (sequence !== number) return damage(offset, `it holds record ${sequence} where ${number} belongs`);
    if (left < headerBytes + length) {
      return damage(offset, `record ${number} has ${left - headerBytes} of ${length} bytes`, torn);
    }
    const payload = (await pieces.peek(headerBytes + length)).subarray(headerBytes);
    if (checksum !== native().crc32c([payload])) return damage(offset, `record ${number} has another checksum`);
    at = behind(at, header);
    yield { ...at, kind, payload, path: file.path, offset };
    pieces.skip(headerBytes + length);
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
