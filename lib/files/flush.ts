// Syncs an open file or folder to the disk. The method sync of FileHandle is not used, because it is missing in the node:fs/promises of
// Yarn's Plug'n'Play.
import fs from 'node:fs';
import { promisify } from 'node:util';

const fsync = promisify(fs.fsync);

export function flush({ fd }: { readonly fd: number }): Promise<void> {
  return fsync(fd);
}
