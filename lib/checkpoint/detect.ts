// What a file is, told by its first bytes and never by its name. Everything but a zip is named and refused, with what to do.
import { LearnError } from '../errors';

interface Form {
  readonly matches: (head: Buffer) => boolean;
  readonly what: string;
  readonly remedy: string;
}

const startsWith =
  (...bytes: number[]) =>
  (head: Buffer) =>
    head.subarray(0, bytes.length).equals(Buffer.from(bytes));
const startsWithText =
  (...texts: string[]) =>
  (head: Buffer) => {
    const text = head.toString('latin1').trimStart().toLowerCase();
    return texts.some((one) => text.startsWith(one));
  };
const resave = "in Python: torch.save(torch.load(file, weights_only=True), 'converted.pth')";

/** Recognised, but not read. In the order in which they are tried. */
const forms: readonly Form[] = [
  {
    matches: startsWithText('version https://git-lfs'),
    what: 'a git-LFS pointer, not the file itself',
    remedy: 'run: git lfs pull',
  },
  {
    matches: startsWithText('<!doctype', '<html', '<?xml'),
    what: 'a web page, probably of a failed download',
    remedy: 'download the file again',
  },
  {
    matches: (head) => head.length >= 9 && head.readBigUInt64LE() <= 100_000_000n && head[8] === 0x7b,
    what: 'a safetensors file',
    remedy: "in Python: torch.save(safetensors.torch.load_file(file), 'converted.pth')",
  },
  {
    matches: startsWith(0x80, 0x02, 0x8a, 0x0a),
    what: 'a checkpoint of the form that torch.save wrote before PyTorch 1.6',
    remedy: resave,
  },
  {
    matches: (head) => head.subarray(257, 262).toString('latin1') === 'ustar',
    what: 'a tar archive, perhaps a checkpoint from before PyTorch 0.2',
    remedy: 'unpack it, or load and save it again in Python',
  },
  { matches: startsWith(0x1f, 0x8b), what: 'compressed by gzip', remedy: 'unpack it with gunzip' },
  {
    matches: startsWith(0x89, 0x48, 0x44, 0x46),
    what: 'an HDF5 file (Keras)',
    remedy: 'export the weights to PyTorch first',
  },
  { matches: startsWithText('gguf'), what: 'a GGUF file', remedy: 'use the PyTorch checkpoint it was made from' },
  { matches: startsWith(0x50, 0x4b, 0x05, 0x06), what: 'an empty zip archive', remedy: 'save the state again' },
  {
    matches: (head) => head[0] === 0x80 && (head[1] ?? 9) >= 2 && (head[1] ?? 9) <= 5,
    what: 'a bare pickle, not a file of torch.save',
    remedy: resave,
  },
  {
    matches: (head) => head[0] === 0x08 && head.includes('onnx'),
    what: 'an ONNX model',
    remedy: 'use the PyTorch checkpoint it was exported from',
  },
];

/** Throws ERR_STATE_FORMAT, saying what the file is, unless it begins as a zip archive does. */
export function checkZip(file: string, head: Buffer, size: number): void {
  if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) return;
  if (size === 0) throw formatError(file, 'the file is empty; save the state again');
  const form = forms.find(({ matches }) => matches(head));
  if (form) throw formatError(file, `this is ${form.what}; ${form.remedy}`);
  throw formatError(file, `it is none: the file begins with ${head.subarray(0, 8).toString('hex')}`);
}

/** What every damaged or foreign file is reported with. */
export function formatError(file: string, problem: string): LearnError {
  return new LearnError('ERR_STATE_FORMAT', `Expected a checkpoint saved by torch.save in ${file}: ${problem}`);
}
