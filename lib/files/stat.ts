// Checks whether files exist, and their sizes. Under Node's permission model, stat throws for a file that may not be read; such
// a file counts as missing.
import fs from 'node:fs';
import path from 'node:path';

export function isThere(file: string): boolean {
  return sizeOf(file) !== undefined;
}

/** Returns the size in bytes; undefined if the file does not exist. */
export function sizeOf(file: string): number | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.size;
  } catch {
    return undefined;
  }
}

/** Returns the size of all files in the folder and below it; 0 if none exists. */
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

/** Returns `folder` itself, or its nearest parent that exists. */
export function nearestThatExists(folder: string): string {
  const above = path.dirname(folder);
  return above === folder || isThere(folder) ? folder : nearestThatExists(above);
}
