// Limits of the bytes that peers may send and leave unread, from the size of a sample.
import { constants } from 'node:buffer';
import { sizeOf, valueArrays } from '../../core/sample-values';
import type { SampleForm } from '../../online/learner';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes of the longest numbers that JSON writers make, with their separators: `255.0, ` and `-2.2250738585072014e-308, `. */
const valueText = { uint8: 8, float32: 32 } as const;
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

export function limitsOf({ inputs, shape, classes }: SampleForm, batchSize: number): Limits {
  const values = sizeOf(shape);
  let arrays = 1;
  for (let depth = 1; depth < shape.length; depth++) arrays += sizeOf(shape.slice(0, depth));
  const sample = values * valueText[inputs] + arrays * arrayText;
  const line = Math.min(sample + otherText, constants.MAX_STRING_LENGTH);
  const answer = classes * valueText.float32 + 8 * KiB;
  // One batch is learned while the next one fills.
  const lines = 2 * batchSize;
  const batches = lines * (values * valueArrays[inputs].BYTES_PER_ELEMENT + answer);
  return { line, answer, lines, own: 64 * KiB, shared: Math.max(64 * MiB, 4 * (line + answer), batches) };
}
