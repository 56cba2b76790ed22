// The bytes of remembered predictions: files whose records are all of one size, so that damage to one hides no other.
// docs/online.md has the layout.
import fs from 'node:fs';
import { bytesOf, type Values, type ValueType, valueArrays } from '../../core/sample-values';
import { native } from '../../native/native';

/** What all samples of a file have in common. */
export interface SampleForm {
  type: ValueType;
  /** Of one sample. */
  values: number;
  classes: number;
}

/** A sample, and what was said of it. */
export interface Remembered {
  input: Values;
  logits: Float32Array;
}

const magic = Buffer.from('TIPENDG1');
/** magic, number of the file, token, bytes of a value, values, classes, CRC-32C of this header up to here. */
export const fileHeaderBytes = 40;
/** CRC-32C of the record from here on, its index in the file, milliseconds since 1970. */
const recordHeaderBytes = 16;
/** Index of a record that got its label, CRC-32C of the file's number and that. */
export const joinedBytes = 8;

const nameOf = (kind: string, number: number) => `${kind}-${String(number).padStart(9, '0')}.log`;
export const pendingName = (number: number) => nameOf('pending', number);
/** Which records of a file got their labels. */
export const joinedName = (number: number) => nameOf('joined', number);

/** Numbers of the files in a folder, in order: of predictions, and of labels. */
export function numbersIn(folder: string): { pending: number[]; joined: number[] } {
  const names = fs.readdirSync(folder);
  const numbersOf = (pattern: RegExp) =>
    names
      .map((name) => pattern.exec(name))
      .flatMap((match) => (match ? [Number(match[1])] : []))
      .sort((a, b) => a - b);
  return { pending: numbersOf(/^pending-(\d{9,15})\.log$/), joined: numbersOf(/^joined-(\d{9,15})\.log$/) };
}

/** Bytes of a record. */
export function strideOf({ type, values, classes }: SampleForm): number {
  return recordHeaderBytes + 4 * classes + valueArrays[type].BYTES_PER_ELEMENT * values;
}

export function encodeHeader(number: number, token: string, { type, values, classes }: SampleForm): Buffer {
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

/** undefined: it is none. */
export function decodeHeader(header: Buffer, number: number): { token: string; form: SampleForm } | undefined {
  if (header.length < fileHeaderBytes || !header.subarray(0, magic.length).equals(magic)) return undefined;
  if (header.readUInt32LE(36) !== native().crc32c([header.subarray(0, 36)])) return undefined;
  if (Number(header.readBigUInt64LE(8)) !== number) return undefined;
  const type = header.readUInt32LE(24) === 1 ? 'uint8' : 'float32';
  const form: SampleForm = { type, values: header.readUInt32LE(28), classes: header.readUInt32LE(32) };
  return { token: header.toString('hex', 16, 24), form };
}

/** Puts a record into `bytes`, all but its checksum. */
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

/** A copy of what a record holds. */
export function rememberedIn(record: Buffer, { type, classes }: SampleForm): Remembered {
  const inputAt = recordHeaderBytes + 4 * classes;
  // Numbers of four bytes cannot be read from anywhere.
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

/** The index that an entry stands for; undefined where it is damaged. */
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
