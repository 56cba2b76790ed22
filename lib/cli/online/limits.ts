// Limits of the bytes that peers may send and leave unread, from the size of a sample.
import { constants } from 'node:buffer';
import { type InputForm, outputShape, type SampleForm, sizeOf, valueArrays } from '../../core/sample-values';
import { targetType } from './inputs';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes of the longest numbers that JSON writers make, with their separators: `255.0, ` and `-2.2250738585072014e-308, `. */
const valueText = { uint8: 8, int32: 16, int64: 24, float32: 32 } as const;
/** Bytes of an inner array: its brackets and its separator. */
const arrayText = 4;
/** Bytes for the rest of a line: names, a label, and an id of 1 KiB or a path of 4 KiB whose bytes are all escaped. */
const otherText = 64 * KiB;

export interface Limits {
  /** Bytes of a line. */
  line: number;
  /** Bytes of an answer to a sample. */
  answer: number;
  /** Lines of one peer that are worked on at once. */
  lines: number;
  /** Bytes of lines and answers that each peer may hold, whatever the others do. */
  own: number;
  /** Bytes that all peers together may hold beyond that. */
  shared: number;
}

export function limitsOf({ inputs, target, classes }: SampleForm, batchSize: number): Limits {
  // A label fits into the rest of a line.
  const targets = target.kind === 'class' ? [] : [{ dtype: targetType(target), shape: target.shape }];
  const arrays = [...inputs, ...targets];
  // Characters of a name may all be escaped; that of an only input fits into the rest.
  const names = inputs.length === 1 ? 0 : inputs.reduce((bytes, { name }) => bytes + 6 * name.length + 8, 0);
  const sample = arrays.reduce((bytes, array) => bytes + textOf(array), names);
  const line = Math.min(sample + otherText, constants.MAX_STRING_LENGTH);
  const answer = sizeOf(outputShape({ target, classes })) * valueText.float32 + 8 * KiB;
  // One batch is learned while the next one fills.
  const lines = 2 * batchSize;
  const bytes = arrays.reduce((sum, { dtype, shape }) => sum + sizeOf(shape) * valueArrays[dtype].BYTES_PER_ELEMENT, 0);
  const batches = lines * (bytes + answer);
  return { line, answer, lines, own: 64 * KiB, shared: Math.max(64 * MiB, 4 * (line + answer), batches) };
}

/** Bytes of an array in a line. */
function textOf({ dtype, shape }: Pick<InputForm, 'dtype' | 'shape'>): number {
  let arrays = 1;
  for (let depth = 1; depth < shape.length; depth++) arrays += sizeOf(shape.slice(0, depth));
  return sizeOf(shape) * valueText[dtype] + arrays * arrayText;
}
