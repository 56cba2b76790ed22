// Reads the values of one sample in JSON: base64 of their bytes, or numbers, flat or nested in the sample's shape.
import { invalid } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { flattened } from '../../core/nested-numbers';
import type { Values, ValueType } from '../../core/sample-values';
import type { SampleForm } from '../../online/learner';

export type InputForm = Pick<SampleForm, 'inputs' | 'shape'>;

/** `form`: of the learner's samples. */
export function inputOf(value: unknown, { inputs: type, shape }: InputForm): Values {
  if (typeof value === 'string') return fromBase64(value, type);
  if (Array.isArray(value)) {
    const numbers = flattened(value, shape, 'input');
    return type === 'uint8' ? bytesOf(numbers) : floatsOf(numbers);
  }
  throw invalid('base64 or an array of numbers', 'input', value);
}

function fromBase64(text: string, type: ValueType): Values {
  // Node skips invalid characters.
  if (!/^[\w+/-]*={0,2}$/.test(text))
    throw wrong('Expected base64 for "input", without line breaks or other characters');
  const digits = text.length - (text.endsWith('==') ? 2 : Number(text.endsWith('=')));
  if (digits % 4 === 1) throw wrong('Expected base64 for "input", but it is incomplete');
  // A copy, since float32 needs aligned memory, and Node's small buffers share a larger one.
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  if (type === 'uint8') return bytes;
  if (bytes.length % 4 === 0) return new Float32Array(bytes.buffer);
  throw wrong(`Expected float32 values, 4 bytes each, for "input", but there are ${bytes.length} bytes`);
}

function bytesOf(numbers: readonly unknown[]): Uint8Array {
  const isByte = (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
  const at = numbers.findIndex((value) => !isByte(value));
  if (at === -1) return Uint8Array.from(numbers as number[]);
  throw invalid('integers from 0 to 255', `input[${at}]`, numbers[at]);
}

function floatsOf(numbers: readonly unknown[]): Float32Array {
  const at = numbers.findIndex((value) => typeof value !== 'number');
  if (at === -1) return Float32Array.from(numbers as number[]);
  throw invalid('numbers', `input[${at}]`, numbers[at]);
}

function wrong(message: string): LearnError {
  return new LearnError('ERR_DATA_FORMAT', message);
}
