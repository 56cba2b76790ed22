// Gets one archive and checks it: over HTTP, or by pip if that fails, or from a file of the user. Called by
// install-libtorch.ts.
import fs from 'node:fs/promises';
import { LearnError, messageOf } from '../core/errors';
import { withoutCredentials } from '../download/credentials';
import { type FetchOptions, fetchFile } from '../download/fetch-file';
import { checkFile } from '../download/hash';
import { fetchByPip } from './pip';
import type { Source } from './sources';

/**
 * A file that was checked and stays open: it is unpacked through the same handle, because by then the path may name another
 * file. A change of the file's content in between is not detected; a process that can make one can also write to the cache.
 */
export interface CheckedFile {
  readonly path: string;
  readonly handle: fs.FileHandle;
}

/** Puts the file at `part`, which keeps a partial download. Rejects with a plain error. */
type Way = readonly [
  name: string,
  fetch: (source: Source, part: string, options: FetchOptions) => Promise<fs.FileHandle>,
];

const overHttp: Way = [
  'https',
  async (source, part, options) => {
    const { place, sha256, bytes } = source;
    const { url } = place as { url: string };
    await fetchFile({ ...options, url, part, bytes, checksum: { algorithm: 'sha256', value: sha256 } });
    return openFetched(part, source, options.signal);
  },
];

const byPip: Way = [
  'pip',
  async (source, part, { signal }) => {
    const whole = `${part}.whole`;
    await fetchByPip(source.pip!, whole, signal);
    const handle = await openFetched(whole, source, signal);
    await fs.rename(whole, part).catch(async (cause) => {
      await handle.close();
      throw cause;
    });
    return handle;
  },
];

/** Returns the file at `part`, or the user's own file. The caller closes it. `onNote` receives a line for each failed way. */
export async function fetchSource(
  source: Source,
  part: string,
  options: FetchOptions,
  onNote: (text: string) => void,
  variant: string,
): Promise<CheckedFile> {
  const { name, place, pip } = source;
  const { signal } = options;
  if ('file' in place) return { path: place.file, handle: await openGiven(place.file, source, signal) };
  const failures: string[] = [];
  for (const [way, fetch] of pip === null ? [overHttp] : [overHttp, byPip]) {
    try {
      return { path: part, handle: await fetch(source, part, options) };
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof LearnError) throw cause;
      const failure = `${way}: ${way === 'https' ? `${withoutCredentials(place.url)}: ` : ''}${messageOf(cause)}`;
      failures.push(failure);
      if (pip !== null) onNote(way === 'https' ? `${failure}\nTrying pip, which may know a mirror …` : failure);
    }
  }
  throw new LearnError(
    'ERR_DOWNLOAD',
    [
      `Could not fetch ${name}:`,
      ...failures.map((line) => `  ${line}`),
      'The next attempt resumes the partial download. On a machine without a network, install from files: ' +
        `npx torch-incremental libtorch install --variant ${variant} --print-urls`,
    ].join('\n'),
  );
}

/** Opens a file of the user, which is never removed. */
async function openGiven(file: string, source: Source, signal: AbortSignal | undefined): Promise<fs.FileHandle> {
  return openChecked(file, source, signal).catch((cause) => {
    signal?.throwIfAborted();
    if (cause instanceof WrongFile) {
      const wrong = cause.message.replace('the file', 'it');
      throw new LearnError('ERR_DOWNLOAD', `${file} is not the expected file: ${wrong}`);
    }
    throw new LearnError('ERR_FILE', `Cannot read ${file}: ${messageOf(cause)}`, { cause });
  });
}

/** Opens a fetched file, and removes it if it is wrong. */
async function openFetched(file: string, source: Source, signal: AbortSignal | undefined): Promise<fs.FileHandle> {
  return openChecked(file, source, signal).catch(async (cause) => {
    if (cause instanceof WrongFile) await fs.rm(file, { force: true });
    throw cause;
  });
}

class WrongFile extends Error {}

async function openChecked(
  file: string,
  { sha256, bytes }: Source,
  signal: AbortSignal | undefined,
): Promise<fs.FileHandle> {
  const handle = await fs.open(file);
  try {
    const wrong = await checkFile(handle, { algorithm: 'sha256', value: sha256 }, bytes, signal);
    if (wrong !== null) throw new WrongFile(wrong);
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}
