// Format of remembered predictions; docs/online.md has it too. Rules:
//
// 1. All records of a file have one size, so that damage to one hides no other. Numbers are little-endian, checksums CRC-32C.
// 2. Records are never changed. A second file notes which of them have their labels.
//
// pending-000000007.log, for samples of 2 uint8 values and 2 classes:
//
//     54 49 50 45 4e 44 47 31  07 00 00 00 00 00 00 00    TIPENDG1, number of the file
//     9f 3c 51 aa 08 77 e2 1d                             token: ids are 9f3c51aa0877e21d-0, -1, …
//     01 00 00 00  02 00 00 00  02 00 00 00  xx xx xx xx  bytes of a value, values, classes, checksum of bytes 0-35
//     xx xx xx xx  00 00 00 00  e8 03 00 00 00 00 00 00   record 0: checksum of the rest, index, milliseconds since 1970
//     00 00 80 3f  00 00 00 c0  05 ff                     logits 1 and -2, values 5 and 255
//
// joined-000000007.log:
//
//     00 00 00 00  xx xx xx xx                            index, checksum of the file's number and the index
import fs from 'node:fs';
import { bytesOf, type Values, type ValueType, valueArrays } from '../../core/sample-values';
import { native } from '../../native/native';

/** The form of all records of a file. */
export interface RecordForm {
  type: ValueType;
  /** Of one sample. */
  values: number;
  classes: number;
}

/** A sample and its prediction. */
export interface Remembered {
  input: Values;
  logits: Float32Array;
}

const magic = Buffer.from('TIPENDG1');
export const fileHeaderBytes = 40;
const recordHeaderBytes = 16;
export const joinedBytes = 8;

const nameOf = (kind: string, number: number) => `${kind}-${String(number).padStart(9, '0')}.log`;
export const pendingName = (number: number) => nameOf('pending', number);
/** Notes which records of a file have their labels. */
export const joinedName = (number: number) => nameOf('joined', number);

/** Numbers of the files in a folder, in order: of predictions and of labels. */
export function fileNumbersIn(folder: string): { pending: number[]; joined: number[] } {
  const names = fs.readdirSync(folder);
  const numbersOf = (pattern: RegExp) =>
    names
      .map((name) => pattern.exec(name))
      .flatMap((match) => (match ? [Number(match[1])] : []))
      .sort((a, b) => a - b);
  return { pending: numbersOf(/^pending-(\d{9,15})\.log$/), joined: numbersOf(/^joined-(\d{9,15})\.log$/) };
}

/** Bytes of a record. */
export function strideOf({ type, values, classes }: RecordForm): number {
  return recordHeaderBytes + 4 * classes + valueArrays[type].BYTES_PER_ELEMENT * values;
}

export function encodeHeader(number: number, token: string, { type, values, classes }: RecordForm): Buffer {
  const header = Buffer.alloc(fileHeaderBytes);
  magic.copy(header);
  header.writeBigUInt64LE(BigInt(number), 8);
  header.write(token, 16, 'hex');
  header.writeUInt32LE(valueArrays[type].BYTES_PER_ELEMENT, 24);
  header.writeUInt32LE(values, 28);
  header.writeUInt32LE(classes, 32);
  header.writeUInt32LE(native().crc32c([header.subarray(0, 36)]), 36);
  return header;
}

/** undefined: the header is invalid. */
export function decodeHeader(header: Buffer, number: number): { token: string; form: RecordForm } | undefined {
  if (header.length < fileHeaderBytes || !header.subarray(0, magic.length).equals(magic)) return undefined;
  if (header.readUInt32LE(36) !== native().crc32c([header.subarray(0, 36)])) return undefined;
  if (Number(header.readBigUInt64LE(8)) !== number) return undefined;
  const type = header.readUInt32LE(24) === 1 ? 'uint8' : 'float32';
  const form: RecordForm = { type, values: header.readUInt32LE(28), classes: header.readUInt32LE(32) };
  return { token: header.toString('hex', 16, 24), form };
}

/** Writes a record to `bytes`, all but its checksum. */
export function putRecord(bytes: Buffer, index: number, time: number, { input, logits }: Remembered): void {
  bytes.writeUInt32LE(index, 4);
  bytes.writeBigUInt64LE(BigInt(time), 8);
  bytes.set(bytesOf(logits), recordHeaderBytes);
  bytes.set(bytesOf(input), recordHeaderBytes + logits.byteLength);
}

export function sealRecord(record: Buffer): void {
  record.writeUInt32LE(native().crc32c([record.subarray(4)]), 0);
}

export function isWhole(record: Buffer, index: number): boolean {
  return record.readUInt32LE(4) === index && record.readUInt32LE(0) === native().crc32c([record.subarray(4)]);
}

export const timeOf = (record: Buffer) => Number(record.readBigUInt64LE(8));

/** Copies a sample and its prediction from a record. */
export function rememberedIn(record: Buffer, { type, classes }: RecordForm): Remembered {
  const inputAt = recordHeaderBytes + 4 * classes;
  // Typed arrays of four-byte numbers need aligned memory.
  const copy = (from: number, to?: number) => Uint8Array.from(record.subarray(from, to)).buffer;
  return { logits: new Float32Array(copy(recordHeaderBytes, inputAt)), input: new valueArrays[type](copy(inputAt)) };
}

export function encodeJoined(number: number, indices: readonly number[]): Buffer {
  const bytes = Buffer.alloc(indices.length * joinedBytes);
  for (const [i, index] of indices.entries()) {
    bytes.writeUInt32LE(index, i * joinedBytes);
    bytes.writeUInt32LE(joinedChecksum(number, index), i * joinedBytes + 4);
  }
  return bytes;
}

/** The index of an entry; undefined: the entry is damaged. */
export function decodeJoined(number: number, bytes: Buffer, at: number): number | undefined {
  const index = bytes.readUInt32LE(at);
  return bytes.readUInt32LE(at + 4) === joinedChecksum(number, index) ? index : undefined;
}

const checked = Buffer.alloc(12);
function joinedChecksum(number: number, index: number): number {
  checked.writeBigUInt64LE(BigInt(number), 0);
  checked.writeUInt32LE(index, 8);
  return native().crc32c([checked]);
}
