// Values of samples: bytes or float32 numbers, one sample after the other.
import { types } from 'node:util';
import { invalid } from './checks';
import { LearnError } from './errors';

export type Values = Uint8Array | Float32Array;

/** Array types by their names in options and files. */
export const valueArrays = { uint8: Uint8Array, float32: Float32Array } as const;
export type ValueType = keyof typeof valueArrays;

export function typeOf(values: Values): ValueType {
  return values instanceof Uint8Array ? 'uint8' : 'float32';
}

/** Returns the number of values of a sample of that shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Returns a view of the values' bytes. */
export function bytesOf({ buffer, byteOffset, byteLength }: Values): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Joins samples, at least one and all of the same type and size, into one array. */
export function joined(samples: readonly Values[]): Values {
  const [first] = samples as [Values];
  const all = new valueArrays[typeOf(first)](samples.length * first.length);
  for (const [i, sample] of samples.entries()) all.set(sample, i * first.length);
  return all;
}

/**
 * Returns a private copy. `inputs` may be of another realm or a subclass: only the numbers are read. Throws
 * ERR_INVALID_OPTION, naming `name`, if `inputs` is not an array of one of these types.
 */
export function copyOfValues(inputs: unknown, accepted: readonly ValueType[], name = 'inputs'): Values {
  const isOf = { uint8: types.isUint8Array, float32: types.isFloat32Array };
  const type = accepted.find((one) => isOf[one](inputs));
  if (!type) throw invalid(accepted.map((one) => `a ${valueArrays[one].name}`).join(' or '), name, inputs);
  try {
    // slice() of a Buffer would return a view.
    return new valueArrays[type](inputs as Values);
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new LearnError('ERR_OUT_OF_MEMORY', `There is not enough memory for a copy of "${name}"`, { cause });
    }
    throw new LearnError('ERR_INVALID_OPTION', `Expected values for "${name}" but its buffer was detached or shrunk`, {
      cause,
    });
  }
}
