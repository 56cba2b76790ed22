// Whether files are there. Under Node's permission model asking throws for what may not be read; such a file is not there for
// us.
import fs from 'node:fs';

export function isThere(file: string): boolean {
  return sizeOf(file) !== undefined;
}

/** In bytes; undefined where it is not there. */
export function sizeOf(file: string): number | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.size;
  } catch {
    return undefined;
  }
}
