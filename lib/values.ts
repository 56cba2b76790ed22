// The values of samples: bytes or float32 numbers, one sample after the other.

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
