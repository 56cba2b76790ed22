// The values of samples: bytes or float32 numbers, one sample after the other.
import { types } from 'node:util';
import { invalid } from './checks';
import { LearnError } from './errors';

export type Values = Uint8Array | Float32Array;

/** By the words that options and files have for them. */
export const valueArrays = { uint8: Uint8Array, float32: Float32Array } as const;
export type ValueType = keyof typeof valueArrays;

export function typeOf(values: Values): ValueType {
  return values instanceof Uint8Array ? 'uint8' : 'float32';
}

/** How many values a sample of that shape has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** The bytes of values, where they are. */
export function bytesOf({ buffer, byteOffset, byteLength }: Values): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Samples, at least one, all of the same type and size, as one array. */
export function joined(samples: readonly Values[]): Values {
  const [first] = samples as [Values];
  const all = new valueArrays[typeOf(first)](samples.length * first.length);
  for (const [i, sample] of samples.entries()) all.set(sample, i * first.length);
  return all;
}

/**
 * A copy that nobody else has, of whatever realm or subclass: only the numbers themselves are read. Throws ERR_INVALID_OPTION,
 * naming `name`, where `inputs` is not an array of one of these types.
 */
export function copyOfValues(inputs: unknown, accepted: readonly ValueType[], name = 'inputs'): Values {
  const isOf = { uint8: types.isUint8Array, float32: types.isFloat32Array };
  const type = accepted.find((one) => isOf[one](inputs));
  if (!type) throw invalid(accepted.map((one) => `a ${valueArrays[one].name}`).join(' or '), name, inputs);
  try {
    // slice() of a Buffer would be a view.
    return new valueArrays[type](inputs as Values);
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new LearnError('ERR_OUT_OF_MEMORY', `There is no memory for a copy of "${name}"`, { cause });
    }
    throw new LearnError('ERR_INVALID_OPTION', `Expected values for "${name}" but its buffer was detached or shrunk`, {
      cause,
    });
  }
}
