// Finds a libtorch that this process has already loaded, through another copy of this package or another addon. A process
// cannot load two, because their libraries have the same names.
import fs from 'node:fs';
import path from 'node:path';

const deleted = ' (deleted)';

export interface MappedLibtorch {
  /** The folder that contains lib/, if the layout is the usual one. */
  readonly folder: string;
  readonly library: string;
  /** The file was replaced or removed since it was loaded. */
  readonly replaced: boolean;
}

/** Returns null if none exists, and on systems without /proc. `maps`: the text of /proc/self/maps. */
export function mappedLibtorch(maps = ownMaps()): MappedLibtorch | null {
  const found = maps.split('\n').find((line) => /\/libtorch_cpu\.so( \(deleted\))?$/.test(line));
  if (found === undefined) return null;
  const named = found.slice(found.indexOf('/'));
  const replaced = named.endsWith(deleted);
  const library = replaced ? named.slice(0, -deleted.length) : named;
  return { folder: path.dirname(path.dirname(library)), library, replaced };
}

function ownMaps(): string {
  try {
    return fs.readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return '';
  }
}
