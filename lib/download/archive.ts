// Fetches a .tar.gz and unpacks it atomically: its folder appears complete or not at all. Only one process at a time does
// it. Called by the data sets that can be downloaded.
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { LearnError, messageOf } from '../core/errors';
import { withoutCredentials } from './credentials';
import { type FetchOptions, fetchFile } from './fetch-file';
import { withFileLock } from './file-lock';

export interface ArchiveDownload extends FetchOptions {
  name: string;
  url: string;
  /** Checksum of the archive, in hexadecimal. */
  md5: string;
  /** Name of the folder inside the archive, which is put into `root`. */
  folder: string;
  root: string;
}

export async function downloadArchive(download: ArchiveDownload): Promise<void> {
  const { name, url, md5, folder, root, ...options } = download;
  const target = path.join(root, folder);
  const part = path.join(root, `${path.basename(new URL(url).pathname)}.part`);
  try {
    await fs.mkdir(root, { recursive: true });
    await withFileLock(`${part}.lock`, options.signal, async (signal) => {
      if (await isFolder(target)) return; // another process was faster
      await fetchFile({ ...options, signal, url, checksum: { algorithm: 'md5', value: md5 }, bytes: null, part });
      await unpack(part, target, signal);
      await fs.rm(part, { force: true });
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof LearnError) throw cause;
    throw new LearnError(
      'ERR_DOWNLOAD',
      `Could not download ${name} from ${withoutCredentials(url)}: ${messageOf(cause)}. By hand: fetch that file (md5 ` +
        `${md5}) and unpack it in ${path.resolve(root)}, which makes ${path.resolve(target)}`,
      { cause },
    );
  }
}

/** Unpacks into a temporary folder next to the target, which is then renamed. */
async function unpack(archive: string, target: string, signal: AbortSignal): Promise<void> {
  const { extract } = await import('tar');
  const beside = await fs.mkdtemp(`${target}-`);
  try {
    await pipeline(createReadStream(archive), createGunzip(), extract({ cwd: beside, strict: true }), { signal });
    await fs.rename(path.join(beside, path.basename(target)), target);
  } finally {
    await fs.rm(beside, { recursive: true, force: true });
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return fs.stat(folder).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
