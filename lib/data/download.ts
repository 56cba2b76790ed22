// Fetches an archive and unpacks it, so that its folder is there whole or not at all. Continues what was cut, checks
// what came, and lets only one process at a time do it. Called by lib/data/cifar10.ts.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { LearnError, messageOf } from '../errors';
import { withFileLock } from './file-lock';

export interface DownloadProgress {
  /** Bytes on disk, those of earlier attempts included. */
  received: number;
  /** Of the whole archive; undefined where the server does not say. */
  total: number | undefined;
}

export interface ArchiveDownload {
  name: string;
  url: string;
  /** Of the archive, in hexadecimal. */
  md5: string;
  /** The folder inside the archive, which ends up in `root`. */
  folder: string;
  root: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Tries in all. Default: 5. */
  attempts?: number;
  /** Before the second try; doubled for each further one. Default: 500. */
  retryDelayMs?: number;
  /** Longest silence of the server. Default: 30,000. */
  stallMs?: number;
}

/** A failure that another attempt would meet again. */
class Final extends Error {}

export async function downloadArchive(download: ArchiveDownload): Promise<void> {
  const { root, url, signal } = download;
  const target = path.join(root, download.folder);
  const part = path.join(root, `${path.basename(new URL(url).pathname)}.part`);
  try {
    await fs.mkdir(root, { recursive: true });
    await withFileLock(`${part}.lock`, signal, async () => {
      if (await isFolder(target)) return; // another process was faster
      await fetchWhole(download, part);
      await unpack(part, target, signal);
      await fs.rm(part, { force: true });
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new LearnError(
      'ERR_DOWNLOAD',
      `Could not download ${download.name} from ${url}: ${reasonOf(cause)}. By hand: fetch that file (md5 ` +
        `${download.md5}) and unpack it in ${path.resolve(root)}, so that ${path.resolve(target)} is there`,
      { cause },
    );
  }
}

/** Brings `part` to its full length, with the right md5. */
async function fetchWhole(download: ArchiveDownload, part: string): Promise<void> {
  const { attempts = 5, retryDelayMs = 500, signal } = download;
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchRest(download, part);
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof Final || attempt >= attempts) throw cause;
      await sleep(retryDelayMs * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}

async function fetchRest(download: ArchiveDownload, part: string): Promise<void> {
  const { url, md5, signal, onProgress, stallMs = 30_000 } = download;
  using silence = new SilenceTimer(stallMs, signal);
  let { hash, received } = await hashOfFile(part, silence.signal);
  const resumed = received > 0;
  silence.reset();
  const response = await fetch(url, {
    signal: silence.signal,
    // As it is: archives that a server also declares as gzip-encoded would arrive unpacked.
    headers: { 'accept-encoding': 'identity', ...(resumed && { range: `bytes=${received}-` }) },
  });
  const complete = response.status === 416 && rangeTotal(response) === received;
  if (!complete) {
    const continued = response.status === 206 && rangeStart(response) === received;
    if (response.status === 416 || (response.status === 206 && !continued)) {
      await response.body?.cancel();
      await fs.rm(part, { force: true });
      throw new Error('the server could not continue where the last download ended');
    }
    if (!response.ok) throw httpError(response);
    if (!continued) ({ hash, received } = { hash: createHash('md5'), received: 0 });
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isFinite(length) ? received + length : undefined;

    const file = await fs.open(part, continued ? 'a' : 'w').catch(final);
    try {
      for await (const chunk of response.body ?? []) {
        silence.reset();
        await file.appendFile(chunk).catch(final);
        hash.update(chunk);
        received += chunk.length;
        onProgress?.({ received, total });
      }
      await file.sync().catch(final);
    } finally {
      await file.close();
    }
    if (total !== undefined && received < total)
      throw new Error(`the connection ended after ${received} of ${total} bytes`);
  }
  const came = hash.digest('hex');
  if (came === md5) return;
  await fs.rm(part, { force: true });
  const wrong = `what came (${received} bytes) has md5 ${came} instead of ${md5}`;
  // A part left by something else explains it; a fresh download does not.
  throw resumed ? new Error(wrong) : new Final(wrong);
}

/** Into a folder beside the target first: a rename makes it whole at once. */
async function unpack(archive: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  const { extract } = await import('tar');
  const beside = await fs.mkdtemp(`${target}-`);
  try {
    await pipeline(createReadStream(archive), createGunzip(), extract({ cwd: beside, strict: true }), {
      ...(signal && { signal }),
    });
    await fs.rename(path.join(beside, path.basename(target)), target);
  } finally {
    await fs.rm(beside, { recursive: true, force: true });
  }
}

async function hashOfFile(file: string, signal: AbortSignal): Promise<{ hash: Hash; received: number }> {
  const hash = createHash('md5');
  let received = 0;
  try {
    for await (const chunk of createReadStream(file, { signal, highWaterMark: 1 << 18 })) {
      hash.update(chunk);
      received += chunk.length;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
  return { hash, received };
}

/** Aborts when nothing was heard for too long, or when the caller aborts. */
class SilenceTimer implements Disposable {
  readonly signal: AbortSignal;
  readonly #silence = new AbortController();
  readonly #stallMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(stallMs: number, signal: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.signal = signal ? AbortSignal.any([signal, this.#silence.signal]) : this.#silence.signal;
  }

  reset(): void {
    clearTimeout(this.#timer);
    const message = `the server sent nothing for ${this.#stallMs / 1000} s`;
    this.#timer = setTimeout(() => this.#silence.abort(new Error(message)), this.#stallMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

function httpError(response: Response): Error {
  const message = `the server answered ${response.status} ${response.statusText}`.trimEnd();
  const passing = response.status >= 500 || response.status === 408 || response.status === 429;
  return passing ? new Error(message) : new Final(message);
}

function rangeStart(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
}

function rangeTotal(response: Response): number {
  return Number(/^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
}

/** Errors of the disk: trying again would not help. */
function final(cause: unknown): never {
  throw new Final(messageOf(cause), { cause });
}

/** fetch() hides what happened in the cause of its error. */
function reasonOf(cause: unknown): string {
  const inner = (cause as { cause?: unknown } | null)?.cause;
  return cause instanceof TypeError && inner ? messageOf(inner) : messageOf(cause);
}

async function isFolder(folder: string): Promise<boolean> {
  return fs.stat(folder).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
