// Checksums of files. For everything that downloads or is handed a file that should have been.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

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
  const hash = createHash(algorithm);
  let size = 0;
  try {
    const options = { highWaterMark: 1 << 20, ...(signal && { signal }) };
    for await (const chunk of createReadStream(file, options)) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
  return { hash, size };
}

/** null where the file is the one meant; else what is wrong with it. */
export async function checkFile(
  file: string,
  { algorithm, value }: Checksum,
  bytes: number | null,
  signal?: AbortSignal,
): Promise<string | null> {
  const { hash, size } = await hashFile(file, algorithm, signal);
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
