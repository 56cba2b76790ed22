// Format of remembered predictions; docs/online.md has it too. Rules:
//
// 1. All records of a file have one size, so that damage to one hides no other. Numbers are little-endian, checksums CRC-32C.
// 2. Records are never changed. A second file notes which of them have their labels.
//
// pending-000000007.log, for samples of one input of 2 uint8 values, with 2 logits:
//
//     54 49 50 45 4e 44 47 32  07 00 00 00 00 00 00 00    TIPENDG2, number of the file
//     9f 3c 51 aa 08 77 e2 1d                             token: ids are 9f3c51aa0877e21d-0, -1, …
//     44 00 00 00                                         length of the text: 68
//     7b 22 69 6e 70 75 74 73  …                          {"inputs":[{"name":"input","dtype":"uint8","values":2}],"outputs":2}
//     xx xx xx xx                                         checksum of bytes 0-95
//     xx xx xx xx  00 00 00 00  e8 03 00 00 00 00 00 00   record 0: checksum of the rest, index, milliseconds since 1970
//     00 00 80 3f  00 00 00 c0  05 ff                     logits 1 and -2, values 5 and 255; one input follows the other
//
// Earlier versions wrote the form in binary, for one input of uint8 or float32 values. Their files are read:
//
//     54 49 50 45 4e 44 47 31  07 00 00 00 00 00 00 00    TIPENDG1, number of the file
//     9f 3c 51 aa 08 77 e2 1d                             token
//     01 00 00 00  02 00 00 00  02 00 00 00  xx xx xx xx  bytes of a value, values, logits, checksum of bytes 0-35
//
// joined-000000007.log:
//
//     00 00 00 00  xx xx xx xx                            index, checksum of the file's number and the index
import fs from 'node:fs';
import { bytesOf, type Values, valueArrays } from '../../core/sample-values';
import { native } from '../../native/native';
import type { RecordForm } from './form';

/** A sample and its prediction. */
export interface Remembered {
  /** In the order of the form. */
  inputs: readonly Values[];
  logits: Float32Array;
}

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
export function strideOf({ inputs, outputs }: RecordForm): number {
  return inputs.reduce(
    (bytes, { dtype, values }) => bytes + valueArrays[dtype].BYTES_PER_ELEMENT * values,
    recordHeaderBytes + 4 * outputs,
  );
}

/** Writes a record to `bytes`, all but its checksum. */
export function putRecord(bytes: Buffer, index: number, time: number, { inputs, logits }: Remembered): void {
  bytes.writeUInt32LE(index, 4);
  bytes.writeBigUInt64LE(BigInt(time), 8);
  let at = recordHeaderBytes;
  for (const values of [logits, ...inputs]) {
    bytes.set(bytesOf(values), at);
    at += values.byteLength;
  }
}

export function sealRecord(record: Buffer): void {
  record.writeUInt32LE(native().crc32c([record.subarray(4)]), 0);
}

export function isWhole(record: Buffer, index: number): boolean {
  return record.readUInt32LE(4) === index && record.readUInt32LE(0) === native().crc32c([record.subarray(4)]);
}

export const timeOf = (record: Buffer) => Number(record.readBigUInt64LE(8));

/** Copies a sample and its prediction from a record. */
export function rememberedIn(record: Buffer, { inputs, outputs }: RecordForm): Remembered {
  let at = recordHeaderBytes;
  // Typed arrays of larger numbers need aligned memory.
  const copy = (bytes: number) => {
    at += bytes;
    return Uint8Array.from(record.subarray(at - bytes, at)).buffer;
  };
  const logits = new Float32Array(copy(4 * outputs));
  return {
    logits,
    inputs: inputs.map(({ dtype, values }) => {
      const OneOf = valueArrays[dtype];
      return new OneOf(copy(OneOf.BYTES_PER_ELEMENT * values));
    }),
  };
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
