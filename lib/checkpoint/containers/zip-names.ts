// Names of the records of a zip file. A name is refused where another reader, or another file system, could take it for
// another one. For zip.ts.
import { crc32 } from 'node:zlib';
import { formatError } from '../errors';
import { maxRecordNameBytes } from '../limits';

/** Read by PyTorch under these names, in whatever case the letters are. */
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

/** The name of record number `index`. */
export function checkedName(bytes: Buffer, index: number): string {
  const name = bytes.toString('utf8');
  const isPlain = bytes.length > 0 && bytes.length <= maxRecordNameBytes && Buffer.from(name, 'utf8').equals(bytes);
  // A NUL, a backslash, a root, a step up, a step nowhere.
  const isSafe = !/\0|\\|^\/|\/\/|(^|\/)\.\.?(\/|$)/.test(name);
  if (!isPlain || !isSafe)
    throw formatError(`record ${index} has the unsafe name ${JSON.stringify(name.slice(0, 100))}`);
  return name;
}

/** `name` inside the top folder: names read by PyTorch are spelled as torch.save spells them. */
export function checkSpelling(name: string, path: string): void {
  const lower = name.toLowerCase();
  if (lower !== name && readByName.has(lower))
    throw formatError(`record ${path} differs in case from ${lower}, for which PyTorch takes it`);
}

/** PyTorch looks records up without regard to case: of two it would read one, and others read the other. */
export function checkNoTwins(records: ReadonlyMap<string, { readonly path: string }>): void {
  const lowered = new Set<string>();
  for (const [name, { path }] of records) {
    const lower = name.toLowerCase();
    if (lower === name) continue;
    if (records.has(lower) || lowered.has(lower))
      throw formatError(`record ${path} is there twice, in names that differ in case`);
    lowered.add(lower);
  }
}

const unicodePath = 0x7075;

/**
 * Whether a name with letters beyond ASCII says that it is in UTF-8, by its flag or by a field that repeats it. Those that
 * do not are read in UTF-8 by PyTorch, and in the code page of DOS by Python's zipfile.
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

/** The content of a field of a directory entry; undefined where there is none. Two of a kind are refused. */
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
