// Computes and compares checksums of files that were downloaded, here or by the user.
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs/promises';

/** Checksum of a whole file, in hexadecimal. */
export interface Checksum {
  readonly algorithm: 'md5' | 'sha256';
  readonly value: string;
}

/** Hashes a partial file, so that the hash can be continued. A missing file counts as empty. */
export async function hashFile(
  file: string,
  algorithm: Checksum['algorithm'],
  signal?: AbortSignal,
): Promise<{ hash: Hash; size: number }> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { hash: createHash(algorithm), size: 0 };
    throw cause;
  }
  try {
    return await hashHandle(handle, algorithm, signal);
  } finally {
    await handle.close();
  }
}

async function hashHandle(
  handle: fs.FileHandle,
  algorithm: Checksum['algorithm'],
  signal: AbortSignal | undefined,
): Promise<{ hash: Hash; size: number }> {
  const hash = createHash(algorithm);
  const block = Buffer.allocUnsafe(1 << 20);
  for (let size = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(block, 0, block.length, size);
    if (bytesRead === 0) return { hash, size };
    hash.update(block.subarray(0, bytesRead));
    size += bytesRead;
  }
}

/** Returns null if the open file is the expected one, otherwise a description of the difference. */
export async function checkFile(
  handle: fs.FileHandle,
  { algorithm, value }: Checksum,
  bytes: number | null,
  signal?: AbortSignal,
): Promise<string | null> {
  const { hash, size } = await hashHandle(handle, algorithm, signal);
  const actual = hash.digest('hex');
  if (actual === value && (bytes === null || size === bytes)) return null;
  return wrongFile(size, bytes, algorithm, actual, value);
}

export function wrongFile(
  size: number,
  bytes: number | null,
  algorithm: Checksum['algorithm'],
  actual: string,
  expected: string,
): string {
  const sizes = bytes === null || size === bytes ? `${size} bytes` : `${size} bytes instead of ${bytes}`;
  return `the file (${sizes}) has ${algorithm} ${actual} instead of ${expected}`;
}
