// Whether files are there, and how large. Under Node's permission model asking throws for what may not be read; such a file is
// not there for us.
import fs from 'node:fs';
import path from 'node:path';

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

/** Of all files under it; 0 where there are none. */
export function folderBytes(folder: string): number {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(folder, { withFileTypes: true, recursive: true });
  } catch {
    return 0;
  }
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return files.reduce((sum, file) => sum + (sizeOf(file) ?? 0), 0);
}

/** `folder` itself, or the nearest above it that is there. */
export function nearestThatExists(folder: string): string {
  const above = path.dirname(folder);
  return above === folder || isThere(folder) ? folder : nearestThatExists(above);
}
