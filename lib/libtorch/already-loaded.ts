// Which libtorch is in this process already: another copy of this package, or another addon, may have brought one. Two
// cannot live in a process, because their libraries have the same names.
import fs from 'node:fs';
import path from 'node:path';

const deleted = ' (deleted)';

export interface MappedLibtorch {
  /** Holds lib/, where the layout is the usual one. */
  readonly folder: string;
  readonly library: string;
  /** The file was replaced or removed since it was loaded. */
  readonly replaced: boolean;
}

/** null where there is none, and on systems that do not tell. `maps`: as /proc/self/maps has them. */
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
