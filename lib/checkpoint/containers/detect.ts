// Identifies a file by its first bytes, whatever its name. For a file that cannot be loaded, the error says how to convert
// it into one that can.
//
//   50 4b 03 04 …                          zip: "PK", as torch.save writes since PyTorch 1.6
//   80 02 8a 0a 6c fc 9c 46 f9 20 6a a8 …  legacy: a pickle of protocol 2 that begins with the magic number
//   28 00 00 00 00 00 00 00 7b 22 …        safetensors: the length of the header, then its JSON, which begins with {"

import { formatError } from '../errors';
import { unlessInjected } from '../injected';
import type { ContainerKind } from '../storages';
import type { CheckpointFile } from './file';
import type { ZipDirectory } from './zip-directory';

const headBytes = 512;
const pageBytes = 64;
/** Bytes of an unrecognised file that are searched for pickled code. */
const searchedBytes = 2 ** 20;

interface Foreign {
  is: string;
  advice: string;
  test(head: Buffer, size: number): boolean;
}

const starts =
  (...bytes: number[]) =>
  (head: Buffer) =>
    head.subarray(0, bytes.length).equals(Buffer.from(bytes));

const startsWithText = (pattern: RegExp) => (head: Buffer) =>
  pattern.test(head.subarray(0, pageBytes).toString('latin1').trimStart());

const again = 'fetch the file itself';
const python = (code: string) => `convert it to a .pth with: python3 -c "import sys, torch; ${code}" input output.pth`;

/** First match wins. */
const foreign: readonly Foreign[] = [
  { is: 'empty', advice: `${again} again`, test: (_, size) => size === 0 },
  {
    is: 'a git-LFS pointer, not the file it refers to',
    advice: 'fetch that with: git lfs pull',
    test: startsWithText(/^version https:\/\/git-lfs/),
  },
  {
    is: 'an HTML page',
    advice: `a download link led to a web page; ${again}`,
    test: startsWithText(/^(<!doctype html|<html|<\?xml|<head)/i),
  },
  {
    is: 'a JSON text',
    advice: `a download may have failed with this answer; ${again}`,
    test: startsWithText(/^[{[]\s*["{[]/),
  },
  {
    is: 'a plain pickle, not made by torch.save',
    advice: 'in Python, load it if you trust it and torch.save() the state dict',
    test: (head) => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5,
  },
  {
    is: 'a tar archive',
    advice:
      'unpack it with: tar -xf; if it is a checkpoint of PyTorch 0.1, load and save it with a PyTorch of before 2.6',
    test: (head) => head.subarray(257, 262).toString('latin1') === 'ustar',
  },
  { is: 'compressed with gzip', advice: 'unpack it with: gunzip', test: starts(0x1f, 0x8b) },
  { is: 'compressed with bzip2', advice: 'unpack it with: bunzip2', test: startsWithText(/^BZh[1-9]/) },
  { is: 'compressed with xz', advice: 'unpack it with: unxz', test: starts(0xfd, 0x37, 0x7a, 0x58, 0x5a) },
  { is: 'compressed with Zstandard', advice: 'unpack it with: unzstd', test: starts(0x28, 0xb5, 0x2f, 0xfd) },
  {
    is: 'an HDF5 file, as Keras writes them',
    advice: 'copy its weights into the PyTorch model and torch.save() its state dict',
    test: starts(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
  },
  {
    is: 'a GGUF file',
    advice: 'its weights are quantised for inference; find the checkpoint it was made from',
    test: startsWithText(/^GGUF/),
  },
  {
    is: 'a NumPy array',
    advice: python('import numpy; torch.save({name: torch.from_numpy(numpy.load(sys.argv[1]))}, sys.argv[2])'),
    test: starts(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
  },
  {
    is: 'an ONNX model',
    advice: 'find the checkpoint it was exported from',
    // ModelProto: field 1 (ir_version), then field 2 (producer_name) or 7 (graph).
    test: (head) => head[0] === 0x08 && head[1]! >= 3 && head[1]! <= 20 && (head[2] === 0x12 || head[2] === 0x3a),
  },
];

const containers: readonly (readonly [ContainerKind, (head: Buffer) => boolean])[] = [
  ['zip', starts(0x50, 0x4b, 0x03, 0x04)],
  // A pickle that begins with an integer of ten bytes, as no other file does: of protocol 2 or 3, or in a frame. legacy.ts
  // checks the integer itself.
  ['legacy', (head) => /^80(0[23]|0[45]95.{16})8a0a/.test(head.toString('hex', 0, 16))],
  // A length, for which 48 bits are more than enough, then JSON.
  ['safetensors', (head) => head.length > 8 && head.readUInt16LE(6) === 0 && head[8] === 0x7b],
];

/** Returns the container format of a checkpoint. Throws an error that names the format of any other file. */
export async function containerOf(file: CheckpointFile): Promise<ContainerKind> {
  const head = await file.read(0, Math.min(headBytes, file.size));
  const found = containers.find(([, test]) => test(head));
  if (found && found[0] !== 'zip' && isTar(head))
    throw formatError('Expected a checkpoint but the file is a tar archive too, which PyTorch would read instead');
  if (found) return found[0];
  const error = foreignError(head, file.size);
  // PyTorch treats a file of any other format as a pickle, and runs it.
  throw await unlessInjected(error, await file.read(0, Math.min(searchedBytes, file.size)), 'it', { isGuess: true });
}

/** Checks for the first header of a tar archive as Python's tarfile does: by its checksum in octal digits. */
function isTar(head: Buffer): boolean {
  const [start, end] = [148, 156];
  const digits = /^[ \0]*([0-7]+)[ \0]/.exec(`${head.toString('latin1', start, end)}\0`)?.[1];
  if (head.length < headBytes || digits === undefined) return false;
  const sum = (byteAt: (at: number) => number) => {
    let total = 0;
    for (let at = 0; at < headBytes; at++) total += at >= start && at < end ? 0x20 : byteAt(at);
    return total;
  };
  const checksum = Number.parseInt(digits, 8);
  return checksum === sum((at) => head.readUInt8(at)) || checksum === sum((at) => head.readInt8(at));
}

function foreignError(head: Buffer, size: number) {
  const match = foreign.find(({ test }) => test(head, size));
  if (match) return formatError(`Expected a checkpoint but the file is ${match.is}; ${match.advice}`);
  const first = head
    .subarray(0, 8)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return formatError(`Expected a checkpoint but the file is of no known kind; it starts with the bytes ${first}`);
}

/** Zip files that are not checkpoints, identified by a record that only they have. */
const foreignZips: readonly { is: string; advice: string; test(name: string): boolean }[] = [
  {
    is: 'an exported program (.pt2)',
    advice:
      'loadModel() returns its model and its weights, and trainIncremental() takes both; on the command line, train, evaluate, online and ' +
      'inspect take it where its name ends in .pt2',
    test: (name) => name === 'archive_format' || name === 'serialized_exported_program.json',
  },
];

export function checkIsCheckpoint({ records }: ZipDirectory): void {
  const match = foreignZips.find(({ test }) => [...records.keys()].some(test));
  if (match) throw formatError(`Expected a checkpoint of torch.save but the file is ${match.is}; ${match.advice}`);
  if (records.has('data.pkl')) return;
  const names = [...records.keys()].slice(0, 5).join(', ');
  throw formatError(`Expected a checkpoint of torch.save but the file is a zip without data.pkl; it holds ${names}`);
}
