// Forms of remembered predictions, and the headers of their files: format.ts has an example of the bytes.
import { isRecord } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { outputShape, type SampleForm, sizeOf, type ValueType, valueArrays } from '../../core/sample-values';
import { readAll } from '../../files/descriptors';
import { native } from '../../native/native';

/** The form of all records of a file. */
export interface RecordForm {
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: ValueType;
    /** Of one sample. */
    readonly values: number;
  }[];
  /** Logits of one sample. */
  readonly outputs: number;
}

/** The header of a file. */
export interface Header {
  /** '' if it is damaged; the form is then a guess. */
  token: string;
  form: RecordForm;
  /** Its size: the records follow. */
  bytes: number;
}

const magic = Buffer.from('TIPENDG2');
/** Of files that earlier versions wrote. */
const earlierMagic = Buffer.from('TIPENDG1');
const earlierBytes = 40;

/** The text's first byte. */
const textAt = 28;
/** A damaged length must not allocate more. */
const longestText = 2 ** 24;

export function recordFormOf(sample: SampleForm): RecordForm {
  return {
    inputs: sample.inputs.map(({ name, dtype, shape }) => ({ name, dtype, values: sizeOf(shape) })),
    outputs: sizeOf(outputShape(sample)),
  };
}

/** True if records of the form `written` are read as `form` says. The name of an only input does not matter. */
export function fits(written: RecordForm, form: RecordForm): boolean {
  const only = form.inputs.length === 1;
  const same = written.inputs.every(({ name, dtype, values }, i) => {
    const input = form.inputs[i];
    return input && input.dtype === dtype && input.values === values && (only || input.name === name);
  });
  return same && written.inputs.length === form.inputs.length && written.outputs === form.outputs;
}

/** Size of the header of a file with records of that form. */
export function headerBytesOf(form: RecordForm): number {
  return textAt + textOf(form).length + 4;
}

function textOf({ inputs, outputs }: RecordForm): Buffer {
  return Buffer.from(
    JSON.stringify({ inputs: inputs.map(({ name, dtype, values }) => ({ name, dtype, values })), outputs }),
  );
}

export function encodeHeader(number: number, token: string, form: RecordForm): Buffer {
  const text = textOf(form);
  const header = Buffer.alloc(textAt + text.length + 4);
  magic.copy(header);
  header.writeBigUInt64LE(BigInt(number), 8);
  header.write(token, 16, 'hex');
  header.writeUInt32LE(text.length, 24);
  text.copy(header, textAt);
  header.writeUInt32LE(native().crc32c([header.subarray(0, -4)]), header.length - 4);
  return header;
}

/** Reads the header of file `number`, which has `size` bytes. `form`: the learner's, a guess if the header is damaged. */
export async function readHeader(descriptor: number, size: number, number: number, form: RecordForm): Promise<Header> {
  const beginning = Buffer.alloc(Math.min(textAt, size));
  await readAll(descriptor, beginning, 0);
  const isEarlier = beginning.subarray(0, earlierMagic.length).equals(earlierMagic);
  const damaged = { token: '', form, bytes: isEarlier ? earlierBytes : headerBytesOf(form) };
  const bytes = isEarlier ? earlierBytes : bytesIn(beginning);
  if (bytes === undefined || bytes > size) return damaged;
  const header = Buffer.alloc(bytes);
  await readAll(descriptor, header, 0);
  if (header.readUInt32LE(bytes - 4) !== native().crc32c([header.subarray(0, -4)])) return damaged;
  if (Number(header.readBigUInt64LE(8)) !== number) return damaged;
  const token = header.toString('hex', 16, 24);
  return { token, bytes, form: isEarlier ? earlierForm(header, form) : formIn(header) };
}

/** The size of a header, from its beginning; undefined: it is not one. */
function bytesIn(beginning: Buffer): number | undefined {
  if (beginning.length < textAt || !beginning.subarray(0, magic.length).equals(magic)) return undefined;
  const length = beginning.readUInt32LE(24);
  return length > longestText ? undefined : textAt + length + 4;
}

/** Throws if the text is not a form, though its checksum is right: its sizes decide how much is allocated. */
function formIn(header: Buffer): RecordForm {
  const form: unknown = JSON.parse(header.toString('utf8', textAt, header.length - 4));
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1;
  const isInput = (input: unknown) =>
    isRecord(input) &&
    typeof input.name === 'string' &&
    Object.hasOwn(valueArrays, String(input.dtype)) &&
    isCount(input.values);
  const isForm = isRecord(form) && Array.isArray(form.inputs) && form.inputs.length > 0 && form.inputs.every(isInput);
  if (isForm && isCount(form.outputs)) return form as unknown as RecordForm;
  throw new LearnError('ERR_JOURNAL', 'its header has the form of no sample');
}

/** Earlier samples had one input without a name, and as many logits as classes. */
function earlierForm(header: Buffer, { inputs }: RecordForm): RecordForm {
  const dtype = header.readUInt32LE(24) === 1 ? 'uint8' : 'float32';
  const name = inputs[0]?.name ?? '';
  return { inputs: [{ name, dtype, values: header.readUInt32LE(28) }], outputs: header.readUInt32LE(32) };
}
