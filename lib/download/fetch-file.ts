// Downloads one file over HTTP: resumes a partial download, retries where that may help, and checks size and checksum. Every
// download of this package uses it.
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'undici';
import { messageOf } from '../core/errors';
import { flush } from '../files/flush';
import { withoutCredentials } from './credentials';
import { type Checksum, hashFile, wrongFile } from './hash';
import { type Network, openNetwork } from './network';
import { SilenceTimer } from './silence-timer';

/** Progress of a download, in bytes. */
export interface DownloadProgress {
  /** Bytes on disk, including those of earlier attempts. */
  received: number;
  /** Size of the whole file; undefined if the server does not report it. */
  total: number | undefined;
}

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Consecutive attempts that receive nothing new before the download fails. Default: 5. */
  attempts?: number | undefined;
  /** Delay before the second attempt; doubled for each further one. Default: 500. */
  retryDelayMs?: number | undefined;
  /** Longest time without data from the server. Default: 30,000. */
  stallMs?: number | undefined;
  /** Longest wait for the server's response. Default: `stallMs`. */
  connectMs?: number | undefined;
}

export interface FileDownload extends FetchOptions {
  /** May contain a user and password. */
  url: string;
  checksum: Checksum;
  /** Size of the file; null if it is not known in advance. */
  bytes: number | null;
  /** Path of the download. An existing file is resumed; after a failure the partial file is kept. */
  part: string;
}

/** A failure that would recur in another attempt. */
class Final extends Error {}

/** Rejects with a plain error that describes the failure; after an abort, with the signal's reason. */
export async function fetchFile(download: FileDownload): Promise<void> {
  const { attempts = 5, retryDelayMs = 500, part, signal } = download;
  const network = await openNetwork();
  try {
    let longest = await sizeOf(part);
    for (let attempt = 1; ; attempt++) {
      try {
        return await fetchRest(download, network);
      } catch (cause) {
        signal?.throwIfAborted();
        const size = await sizeOf(part);
        if (size > longest) [longest, attempt] = [size, 1];
        if (cause instanceof Final || attempt >= attempts) throw new Error(reasonOf(cause), { cause });
        await sleep(retryDelayMs * 2 ** (attempt - 1), undefined, signal ? { signal } : {});
      }
    }
  } finally {
    await network.close();
  }
}

async function fetchRest(download: FileDownload, network: Network): Promise<void> {
  const { url, checksum, bytes, part, signal, onProgress, stallMs = 30_000, connectMs = stallMs } = download;
  let { hash, size: received } = await hashFile(part, checksum.algorithm, signal);
  const resumed = received > 0;
  if (bytes === null || received !== bytes) {
    using silence = new SilenceTimer(signal);
    silence.expectWithin(connectMs);
    // Unencoded: an archive that the server also declares as gzip-encoded would arrive unpacked.
    const headers = { 'accept-encoding': 'identity', ...(resumed && { range: `bytes=${received}-` }) };
    const response = await network.fetch(url, { headers, signal: silence.signal }).catch(explained);
    const complete = response.status === 416 && rangeTotal(response) === received;
    if (!complete) {
      const continued = response.status === 206 && rangeStart(response) === received;
      if (response.status === 416 || (response.status === 206 && !continued)) {
        await response.body?.cancel();
        await fs.rm(part, { force: true });
        throw new Error('the server could not continue where the last download ended');
      }
      if (!response.ok) throw httpError(response);
      if (!continued) ({ hash, received } = { hash: createHash(checksum.algorithm), received: 0 });
      const total = totalOf(response, received, bytes);

      const file = await fs.open(part, continued ? 'a' : 'w').catch(final);
      try {
        for await (const chunk of response.body ?? []) {
          silence.expectWithin(stallMs);
          if (total !== undefined && received + chunk.length > total)
            throw new Final(`the server sent more than the expected ${total} bytes`);
          await file.appendFile(chunk).catch(final);
          hash.update(chunk);
          received += chunk.length;
          onProgress?.({ received, total });
        }
        await flush(file).catch(final);
      } finally {
        await file.close();
      }
      if (total !== undefined && received < total)
        throw new Error(`the connection ended after ${received} of ${total} bytes`);
    }
  }
  const actual = hash.digest('hex');
  if (actual === checksum.value && (bytes === null || received === bytes)) return;
  await fs.rm(part, { force: true });
  const wrong = wrongFile(received, bytes, checksum.algorithm, actual, checksum.value);
  // A resumed file may have been another file's beginning, so a retry can help; a complete download will not change.
  throw resumed ? new Error(wrong) : new Final(wrong);
}

/** Returns the expected total. A web page that is sent instead of the file is detected by its size. */
function totalOf(response: Response, received: number, bytes: number | null): number | undefined {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const total = Number.isFinite(length) ? received + length : undefined;
  if (bytes !== null && total !== undefined && total !== bytes)
    throw new Final(
      `the server offers ${total} bytes instead of ${bytes}: this is not the file${redirection(response)}`,
    );
  return bytes ?? total;
}

function httpError(response: Response): Error {
  const message = `the server answered ${response.status} ${response.statusText}`.trimEnd() + redirection(response);
  const passing = response.status >= 500 || response.status === 408 || response.status === 429;
  return passing ? new Error(message) : new Final(message);
}

function redirection({ redirected, url }: Response): string {
  return redirected ? ` (redirected to ${withoutCredentials(url)})` : '';
}

function rangeStart(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
}

function rangeTotal(response: Response): number {
  return Number(/^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
}

/** Errors of the disk: another attempt would not help. */
function final(cause: unknown): never {
  throw new Final(messageOf(cause), { cause });
}

/** Recognises a proxy that refuses access, which undici reports only in the text of its error. */
function explained(cause: unknown): never {
  if (!reasonOf(cause).includes('(407)')) throw cause;
  throw new Final(
    'the proxy did not accept the user and password, or needs them (407): set HTTP_PROXY or HTTPS_PROXY to http://user:password@host:port',
  );
}

/** Returns the innermost cause of fetch()'s error; for a name with several addresses, that is only a code. */
function reasonOf(cause: unknown): string {
  const { cause: inner, code } = cause as { cause?: unknown; code?: unknown };
  return inner instanceof Error ? reasonOf(inner) : messageOf(cause) || String(code);
}

async function sizeOf(file: string): Promise<number> {
  return fs.stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
