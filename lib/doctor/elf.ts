// Reads which libraries a shared library needs, from the dynamic section of a 64-bit little-endian ELF file. Every number is
// checked before it is used, because the file may be truncated or of another format.
import fs from 'node:fs';
import { LearnError } from '../core/errors';

export interface ElfNeeds {
  /** ELF's number of the processor: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  readonly soname: string | null;
  readonly needed: readonly string[];
  /** Folders to search; $ORIGIN is the folder of the file. */
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
}

const [headerBytes, programHeaderBytes, entryBytes] = [64, 56, 16];
const [loadSegment, dynamicSegment] = [1, 2];
const tags = { needed: 1n, stringTable: 5n, soname: 14n, rpath: 15n, runpath: 29n } as const;

/** Throws ERR_FILE if the file is not such a library or is truncated. */
export function readNeeds(file: string): ElfNeeds {
  const descriptor = fs.openSync(file, 'r');
  try {
    return parse(descriptor, fs.fstatSync(descriptor).size);
  } finally {
    fs.closeSync(descriptor);
  }
}

function parse(descriptor: number, size: number): ElfNeeds {
  const read = (offset: number, length: number) => {
    if (offset + length > size) throw broken('is truncated');
    const bytes = Buffer.alloc(length);
    if (fs.readSync(descriptor, bytes, 0, length, offset) !== length) throw broken('is truncated');
    return bytes;
  };
  if (size < headerBytes || read(0, 6).toString('latin1') !== '\x7fELF\x02\x01')
    throw broken('is not a 64-bit library');
  const header = read(0, headerBytes);
  const count = header.readUInt16LE(56);
  const table = read(number(header, 32, size), count * programHeaderBytes);
  const segments = Array.from({ length: count }, (_, index) => {
    const at = index * programHeaderBytes;
    const [offset, bytes] = [number(table, at + 8, size), number(table, at + 32, size)];
    // Only the segments must be complete: the sections after them are for debuggers.
    if (offset + bytes > size) throw broken('is truncated');
    return { type: table.readUInt32LE(at), offset, address: table.readBigUInt64LE(at + 16), bytes };
  });
  const dynamic = segments.find(({ type }) => type === dynamicSegment);
  if (!dynamic || dynamic.bytes > 1 << 20) throw broken('is not a shared library');

  const section = read(dynamic.offset, dynamic.bytes);
  const entries: [bigint, bigint][] = [];
  for (let at = 0; at + entryBytes <= section.length; at += entryBytes)
    entries.push([section.readBigUInt64LE(at), section.readBigUInt64LE(at + 8)]);
  const values = (tag: bigint) => entries.filter(([own]) => own === tag).map(([, value]) => value);
  const [address] = values(tags.stringTable);
  const home = segments.find(
    (it) =>
      address !== undefined &&
      it.type === loadSegment &&
      address >= it.address &&
      address < it.address + BigInt(it.bytes),
  );
  if (address === undefined || !home) throw broken('holds no names');
  const strings = home.offset + Number(address - home.address);
  const text = (index: bigint) => {
    const start = strings + Number(index);
    const bytes = read(start, Math.max(0, Math.min(8192, size - start)));
    const end = bytes.indexOf(0);
    if (end < 0) throw broken('has a name without an end');
    return bytes.toString('utf8', 0, end);
  };
  const folders = (tag: bigint) => values(tag).flatMap((value) => text(value).split(':').filter(Boolean));
  return {
    machine: header.readUInt16LE(18),
    soname: values(tags.soname).map(text)[0] ?? null,
    needed: values(tags.needed).map(text),
    rpath: folders(tags.rpath),
    runpath: folders(tags.runpath),
  };
}

/** Reads an offset or a length that must be inside the file. */
function number(bytes: Buffer, at: number, size: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(size)) throw broken('is truncated');
  return Number(value);
}

function broken(how: string): LearnError {
  return new LearnError('ERR_FILE', how);
}
