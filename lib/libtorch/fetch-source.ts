// One archive, checked: fetched over HTTP, else by pip, or a file that is there already. Called by install.ts.
import fs from 'node:fs/promises';
import { type FetchOptions, fetchFile } from '../download/fetch-file';
import { checkFile } from '../download/hash';
import { LearnError, messageOf } from '../errors';
import { fetchByPip } from './pip';
import type { Source } from './sources';

/** Brings the file to `part`, which keeps what has come so far. Rejects with a plain error. */
type Way = readonly [name: string, fetch: (source: Source, part: string, options: FetchOptions) => Promise<void>];

const overHttp: Way = [
  'https',
  ({ place, sha256, bytes }, part, options) => {
    const { url } = place as { url: string };
    return fetchFile({ ...options, url, part, bytes, checksum: { algorithm: 'sha256', value: sha256 } });
  },
];

const byPip: Way = [
  'pip',
  async ({ pip, sha256, bytes }, part, { signal }) => {
    const whole = `${part}.whole`;
    await fetchByPip(pip!, whole, signal);
    const wrong = await checkFile(whole, { algorithm: 'sha256', value: sha256 }, bytes, signal);
    if (wrong !== null) {
      await fs.rm(whole, { force: true });
      throw new Error(wrong);
    }
    await fs.rename(whole, part);
  },
];

/** The path of the file, which is `part` unless it was there. `onNote` is told what did not work on the way. */
export async function fetchSource(
  source: Source,
  part: string,
  options: FetchOptions,
  onNote: (text: string) => void,
  variant: string,
): Promise<string> {
  const { name, sha256, bytes, place, pip } = source;
  const { signal } = options;
  if ('file' in place) {
    const wrong = await checkFile(place.file, { algorithm: 'sha256', value: sha256 }, bytes, signal);
    if (wrong === null) return place.file;
    throw new LearnError(
      'ERR_DOWNLOAD',
      `${place.file} is not the file that is meant: ${wrong.replace('what came', 'it')}`,
    );
  }
  const failures: string[] = [];
  for (const [way, fetch] of pip === null ? [overHttp] : [overHttp, byPip]) {
    try {
      await fetch(source, part, options);
      return part;
    } catch (cause) {
      signal?.throwIfAborted();
      const failure = `${way}: ${way === 'https' ? `${place.url}: ` : ''}${messageOf(cause)}`;
      failures.push(failure);
      if (pip !== null) onNote(way === 'https' ? `${failure}\nTrying pip, which may know a mirror …` : failure);
    }
  }
  throw new LearnError(
    'ERR_DOWNLOAD',
    [
      `Could not fetch ${name}:`,
      ...failures.map((line) => `  ${line}`),
      'What came is kept, and the next try goes on from it. A machine without a network can be given the files: ' +
        `torch-incremental libtorch install --variant ${variant} --print-urls`,
    ].join('\n'),
  );
}
