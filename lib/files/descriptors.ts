// File operations on descriptors, as promises, without the garbage of node:fs/promises: for data that is written with every
// sample.
import fs from 'node:fs';
import { promisify } from 'node:util';

/** Typed by hand: promisify() knows only one of the overloads. */
export const [open, close, fsync] = [fs.open, fs.close, fs.fsync].map((call) => promisify(call)) as unknown as [
  (file: string, flags: string | number) => Promise<number>,
  (descriptor: number) => Promise<void>,
  (descriptor: number) => Promise<void>,
];
export const truncate = promisify(fs.ftruncate) as (descriptor: number, bytes: number) => Promise<void>;
const [write, read] = [fs.writev, fs.read].map((call) => promisify(call)) as unknown as [
  (descriptor: number, buffers: readonly Uint8Array[], at: number | null) => Promise<{ bytesWritten: number }>,
  (descriptor: number, into: Buffer, start: number, size: number, at: number) => Promise<{ bytesRead: number }>,
];

/** Writes all bytes, even if the system accepts fewer at once, at offset `at`; null appends. Returns their number. */
export async function writeAll(
  descriptor: number,
  buffers: readonly Uint8Array[],
  at: number | null = null,
): Promise<number> {
  const rest = buffers.filter((buffer) => buffer.byteLength > 0);
  let done = 0;
  while (rest.length > 0) {
    let { bytesWritten } = await write(descriptor, rest, at === null ? null : at + done);
    if (!(bytesWritten > 0)) throw new Error('the system accepts no more bytes');
    done += bytesWritten;
    while (rest.length > 0 && bytesWritten >= rest[0]!.byteLength) bytesWritten -= rest.shift()!.byteLength;
    if (bytesWritten > 0) rest[0] = rest[0]!.subarray(bytesWritten);
  }
  return done;
}

/** Reads exactly `into.length` bytes. Throws if there are fewer. */
export async function readAll(descriptor: number, into: Buffer, at: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await read(descriptor, into, done, into.length - done, at + done);
    if (bytesRead === 0) throw new Error('it ends too early');
    done += bytesRead;
  }
}
