// Fetches a .tar.gz and unpacks it, so that its folder is there whole or not at all, and lets only one process at a time
// do it. Called by lib/datasets/cifar10/cifar10.ts.
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
  /** Of the archive, in hexadecimal. */
  md5: string;
  /** The folder inside the archive, which ends up in `root`. */
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
        `${md5}) and unpack it in ${path.resolve(root)}, so that ${path.resolve(target)} is there`,
      { cause },
    );
  }
}

/** Into a folder beside the target first: a rename makes it whole at once. */
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
