// Puts what was written to an open file, or to a folder, on the disk. Not by FileHandle's own sync: the
// node:fs/promises that Yarn's Plug'n'Play puts in place of Node's has none.
import fs from 'node:fs';
import { promisify } from 'node:util';

const fsync = promisify(fs.fsync);

export function flush({ fd }: { readonly fd: number }): Promise<void> {
  return fsync(fd);
}
