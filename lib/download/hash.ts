// Checksums of files. For everything that downloads or is handed a file that should have been.
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs/promises';

/** Of a file's whole contents, in hexadecimal. */
export interface Checksum {
  readonly algorithm: 'md5' | 'sha256';
  readonly value: string;
}

/** The hash so far of what is there; a file that is not there is an empty one. */
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

/** null where the open file is the one meant; else what is wrong with it. */
export async function checkFile(
  handle: fs.FileHandle,
  { algorithm, value }: Checksum,
  bytes: number | null,
  signal?: AbortSignal,
): Promise<string | null> {
  const { hash, size } = await hashHandle(handle, algorithm, signal);
  const came = hash.digest('hex');
  if (came === value && (bytes === null || size === bytes)) return null;
  return wrongFile(size, bytes, algorithm, came, value);
}

export function wrongFile(
  size: number,
  bytes: number | null,
  algorithm: Checksum['algorithm'],
  came: string,
  expected: string,
): string {
  const sizes = bytes === null || size === bytes ? `${size} bytes` : `${size} bytes instead of ${bytes}`;
  return `what came (${sizes}) has ${algorithm} ${came} instead of ${expected}`;
}
