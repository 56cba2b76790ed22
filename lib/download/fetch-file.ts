// One file over HTTP: continued where it stopped, tried again where that may help, checked by its size and checksum.
// Everything that this package downloads comes through here.
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

export interface DownloadProgress {
  /** Bytes on disk, those of earlier attempts included. */
  received: number;
  /** Of the whole file; undefined where the server does not say. */
  total: number | undefined;
}

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Tries in all, counted anew from each that brings something. Default: 5. */
  attempts?: number | undefined;
  /** Before the second of these; doubled for each further one. Default: 500. */
  retryDelayMs?: number | undefined;
  /** Longest silence of the server. Default: 30,000. */
  stallMs?: number | undefined;
  /** Longest wait for its answer. Default: `stallMs`. */
  connectMs?: number | undefined;
}

export interface FileDownload extends FetchOptions {
  /** A user and password may stand in it. */
  url: string;
  checksum: Checksum;
  /** null where it is not known before. */
  bytes: number | null;
  /** Where it goes; what is there already is its beginning. Stays, as far as it came, when this fails. */
  part: string;
}

/** A failure that another attempt would meet again. */
class Final extends Error {}

/** Rejects with a plain error that says what happened; with the signal's reason after an abort. */
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
    // As it is: archives that a server also declares as gzip-encoded would arrive unpacked.
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
            throw new Final(`more than the expected ${total} bytes came`);
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
  const came = hash.digest('hex');
  if (came === checksum.value && (bytes === null || received === bytes)) return;
  await fs.rm(part, { force: true });
  const wrong = wrongFile(received, bytes, checksum.algorithm, came, checksum.value);
  // A part left by something else explains it; a fresh download does not.
  throw resumed ? new Error(wrong) : new Final(wrong);
}

/** A page that says something else, instead of the file, is found out by its size. */
function totalOf(response: Response, received: number, bytes: number | null): number | undefined {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const total = Number.isFinite(length) ? received + length : undefined;
  if (bytes !== null && total !== undefined && total !== bytes)
    throw new Final(`the server offers ${total} bytes, ${bytes} are expected: this is not the file${wayTo(response)}`);
  return bytes ?? total;
}

function httpError(response: Response): Error {
  const message = `the server answered ${response.status} ${response.statusText}`.trimEnd() + wayTo(response);
  const passing = response.status >= 500 || response.status === 408 || response.status === 429;
  return passing ? new Error(message) : new Final(message);
}

function wayTo({ redirected, url }: Response): string {
  return redirected ? ` (it led to ${withoutCredentials(url)})` : '';
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

/** undici tells of a proxy that refuses only in words. */
function explained(cause: unknown): never {
  if (!reasonOf(cause).includes('(407)')) throw cause;
  throw new Final(
    'the proxy wants a user and password, or others (407): http://user:password@host:port in HTTP_PROXY or HTTPS_PROXY',
  );
}

/** fetch() hides what happened in the causes of its error, and several tries of one name behind a code. */
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
