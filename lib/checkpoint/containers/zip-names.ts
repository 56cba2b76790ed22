// Checks the names of a zip file's records. A name is refused if another reader or another file system could confuse it with
// another name. For zip-directory.ts.
import { crc32 } from 'node:zlib';
import { formatError } from '../errors';
import { maxRecordNameBytes } from '../limits';

/** Records that PyTorch looks up by name, ignoring case. */
const readByName: ReadonlySet<string> = new Set([
  'data.pkl',
  'byteorder',
  'version',
  '.data/version',
  '.format_version',
  '.storage_alignment',
  'constants.pkl',
  'archive_format',
  'serialized_exported_program.json',
]);

/** Decodes and checks the name of record number `index`. */
export function checkedName(bytes: Buffer, index: number): string {
  const name = bytes.toString('utf8');
  const isPlain = bytes.length > 0 && bytes.length <= maxRecordNameBytes && Buffer.from(name, 'utf8').equals(bytes);
  // No NUL, no backslash, no leading slash, no empty, "." or ".." component.
  const isSafe = !/\0|\\|^\/|\/\/|(^|\/)\.\.?(\/|$)/.test(name);
  if (!isPlain || !isSafe)
    throw formatError(`record ${index} has the unsafe name ${JSON.stringify(name.slice(0, 100))}`);
  return name;
}

/** Checks a name inside the top folder: names that PyTorch looks up must be spelled as torch.save spells them. */
export function checkSpelling(name: string, path: string): void {
  const lower = name.toLowerCase();
  if (lower !== name && readByName.has(lower))
    throw formatError(`record ${path} differs in case from ${lower}, and PyTorch would read it as that record`);
}

/** PyTorch ignores case when it looks up records: of two names that differ in case, other readers may read the other one. */
export function checkNoTwins(records: ReadonlyMap<string, { readonly path: string }>): void {
  const lowered = new Set<string>();
  for (const [name, { path }] of records) {
    const lower = name.toLowerCase();
    if (lower === name) continue;
    if (records.has(lower) || lowered.has(lower))
      throw formatError(`record ${path} occurs twice, in names that differ in case`);
    lowered.add(lower);
  }
}

const unicodePath = 0x7075;

/**
 * Returns whether a name with characters beyond ASCII is marked as UTF-8, by its flag or by a field that repeats it;
 * undefined for a name in ASCII. PyTorch reads an unmarked name as UTF-8, Python's zipfile in a DOS code page.
 */
export function isMarkedAsUtf8(path: string, name: Buffer, flags: number, extra: Buffer): boolean | undefined {
  const repeated = fieldOf(extra, unicodePath, path);
  if (repeated) {
    const isSame =
      repeated.length >= 5 &&
      repeated[0] === 1 &&
      repeated.readUInt32LE(1) === crc32(name) &&
      repeated.subarray(5).equals(name);
    if (!isSame) throw formatError(`record ${path} has a second name in its field for Unicode paths`);
  }
  if (name.length === path.length) return undefined;
  return (flags & 0x800) !== 0 || repeated !== undefined;
}

const kindNames: Readonly<Record<number, string>> = { 1: 'ZIP64', [unicodePath]: 'Unicode path' };

/** Returns the content of an entry's extra field of this kind, or undefined. Two fields of one kind are refused. */
export function fieldOf(extra: Buffer, kind: number, path: string): Buffer | undefined {
  let found: Buffer | undefined;
  let at = 0;
  while (at + 4 <= extra.length) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) throw formatError(`a field of record ${path} is cut in the zip directory`);
    if (extra.readUInt16LE(at) === kind) {
      if (found) throw formatError(`record ${path} has two ${kindNames[kind]} fields`);
      found = extra.subarray(at + 4, end);
    }
    at = end;
  }
  return found;
}
