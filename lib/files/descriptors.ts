// Files by their descriptors, as promises, and without the garbage of node:fs/promises: for what is written with every sample.
import fs from 'node:fs';
import { promisify } from 'node:util';

/** Promisified by hand: of functions with several results, promisify() knows the types of one form only. */
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

/** All bytes, however many the system takes at once, from byte `at` on; null: behind the end. Returns how many. */
export async function writeAll(
  descriptor: number,
  buffers: readonly Uint8Array[],
  at: number | null = null,
): Promise<number> {
  const rest = buffers.filter((buffer) => buffer.byteLength > 0);
  let done = 0;
  while (rest.length > 0) {
    let { bytesWritten } = await write(descriptor, rest, at === null ? null : at + done);
    if (!(bytesWritten > 0)) throw new Error('the system takes no more bytes');
    done += bytesWritten;
    while (rest.length > 0 && bytesWritten >= rest[0]!.byteLength) bytesWritten -= rest.shift()!.byteLength;
    if (bytesWritten > 0) rest[0] = rest[0]!.subarray(bytesWritten);
  }
  return done;
}

/** Throws where there are fewer bytes. */
export async function readAll(descriptor: number, into: Buffer, at: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await read(descriptor, into, done, into.length - done, at + done);
    if (bytesRead === 0) throw new Error('it ends too early');
    done += bytesRead;
  }
}
