// Determines the sources of a variant's archives: the addresses in libtorch.json, a mirror, or files and addresses from the
// user.
import fs from 'node:fs/promises';
import path from 'node:path';
import querystring from 'node:querystring';
import { LearnError } from '../core/errors';
import { withoutCredentials } from '../download/credentials';
import type { Archive, Variant } from '../libtorch/manifest';

/** An archive with its checksum and the place to get it from. */
export interface Source {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number | null;
  readonly unpackedBytes: number | null;
  /** The members to unpack; null: determined from the archive's content. */
  readonly layout: Pick<Archive, 'strip' | 'members'> | null;
  /** The address may contain a user and password. */
  readonly place: { readonly url: string } | { readonly file: string };
  /** Arguments with which pip fetches the same file; null if pip is not to be used. */
  readonly pip: Archive['pip'];
}

export interface SourceOptions {
  /** A file, a folder with the files of `--print-urls`, or an address. */
  readonly from?: string | undefined;
  /** Checksum of the archive, if there is only one. */
  readonly sha256?: string | undefined;
  /** Base address that replaces `https://<host>` in all addresses. */
  readonly mirror?: string | undefined;
}

/** Throws if a checksum or a file is missing. */
export async function sourcesOf(name: string, variant: Variant, options: SourceOptions): Promise<Source[]> {
  const { from, sha256, mirror } = options;
  const { archives } = variant;
  if (from === undefined) {
    if (sha256 !== undefined && archives.length > 1)
      throw usage(`--sha256 is of one file, and ${name} is made of ${archives.length}, whose checksums are known`);
    const pipToo = mirror === undefined;
    return archives.map((archive) =>
      sourceOf(name, archive, { url: mirrored(archive.url, mirror) }, sha256, pipToo ? archive.pip : null),
    );
  }
  if (isAddress(from) && !URL.canParse(from)) throw noFileAddress(from);
  if (isAddress(from)) return [ownSource(name, archives, { url: from }, sha256)];
  const status = await fs.stat(from).catch((cause) => {
    throw new LearnError('ERR_FILE', `Cannot read ${from}: ${cause.message}`, { cause });
  });
  const file = path.resolve(from);
  if (!status.isDirectory()) return [ownSource(name, archives, { file }, sha256)];

  const found = await Promise.all(archives.map(async (archive) => [archive, await fileIn(file, archive)] as const));
  const missing = found.filter(([, there]) => there === null);
  if (missing.length > 0) {
    throw new LearnError(
      'ERR_FILE',
      `${file} holds neither lib/libtorch.so nor the files of ${name}; missing are ` +
        `${missing.map(([archive]) => fileName(archive.url)).join(', ')}. See: npx torch-incremental libtorch install ` +
        `--variant ${name} --print-urls`,
    );
  }
  return found.map(([archive, there]) => sourceOf(name, archive, { file: there as string }, sha256, null));
}

function sourceOf(
  name: string,
  archive: Archive,
  place: Source['place'],
  sha256: string | undefined,
  pip: Archive['pip'],
): Source {
  if (archive.sha256 !== null && sha256 !== undefined && sha256 !== archive.sha256)
    throw usage(`--sha256 is not that of ${fileName(archive.url)}, which is ${archive.sha256}`);
  const known = archive.sha256 ?? sha256;
  if (known === undefined) throw noChecksum(name, archive);
  const { bytes, unpackedBytes, strip, members } = archive;
  return { name: fileName(archive.url), sha256: known, bytes, unpackedBytes, layout: { strip, members }, place, pip };
}

/** Returns the source for one file of the user: the variant's only archive, or another build with the given checksum. */
function ownSource(
  variant: string,
  archives: readonly Archive[],
  place: Source['place'],
  sha256: string | undefined,
): Source {
  const [only] = archives;
  if (sha256 === undefined && archives.length > 1) {
    throw usage(
      `${variant} is made of ${archives.length} files: name the folder that holds them all (--print-urls lists them), or ` +
        'one file that holds all of libtorch, with its --sha256',
    );
  }
  if (sha256 === undefined || sha256 === only?.sha256) return sourceOf(variant, only!, place, sha256, null);
  const name = 'url' in place ? fileName(place.url) : path.basename(place.file);
  return { name, sha256, bytes: null, unpackedBytes: null, layout: null, place, pip: null };
}

function noChecksum(name: string, archive: Archive): LearnError {
  return usage(
    `The checksum of ${name} is not known to this version, so it is not installed unless you give it: --sha256 <hex>, ` +
      `of ${archive.url}, from a source that you trust`,
  );
}

/** Finds a file that the user has downloaded: wget decodes %2B in its name to +, curl does not. */
async function fileIn(folder: string, { url }: Archive): Promise<string | null> {
  for (const name of [fileName(url), path.posix.basename(new URL(url).pathname)]) {
    const file = path.join(folder, name);
    const isFile = await fs.stat(file).then(
      (status) => status.isFile(),
      () => false,
    );
    if (isFile) return file;
  }
  return null;
}

/** Decodes the path before it takes the last component: a / may be written as %2F. */
export function fileName(url: string): string {
  const name = path.posix.basename(querystring.unescape(new URL(url).pathname));
  if (['', '.', '..'].includes(name) || name.includes('\0')) throw noFileAddress(url);
  return name;
}

function noFileAddress(from: string): LearnError {
  const received = withoutCredentials(from);
  return usage(
    `Expected the address of a file, such as https://host/libtorch.zip, in --from but received '${received}'`,
  );
}

export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

export function mirrored(url: string, mirror: string | undefined): string {
  if (mirror === undefined) return url;
  if (!isAddress(mirror) || !URL.canParse(mirror) || /[?#]/.test(mirror)) {
    const received = withoutCredentials(mirror).replace(/[?#].*/s, (end) => `${end[0]}…`);
    throw usage(
      'Expected an address such as https://host/path, to which the paths of files are added, in ' +
        `TORCH_INCREMENTAL_LIBTORCH_MIRROR but received '${received}'`,
    );
  }
  return mirror.replace(/\/+$/, '') + new URL(url).pathname;
}

function usage(message: string): LearnError {
  return new LearnError('ERR_INVALID_OPTION', message);
}
